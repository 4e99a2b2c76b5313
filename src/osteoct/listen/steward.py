"""What happens to each study of the inbox: planned when complete, exported when done, removed last.

Each step is written down before the next, so that a listener that was killed goes on where it was.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from osteoct.errors import GeometryError, InputError, OsteoctError
from osteoct.export.exporting import export_case
from osteoct.listen.admission import Admitter
from osteoct.listen.notes import Notes, Stage, StudyNote
from osteoct.listen.outbox import Outbox, now
from osteoct.listen.settings import ListenSettings
from osteoct.network.node.completeness import Standing, standing
from osteoct.network.node.inbox import HeldStudy, Inbox
from osteoct.run.ledger.records import Row
from osteoct.run.records import State
from osteoct.run.work.inputs import laid_out

_OF_ONE_STUDY: Final = (OsteoctError, OSError, sqlite3.Error)
"""What may go wrong with a study, while the others are looked after: sqlite3 is that of a plan's
temporary table, which a full disk ends."""

_NEARLY: Final = 0.9
"""Share of a bound at which delivered images make room before any are refused."""

_RARELY_S: Final = 30.0
"""How often a case without a result is looked at again: somebody may have had it tried anew."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a listener keeps what."""

    inbox: Inbox
    notes: Notes
    outbox: Outbox


class Steward:
    """Looks after the studies of an inbox.

    Parameters
    ----------
    hear
        Told in a line what became of a study; lines name no patient and no UID.
    """

    def __init__(
        self,
        places: Places,
        admitter: Admitter,
        settings: ListenSettings,
        *,
        hear: Callable[[str], None],
    ) -> None:
        self._places = places
        self._admitter = admitter
        self._settings = settings
        self._hear = hear
        self._told: dict[str, str] = {}
        self._seldom = 0.0
        self._keep_s = settings.keep_s
        self._began_at = 0.0
        self.arriving = self.held = 0

    def begin(self) -> None:
        """Count quiet from now on: before, nobody could have sent anything."""
        self._began_at = now()

    def look(self) -> None:
        """Bring every study one step further, if it is time."""
        is_time = time.monotonic() >= self._seldom
        studies = self._places.inbox.studies()
        self._keep_s = 0.0 if self._is_short_of_room(len(studies)) else self._settings.keep_s
        arriving = 0
        for study in studies:
            try:
                arriving += self._look_after(study, looks_again=is_time)
            except _OF_ONE_STUDY as error:  # or of a full disk: tried again at every look
                words = error.line if isinstance(error, OsteoctError) else type(error).__name__
                self._tell_once(study.name, f"{study.name}: {words}; is tried again")
        if is_time:
            self._tidy({study.name for study in studies})
            self._seldom = time.monotonic() + _RARELY_S
        self.arriving, self.held = arriving, len(studies)

    def _look_after(self, study: HeldStudy, *, looks_again: bool) -> bool:
        """One step; whether the study is still arriving."""
        note = self._places.notes.get(study.name)
        if note is None or note.revision != study.revision:
            return self._admit(study, note)
        if note.stage is Stage.EXPORTED:
            self._retire(study, note)
        elif note.stage is Stage.PLANNED or looks_again:
            self._finish(study, note)
        return False

    def _admit(self, study: HeldStudy, before: StudyNote | None) -> bool:
        """Plan a study that is complete; whether it is not yet."""
        heard = replace(study, last_at=max(study.last_at, self._began_at))
        found = standing(heard, self._settings.completeness, now=now())
        if found is Standing.WAITING:
            return True
        if before is not None and self._is_running(before):
            return False  # its old result must not come in after the new one
        is_incomplete = found is Standing.GIVEN_UP
        note = self._admitter.admit(study, is_incomplete=is_incomplete)
        self._places.notes.put(study.name, note)
        came = f"{study.images} images" + ("" if before is None else " by now")
        if is_incomplete:
            came += f", of {study.expected}" if study.expected else ""
            came += ", some are missing and no more come: analysed as it is"
        self._hear(f"received: {study.name}, {came}; case {note.case_id}")
        return False

    def _finish(self, study: HeldStudy, note: StudyNote) -> None:
        """Export a case that is done; say of one that is not why."""
        row = self._row(note)
        if row is None or row.key != note.key:  # another ledger, or planned by somebody else
            self._places.notes.forget(study.name)
        elif row.state is State.DONE:
            self._export(study, note, row)
        elif row.state.is_over:
            why = f": {row.failure.message}" if row.failure else ""
            self._tell_once(study.name, f"{row.state}: {note.case_id}{why}")
            self._put(study, note, Stage.FAILED)

    def _export(self, study: HeldStudy, note: StudyNote, row: Row) -> None:
        """Make the objects of a case, and stop sending older ones."""
        assert row.key is not None  # noqa: S101 -- a case that is done was planned
        if not self._admitter.batch.store.has(row.case_id, row.key):
            self._hear(f"the result of {row.case_id} is not there: done again")
            self._admitter.batch.ledger.reset(states=None, case_ids=[row.case_id])
            return
        outbox = self._places.outbox
        if outbox.find(row.case_id, row.key) is None:
            try:
                self._make_objects(row, outbox.place(row.case_id, row.key))
            except (InputError, GeometryError) as error:
                self._tell_once(study.name, f"cannot be sent: {row.case_id}: {error.line}")
                self._put(study, note, Stage.FAILED)
                return
            self._hear(f"done: {row.case_id}")
        outbox.replace_older(row.case_id, row.key)
        self._put(study, note, Stage.EXPORTED)

    def _make_objects(self, row: Row, place: Path) -> None:
        """Export a case with the images it was measured on, as they lie in the inbox."""
        store = self._admitter.batch.store
        folder, inputs = store.folder_of(row.case_id), row.inputs
        assert folder is not None  # noqa: S101 -- it has the result
        assert inputs is not None  # noqa: S101 -- a case that is done was planned
        with laid_out(inputs, store.scratch) as sources:
            export_case(folder, self._settings.formats, out=place, source=sources.ct)

    def _retire(self, study: HeldStudy, note: StudyNote) -> None:
        """Remove images whose result was delivered long enough ago, and nothing came since."""
        if note.key is None or self._places.outbox.find(note.case_id, note.key) is None:
            self._put(study, note, Stage.PLANNED)  # somebody took the objects away: made again
            return
        delivered = self._delivered_at(note)
        if delivered is None or now() - max(delivered, study.last_at) < self._keep_s:
            return
        if self._places.inbox.remove(study.name, study.revision):
            self._forget(study.name, note)

    def _is_short_of_room(self, studies: int) -> bool:
        """Whether new images are, or are soon to be, refused for the sake of delivered ones."""
        limits = self._settings.limits
        if limits.most_studies is not None and studies >= _NEARLY * limits.most_studies:
            return True
        free = shutil.disk_usage(self._places.inbox.arriving).free
        return free * _NEARLY <= limits.free_bytes

    def _tidy(self, held: set[str]) -> None:
        """Forget studies whose images are gone, once their results are delivered."""
        for name in self._places.notes.names():
            note = self._places.notes.get(name)
            if name in held or note is None:
                continue
            if note.stage is not Stage.EXPORTED or self._delivered_at(note) is not None:
                self._forget(name, note)

    def _forget(self, name: str, note: StudyNote) -> None:
        """Forget a study, and the objects that were delivered."""
        if self._settings.forwards:  # without archives the objects are what the user wants
            self._places.outbox.remove(note.case_id)
        self._places.notes.forget(name)
        self._told.pop(name, None)

    def _delivered_at(self, note: StudyNote) -> float | None:
        """When the last archive had all of a result; ``None`` as long as one has not."""
        parcel = None if note.key is None else self._places.outbox.find(note.case_id, note.key)
        if parcel is None:
            return None
        answers = [parcel.answer(link.address.shown) for link in self._settings.forwards]
        if any(answer is None or answer.refused for answer in answers):
            return None
        return max((answer.at for answer in answers if answer), default=parcel.made_at)

    def _put(self, study: HeldStudy, note: StudyNote, stage: Stage) -> None:
        """Write down that a study has come further."""
        if note.stage is not stage:
            self._places.notes.put(study.name, note.model_copy(update={"stage": stage}))

    def _tell_once(self, study: str, words: str) -> None:
        """Say something of a study that would else be said at every look."""
        if self._told.get(study) != words:
            self._told[study] = words
            self._hear(words)

    def _is_running(self, note: StudyNote) -> bool:
        row = self._row(note)
        return row is not None and row.state is State.RUNNING

    def _row(self, note: StudyNote) -> Row | None:
        return self._admitter.batch.ledger.row(note.case_id)
