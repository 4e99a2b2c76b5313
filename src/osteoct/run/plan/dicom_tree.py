"""DICOM in a folder tree of any shape: one case per study, the series chosen by the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

from osteoct.errors import OsteoctError
from osteoct.io.dicom.discovery import DAMAGED
from osteoct.io.dicom.elements import quietly
from osteoct.io.identity import SourceIdentity
from osteoct.io.pseudonym import case_pseudonym, found_pseudonym, patient_pseudonym
from osteoct.run.keys import series_fingerprint
from osteoct.run.plan.dicom_rows import UNUSABLE_ARCHIVE, read_rows
from osteoct.run.plan.dicom_study import ChosenSeries, choose_series, rows_of_study
from osteoct.run.plan.fingerprints import Fingerprinter
from osteoct.run.plan.interface import Entry, Found
from osteoct.run.plan.places import CANNOT_WALK, Tree
from osteoct.run.plan.spool import Row, Spool
from osteoct.run.records import Cause, Refusal
from osteoct.run.work.failures import failure_of

Report: TypeAlias = Callable[[int], None]
"""Told now and then how many files were read."""

READERS_REMOTE: Final = 16
"""A ranged read waits some ten milliseconds for the network and parsing takes one."""

_TOLD: Final = {
    DAMAGED: "damaged DICOM files beside no CT image",
    UNUSABLE_ARCHIVE: UNUSABLE_ARCHIVE,
    CANNOT_WALK: CANNOT_WALK,
}
"""What belongs to no study and must not pass in silence."""


class DicomIndex:
    """Every header of a tree, by study and series, on disk.

    Parameters
    ----------
    tree
        Where the files lie.
    prints
        What tells a series from another one.
    secret
        Key of pseudonyms.
    scratch
        Folder for the temporary table: about 1 kB per file.
    report
        Told now and then how many files were read.
    """

    def __init__(
        self,
        tree: Tree,
        prints: Fingerprinter,
        secret: bytes,
        *,
        scratch: Path | None = None,
        report: Report | None = None,
    ) -> None:
        self._tree = tree
        self._prints = prints
        self._secret = secret
        self._report = report
        self._spool = Spool(scratch)
        self._near: set[str] = set()
        self.left_out: Counter[str] = Counter()

    def fill(self) -> None:
        """Read every header, once."""
        readers = READERS_REMOTE if self._tree.is_remote else 1
        count = 0
        unlisted: list[str] = []
        places = self._tree.walk(on_error=unlisted.append)
        with quietly():
            for rows in read_rows(self._tree, places, readers):
                self._keep(rows)
                count += len(rows)
                if self._report is not None:
                    self._report(count)
        self._keep([Row("", folder=folder, place=folder, note=CANNOT_WALK) for folder in unlisted])

    def studies(self) -> Iterator[Entry]:
        """One case or refusal per study, then what belongs to none."""
        for major, _ in self._spool.groups():
            yield self.study(major)
        for (folder, note), rows in groupby(self._spool.loose(), lambda r: (r.folder, r.note)):
            if note == DAMAGED and folder in self._near:
                continue
            yield self._refused_files(folder, note, sum(1 for _ in rows))

    def study(self, study: str) -> Entry:
        """The case of a study, of which the tree holds files."""
        rows = rows_of_study(self._spool.rows(study))
        case_id = found_pseudonym("study", study.encode(), key=self._secret)
        return self._judged(rows, case_id)

    def has_study(self, uid: str) -> bool:
        """Whether the tree holds an image of a study."""
        return next(self._spool.rows(uid), None) is not None

    def series(self, uid: str, *, study: str = "") -> Entry | None:
        """The case of one series (of a study); ``None`` where the tree holds no CT image of it."""
        found = self._spool.rows_of(uid)
        rows = rows_of_study(row for row in found if study in {"", row.major})
        if not rows:
            return None
        case_id = found_pseudonym("series", uid.encode(), key=self._secret)
        return self._judged(rows, case_id, is_asked_for=True)

    def _keep(self, rows: Sequence[Row]) -> None:
        """Write down what may be told later; count what is no image to measure."""
        for row in rows:
            if row.note:
                self.left_out[row.note] += 1
        self._spool.add(row for row in rows if row.major or row.note in _TOLD)

    def _judged(self, rows: Sequence[Row], case_id: str, *, is_asked_for: bool = False) -> Entry:
        """The case of some files, or why they are none."""
        try:
            with quietly():
                chosen = choose_series(rows, damaged=self._count_damaged(rows))
        except OsteoctError as error:
            return _refused(case_id, error)
        try:
            return self._found(chosen, case_id, is_asked_for=is_asked_for)
        except OSError as error:  # content was asked for; a store that is gone is no refusal
            return _refused(case_id, error)

    def _count_damaged(self, rows: Sequence[Row]) -> int:
        """Damaged files that lie beside CT images of a study and name no study themselves."""
        folders = {row.folder for row in rows if not row.note}
        counts = {folder: self._spool.count_loose(folder, DAMAGED) for folder in folders}
        self._near.update(folder for folder, count in counts.items() if count)
        return sum(counts.values())

    def _found(self, chosen: ChosenSeries, case_id: str, *, is_asked_for: bool) -> Found:
        """The case of a series that was chosen or asked for."""
        identity = SourceIdentity(
            patient_key=chosen.patient_key, series_key=chosen.series_uid.encode() or None
        )
        if is_asked_for:  # as osteoct analyze names it
            case_id = case_pseudonym(identity, "", self._secret)
        return Found(
            case_id=case_id,
            patient=patient_pseudonym(identity, self._secret),
            inputs=chosen.inputs,
            fingerprints={"ct": self._fingerprint(chosen)},
            bytes_in=sum(size for *_, size in chosen.files),
            voxels=chosen.voxels,
            findings=chosen.findings,
        )

    def _fingerprint(self, chosen: ChosenSeries) -> str:
        """Of the files of a series: by UID, by content, or by mark where there is no UID."""
        named: list[tuple[str, int]] = []
        for address, uid, size in chosen.files:
            if self._prints.reads_content:
                named.append((self._prints.of_content(address), size))
            else:
                named.append((uid or self._prints.of_address(address, size), size))
        return series_fingerprint(self._secret, named, chosen.frames)

    def _refused_files(self, folder: str, note: str, count: int) -> Refusal:
        """A row for files of a folder that belong to no study."""
        case_id = found_pseudonym(note, folder.encode(), key=self._secret)
        message = f"{count} × {_TOLD[note]}"
        return Refusal(case_id=case_id, cause=Cause.INPUT, message=message)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.__exit__(kind, error, trace)


def _refused(case_id: str, error: Exception) -> Refusal:
    failure = failure_of(error)
    return Refusal(case_id=case_id, cause=failure.cause, message=failure.message)


class DicomSource:
    """The studies of a DICOM tree, as a source of cases.

    Parameters
    ----------
    make_index
        Makes the index of the tree, not yet filled.
    """

    def __init__(self, make_index: MakeIndex) -> None:
        self._make_index = make_index
        self._left_out: Mapping[str, int] = {}

    @property
    def left_out(self) -> Mapping[str, int]:
        """Number of files that belong to no case, by reason."""
        return self._left_out

    def entries(self) -> Iterator[Entry]:
        """One case or refusal per study; nothing comes before the last header is read."""
        with self._make_index() as index:
            index.fill()
            self._left_out = dict(sorted(index.left_out.items()))
            yield from index.studies()


MakeIndex: TypeAlias = Callable[[], DicomIndex]
"""Makes an index that is not yet filled."""
