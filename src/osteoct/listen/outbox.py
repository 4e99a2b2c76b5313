"""Results on their way: a folder per result, and beside its objects what each archive answered."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from osteoct.export.exporting import EXPORT_FILE
from osteoct.io.output import write_text
from osteoct.record import Record

_REPLACED: Final = "replaced"
"""File in a parcel for whose case a newer result came: it is not sent any more."""


class Answer(Record):
    """What an archive answered to a parcel, for good.

    Parameters
    ----------
    at
        When, in seconds since 1970.
    """

    stored: int = Field(ge=0)
    present: int = Field(ge=0)
    refused: int = Field(ge=0)
    at: float


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """The objects of one result.

    Parameters
    ----------
    made_at
        When it was made, in seconds since 1970.
    """

    folder: Path
    made_at: float

    @property
    def case_id(self) -> str:
        """Of which case."""
        return self.folder.name.rpartition(".")[0]

    @property
    def is_replaced(self) -> bool:
        """Whether a newer result of the case is there."""
        return (self.folder / _REPLACED).exists()

    def files(self, names: Sequence[str]) -> tuple[Path, ...]:
        """Those of its objects that are sent."""
        return tuple(path for name in names if (path := self.folder / name).is_file())

    def answer(self, forward: str) -> Answer | None:
        """What an archive answered, or ``None``; one that cannot be read is asked for again."""
        try:
            return Answer.model_validate_json((self.folder / _answer_file(forward)).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def keep_answer(self, forward: str, answer: Answer) -> None:
        """Remember an answer; on the disk when it returns.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        write_text(self.folder / _answer_file(forward), answer.model_dump_json() + "\n")


class Outbox:
    """The parcels of a listener.

    Parameters
    ----------
    folder
        Made when first written, for nobody else to read: objects carry the patient's name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, case_id: str, key: str) -> Path:
        """Where the parcel of a result lies or will lie."""
        return self.folder / f"{case_id}.{key[:12]}"

    def find(self, case_id: str, key: str) -> Parcel | None:
        """The parcel of a result, if it is whole."""
        return _parcel(self.place(case_id, key))

    def parcels(self) -> tuple[Parcel, ...]:
        """Every parcel that counts, the oldest first."""
        folders = self.folder.iterdir() if self.folder.is_dir() else ()
        found = [p for f in folders if not f.name.startswith(".") and (p := _parcel(f))]
        return tuple(
            sorted((p for p in found if not p.is_replaced), key=lambda p: (p.made_at, p.folder))
        )

    def prepare(self) -> None:
        """Make the folder, and remove what a process that died was writing."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self.folder.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)

    def replace_older(self, case_id: str, key: str) -> None:
        """Stop sending earlier results of a case."""
        newest = self.place(case_id, key)
        for folder in self.folder.glob(f"{case_id}.*"):
            if folder != newest:
                (folder / _REPLACED).touch()

    def remove(self, case_id: str) -> None:
        """Remove every parcel of a case."""
        for folder in self.folder.glob(f"{case_id}.*"):
            shutil.rmtree(folder, ignore_errors=True)


def now() -> float:
    """Seconds since 1970: times in an outbox outlive the process."""
    return time.time()


def _parcel(folder: Path) -> Parcel | None:
    """A folder that an export made, which appears whole or not at all."""
    try:
        made = (folder / EXPORT_FILE).stat().st_mtime
    except OSError:
        return None
    return Parcel(folder=folder, made_at=made)


def _answer_file(forward: str) -> str:
    """A file name for the address of an archive."""
    return f"answer-{hashlib.sha256(forward.encode()).hexdigest()[:12]}.json"
