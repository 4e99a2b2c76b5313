"""CT volumes from DICOM: find the series under a path, choose one, read it in HU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from osteoct.errors import InputError
from osteoct.io.archive import extracted, is_archive
from osteoct.io.dicom.choice import Candidate, Choice, choose_stack, make_candidate
from osteoct.io.dicom.discovery import Scan, check_has_ct, damage_findings, scan_path
from osteoct.io.dicom.listing import SeriesListing, SeriesSummary, make_keys, make_listing
from osteoct.io.dicom.patients import count_patients, mixed_patients, patient_key
from osteoct.io.dicom.pixels import check_duplicates, read_pixels
from osteoct.io.dicom.position import check_header_position
from osteoct.io.dicom.stacks import Stack, split_into_series, split_into_stacks
from osteoct.io.dicom.tilt import straighten
from osteoct.io.identity import SourceIdentity
from osteoct.records import Finding
from osteoct.volume import CTVolume

__all__ = [
    "SeriesListing",
    "SeriesSummary",
    "find_series",
    "located_stack",
    "read_dicom",
    "read_dicom_with_identity",
]


_SHOWN_FILES = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    """What a path holds: the scan, its stacks and the number of patients."""

    scan: Scan
    candidates: tuple[Candidate, ...]
    patients: int


def find_series(path: Path) -> SeriesListing:
    """List the CT series of a file, a folder (nested, any names) or a zip archive.

    Reads headers only, each once.

    Parameters
    ----------
    path
        File, folder or zip archive.

    Returns
    -------
    SeriesListing
        The stacks with their geometry or why they form none, which one would be read and why, and
        the number of files left out by reason. Holds no identifier that is ever written out. A
        path without any CT gives an empty listing with its counts.

    Raises
    ------
    UnreadableInputError
        The path does not exist, or the archive is unsafe.
    """
    with _folder_of(path) as folder:
        found = _find(folder)
        choice = _choice_without_mixing(found)
        return make_listing(found.candidates, choice, dict(found.scan.ignored), found.patients)


def read_dicom(path: Path, *, series: str | None = None) -> CTVolume:
    """Read one CT series as a volume in HU.

    Parameters
    ----------
    path
        File (enhanced multi-frame CT), folder or zip archive.
    series
        SeriesInstanceUID, or key of :func:`find_series`, to read instead of the one that the rules
        of :mod:`osteoct.io.dicom.choice` would choose.

    Returns
    -------
    CTVolume
        Array axes column, row, slice; slices ordered along the slice normal; RAS+ mm.

    Raises
    ------
    UnreadableInputError
        No DICOM there, pixels missing, truncated or undecodable.
    NotCtError
        Images, but no CT; the modality found is named.
    IrregularGridError
        The slices form no regular grid.
    HuNotRecoverableError
        Stored values cannot be turned into HU.
    MixedSeriesError
        More than one patient.
    InputError
        The series asked for is not there.
    """
    volume, _ = read_dicom_with_identity(path, series=series)
    return volume


def read_dicom_with_identity(
    path: Path, *, series: str | None = None
) -> tuple[CTVolume, SourceIdentity]:
    """Read as :func:`read_dicom`, with the raw identifiers for keyed pseudonyms beside it."""
    with _folder_of(path) as folder:
        found, choice = _choose(folder, path, series)
        taken = _taken(choice, found)
        return _read(
            taken, (*choice.findings, *damage_findings(len(found.scan.damaged)))
        ), _identity(taken)


@contextmanager
def located_stack(
    path: Path, *, series: str | None = None
) -> Iterator[tuple[Stack, SourceIdentity]]:
    """Yield the stack that :func:`read_dicom` would read, and whose it is.

    The files can be read while the block runs: those of an archive are unpacked for it.

    Raises
    ------
    InputError
        As :func:`read_dicom`, but for what only pixels tell.
    """
    with _folder_of(path) as folder:
        found, choice = _choose(folder, path, series)
        taken = _taken(choice, found)
        yield taken.stack, _identity(taken)


@contextmanager
def _folder_of(path: Path) -> Iterator[Path]:
    """The path itself, or the folder an archive was unpacked into."""
    if is_archive(path):
        with extracted(path) as folder:
            yield folder
    else:
        yield path


def _choose(folder: Path, path: Path, series: str | None) -> tuple[_Found, Choice]:
    """What lies in a folder and which stack of it is read; ``path`` is what the user named."""
    found = _find(folder)
    check_has_ct(found.scan, path)
    if series is None:
        _check_one_patient(found, path)
        return found, choose_stack(found.candidates)
    return found, choose_stack(_asked_for(series, found, path))


def _find(folder: Path) -> _Found:
    """Read all headers and split them into stacks."""
    scan = scan_path(folder)
    stacks = [t for group in split_into_series(scan.slices) for t in split_into_stacks(group)]
    return _Found(
        scan=scan,
        candidates=tuple(make_candidate(stack) for stack in stacks),
        patients=count_patients(s.image.identifiers for s in scan.slices),
    )


def _choice_without_mixing(found: _Found) -> Choice:
    """The choice by the rules; none where there are several patients."""
    if found.patients > 1:
        why = ("not chosen: the folder holds several patients",)
        return Choice(chosen=None, reasons=(why,) * len(found.candidates))
    return choose_stack(found.candidates)


def _check_one_patient(found: _Found, path: Path) -> None:
    """Refuse a folder of several patients: no rule may choose between people."""
    if found.patients > 1:
        raise mixed_patients(found.patients, where=path.name)


def _asked_for(series: str, found: _Found, path: Path) -> Sequence[Candidate]:
    """The stacks of the series asked for by UID or key."""
    keys = make_keys(found.candidates)
    by_uid = [c for c in found.candidates if c.uid and c.uid == series]
    asked = by_uid or [c for c, key in zip(found.candidates, keys, strict=True) if key == series]
    if not asked:
        raise InputError(
            "the series asked for is not there",
            where=path.name,
            found=f"{len(found.candidates)} other CT stacks: {', '.join(keys)}",
            wanted="a SeriesInstanceUID or key of this folder",
            hint="List the series first.",
        )
    patients = count_patients(s.image.identifiers for c in asked for s in c.stack.slices)
    if patients > 1:
        raise mixed_patients(patients, where=path.name)
    return asked


def _taken(choice: Choice, found: _Found) -> Candidate:
    """The chosen stack; where no stack forms a grid, the reason why the largest one does not."""
    if choice.chosen is not None:
        return choice.chosen
    largest = max(found.candidates, key=lambda c: len(c.stack.slices))
    if largest.stack.refusal is None:
        raise InputError("no stack can be measured", found=f"{len(found.candidates)} stacks")
    if found.scan.damaged:
        shown = ", ".join(found.scan.damaged[:_SHOWN_FILES])
        largest.stack.refusal.add_note(f"damaged DICOM files were left out: {shown}")
    raise largest.stack.refusal


def _read(taken: Candidate, findings: tuple[Finding, ...]) -> CTVolume:
    """The volume of a stack that forms a grid."""
    stack = taken.stack
    if stack.grid is None:
        raise InputError("the stack forms no grid")
    duplicates = check_duplicates(stack.duplicates)
    pixels, geometry = straighten(read_pixels(stack.slices), stack.grid)
    return CTVolume(
        array=pixels.array,
        geometry=geometry,
        acquisition=taken.acquisition,
        padding_hu=pixels.padding_hu,
        findings=(
            *findings,
            *stack.findings,
            *duplicates,
            *pixels.findings,
            *check_header_position(stack.first),
        ),
    )


def _identity(taken: Candidate) -> SourceIdentity:
    """The raw identifiers of the stack read."""
    ids = taken.stack.first.image.identifiers
    return SourceIdentity(
        patient_key=patient_key(ids),
        series_key=ids.series_uid.encode() or None,
    )
