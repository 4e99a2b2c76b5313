"""What ``osteoct weights list`` and ``verify`` tell of a model."""

from __future__ import annotations

from collections.abc import Collection

from osteoct.records import Record
from osteoct.segment.weights.catalogue import Download, WeightsNeed
from osteoct.segment.weights.hashes import hash_folder
from osteoct.segment.weights.ledger import Ledger, ModelRecord, read_ledger, write_record
from osteoct.segment.weights.lock import locked
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.presence import MISSING, find_fault
from osteoct.segment.weights.transfer import Part
from osteoct.segment.weights.trust import Alteration, find_alterations, trust_of

PRESENT, ALTERED = "present", "altered"


class Condition(Record):
    """A model on this machine.

    Parameters
    ----------
    qualities
        For which it is needed.
    state
        ``present``, ``missing``, ``altered``, or what is incomplete.
    trust
        What its bytes are compared with: ``known``, ``recorded``, ``accepted``, ``unrecorded``;
        for a model that is missing, what they will be compared with.
    compared_with
        Whose hashes they are: their publisher, or the day they were recorded.
    problems
        Files that are not what they should be.
    size_bytes
        On the disk; of the archive to be fetched for a model that is missing; ``None`` if unknown.
    begun_bytes
        Of an archive whose fetch was interrupted.
    """

    name: str
    segmenter: str
    qualities: tuple[str, ...]
    state: str
    trust: str
    compared_with: str | None = None
    problems: tuple[str, ...] = ()
    size_bytes: int | None = None
    begun_bytes: int = 0
    purpose: str
    licence: str
    url: str
    where: str

    @property
    def is_missing(self) -> bool:
        """Whether there is nothing of it."""
        return self.state == MISSING

    @property
    def is_sound(self) -> bool:
        """Whether it is there and every byte is what it should be."""
        return self.state == PRESENT


def look_at(need: WeightsNeed) -> tuple[Condition, ...]:
    """Return what is there of each model; every byte of those present is read.

    Raises
    ------
    SegmenterUnavailableError
        The record of the weights cannot be read.
    """
    ledger = read_ledger(need.place)
    return tuple(_look_at(need.place, download, ledger) for download in need.downloads)


def accept(need: WeightsNeed, names: Collection[str]) -> None:
    """Record models as they are, whatever is known or was recorded of them.

    Raises
    ------
    SegmenterUnavailableError
        The folder cannot be written.
    """
    with locked(need.place, lambda: None):
        for download in need.downloads:
            if download.name in names and _can_be_accepted(need.place, download):
                files = hash_folder(need.place.path / download.folder)
                record = ModelRecord(origin="found", is_accepted=True, files=files)
                write_record(need.place, download.folder, record)


def _can_be_accepted(place: WeightsFolder, download: Download) -> bool:
    """Whether it is whole but not what is known or recorded."""
    if find_fault(place.path, download) is not None:
        return False
    record = read_ledger(place).models.get(download.folder)
    return bool(find_alterations(place, download, record))


def _look_at(place: WeightsFolder, download: Download, ledger: Ledger) -> Condition:
    record = ledger.models.get(download.folder)
    fault = find_fault(place.path, download)
    altered = find_alterations(place, download, record) if fault is None else ()
    return Condition(
        name=download.name,
        segmenter=download.segmenter,
        qualities=tuple(q.value for q in download.qualities),
        state=fault or (ALTERED if altered else PRESENT),
        trust=trust_of(download, record).value,
        compared_with=_compared_with(download, record),
        problems=tuple(_in_words(a) for a in altered),
        size_bytes=_size_bytes(place, download, is_missing=fault == MISSING),
        begun_bytes=Part(place=place, download=download).size_bytes,
        purpose=download.purpose,
        licence=download.licence,
        url=download.url,
        where=place.shown,
    )


def _compared_with(download: Download, record: ModelRecord | None) -> str | None:
    """Whose hashes the bytes are compared with."""
    if download.is_known and (record is None or not record.is_accepted):
        return download.source
    return None if record is None else f"recorded on {record.recorded_utc[:10]}"


def _size_bytes(place: WeightsFolder, download: Download, *, is_missing: bool) -> int | None:
    if is_missing:
        return download.archive_bytes
    files = (place.path / download.folder).rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _in_words(altered: Alteration) -> str:
    return f"{altered.file}: found sha256 {altered.found}, wanted {altered.wanted} ({altered.by})"
