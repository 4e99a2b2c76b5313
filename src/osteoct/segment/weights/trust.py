"""Are the bytes those that are known, or those that came first? A look at every one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from osteoct.errors import SegmenterUnavailableError
from osteoct.records import Finding, Severity
from osteoct.segment.weights.catalogue import Download, WeightsNeed
from osteoct.segment.weights.hashes import hash_once
from osteoct.segment.weights.ledger import FileRecord, ModelRecord, read_ledger
from osteoct.segment.weights.place import WeightsFolder


class WrongContentError(SegmenterUnavailableError):
    """What came is not the model it should be."""


class Trust(StrEnum):
    """What a model's bytes are compared with."""

    KNOWN = "known"
    """Hashes that somebody published; they are shipped with osteoct."""
    RECORDED = "recorded"
    """Hashes recorded when the model came first: a later change shows, a wrong start does not."""
    ACCEPTED = "accepted"
    """Other bytes than the known or recorded ones, which the user accepted by name."""
    UNRECORDED = "unrecorded"
    """Nothing: another program put it there."""


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """A file that is not what it should be.

    Parameters
    ----------
    found
        Its SHA-256, or ``missing``.
    wanted
        The SHA-256 it should have.
    by
        Who says so.
    """

    file: str
    found: str
    wanted: str
    by: str


def trust_of(download: Download, record: ModelRecord | None) -> Trust:
    """Return what a model is compared with."""
    if record is not None and record.is_accepted:
        return Trust.ACCEPTED
    if download.is_known:
        return Trust.KNOWN
    return Trust.UNRECORDED if record is None else Trust.RECORDED


def find_alterations(
    place: WeightsFolder,
    download: Download,
    record: ModelRecord | None,
    *,
    files: Collection[str] | None = None,
) -> tuple[Alteration, ...]:
    """Compare a model's files with what is known and recorded of them.

    Parameters
    ----------
    files
        Which ones; ``None`` for every file that something is known of.
    """
    wanted = _wanted(download, record)
    compared = (
        (name, _hash(place, download, name), *wanted[name])
        for name in sorted(wanted)
        if files is None or name in files
    )
    return tuple(
        Alteration(file=name, found=found, wanted=sha256, by=by)
        for name, found, sha256, by in compared
        if found != sha256
    )


def check_unaltered(need: WeightsNeed) -> dict[str, dict[str, str]]:
    """Raise if a file that is computed with was altered; return the SHA-256 of each.

    Returns
    -------
    dict
        By the model's folder, then by the file's name relative to it.

    Raises
    ------
    SegmenterUnavailableError
        Names the file with the hash found and the hash wanted.
    """
    ledger = read_ledger(need.place)
    for download in need.downloads:
        record = ledger.models.get(download.folder)
        altered = find_alterations(need.place, download, record, files=download.needed)
        if altered:
            raise altered_failure(need.place, download, altered)
    return {
        d.folder: {name: hash_once(need.place.path / d.folder / name) for name in d.needed}
        for d in need.downloads
    }


def altered_failure(
    place: WeightsFolder, download: Download, altered: Iterable[Alteration]
) -> SegmenterUnavailableError:
    """Return the failure for a model that was altered."""
    first, *others = altered
    more = f", and {len(others)} more files" if others else ""
    return SegmenterUnavailableError(
        f"the weights {download.name} were altered",
        where=place.shown,
        found=f"{first.file} with sha256 {first.found}{more}",
        wanted=f"{first.wanted}, {first.by}",
        hint=(
            f"osteoct weights verify says more; osteoct weights fetch --again {download.name} "
            "brings the published one; if the change is yours, "
            f"osteoct weights verify --accept {download.name}"
        ),
    )


def check_incoming(
    download: Download,
    files: Mapping[str, FileRecord],
    record: ModelRecord | None,
    *,
    archive_sha256: str | None,
    where: str,
) -> bool:
    """Raise if what came is not what is known, or else was recorded, of a model.

    Parameters
    ----------
    files
        Of the model that came.
    record
        Of the model that was here before.
    archive_sha256
        Of the archive it came in; ``None`` where it came in a bundle.
    where
        Where it came from.

    Returns
    -------
    bool
        Whether it is one that the user accepted before against what is known.

    Raises
    ------
    WrongContentError
        With both hashes, and what to do.
    """
    found = {name: file.sha256 for name, file in files.items()}
    gap = _first_gap(found, download.sha256, _by_source(download))
    if archive_sha256 and download.archive_sha256 not in (None, archive_sha256):
        wanted = str(download.archive_sha256)
        by = _by_source(download)
        gap = Alteration(file="the archive", found=archive_sha256, wanted=wanted, by=by)
    if download.is_known and gap is None:
        return False
    if record is not None and (record.is_accepted or gap is None):
        recorded = {n: f.sha256 for n, f in record.files.items() if n in download.needed}
        gap = _first_gap(found, recorded, _by_record(record))
    if gap is not None:
        raise WrongContentError(
            f"{download.name} is not the model that osteoct knows",
            where=where,
            found=f"{gap.file} with sha256 {gap.found}",
            wanted=f"{gap.wanted}, {gap.by}",
            hint=how_to_accept(download),
        )
    return record is not None and record.is_accepted


def _first_gap(found: Mapping[str, str], wanted: Mapping[str, str], by: str) -> Alteration | None:
    """The first file that is not what it should be."""
    gaps = (
        Alteration(file=name, found=found.get(name, "missing"), wanted=sha256, by=by)
        for name, sha256 in wanted.items()
        if found.get(name) != sha256
    )
    return next(gaps, None)


def how_to_accept(download: Download) -> str:
    """Say what to do about a file that is not the one that is known."""
    return (
        "nothing was changed here; either it was damaged or replaced on its way, or its makers "
        "published another one, which a newer osteoct may know. If you know it to be right, say "
        f"so: --accept {download.name}, and every result will name it"
    )


def find_doubts(need: WeightsNeed) -> tuple[Finding, ...]:
    """Return a finding for each model that was accepted against what is known of it."""
    models = read_ledger(need.place).models
    accepted = [d for d in need.downloads if trust_of(d, models.get(d.folder)) is Trust.ACCEPTED]
    return tuple(
        Finding(
            code="weights-accepted",
            severity=Severity.WARNING,
            message=(
                f"the weights {d.name} are not those that were known or recorded; they were "
                "accepted by name on this machine"
            ),
            evidence={"model": d.name},
        )
        for d in accepted
    )


def _wanted(download: Download, record: ModelRecord | None) -> dict[str, tuple[str, str]]:
    """The SHA-256 each file should have, and who says so; what was accepted outdoes the rest."""
    recorded = {} if record is None else record.files
    wanted = {n: (f.sha256, _by_record(record)) for n, f in recorded.items()}
    if record is None or not record.is_accepted:
        wanted |= {n: (value, _by_source(download)) for n, value in download.sha256.items()}
    return wanted


def _by_record(record: ModelRecord | None) -> str:
    return "" if record is None else f"recorded on {record.recorded_utc[:10]}"


def _by_source(download: Download) -> str:
    return f"{download.source or 'known'}"


def _hash(place: WeightsFolder, download: Download, name: str) -> str:
    """SHA-256 of a file of a model, or ``missing``."""
    path = place.path / download.folder / name
    return hash_once(path) if path.is_file() else "missing"
