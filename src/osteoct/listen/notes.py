"""What is known of each study that was planned: a small file each, so that a restart knows it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from osteoct.io.output import write_text
from osteoct.record import Record

_SUFFIX = ".json"


class Stage(StrEnum):
    """How far a study has come."""

    PLANNED = "planned"
    """Its case is pending, or being computed."""
    EXPORTED = "exported"
    """Its objects lie in the outbox."""
    FAILED = "failed"
    """Its case has no result, or one that no object can be made of."""


class StudyNote(Record):
    """A study as it was planned.

    Parameters
    ----------
    revision
        Which images there were then; see :class:`osteoct.network.node.inbox.HeldStudy`.
    key
        Key of the work; ``None`` where the plan refused it.
    is_incomplete
        Whether fewer images had come than were announced.
    """

    revision: str
    case_id: str
    key: str | None
    is_incomplete: bool = False
    stage: Stage = Stage.PLANNED


class Notes:
    """The notes of a folder, which one process writes.

    Parameters
    ----------
    folder
        Made when first written. A note that cannot be read counts as none: its study is planned
        again, which changes nothing where nothing changed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, StudyNote] = {}
        for path in sorted(folder.glob("study-*" + _SUFFIX)) if folder.is_dir() else ():
            try:
                note = StudyNote.model_validate_json(path.read_bytes())
            except (ValidationError, OSError):
                continue
            self._known[path.name.removesuffix(_SUFFIX)] = note

    def get(self, study: str) -> StudyNote | None:
        """What is known of a study."""
        return self._known.get(study)

    def names(self) -> tuple[str, ...]:
        """Studies that something is known of."""
        return tuple(self._known)

    def put(self, study: str, note: StudyNote) -> None:
        """Remember; on the disk when it returns.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text(self._folder / (study + _SUFFIX), note.model_dump_json() + "\n")
        self._known[study] = note

    def forget(self, study: str) -> None:
        """Know nothing of a study any more."""
        (self._folder / (study + _SUFFIX)).unlink(missing_ok=True)
        self._known.pop(study, None)
