"""Walking a folder: which files are CT images, and why the others are not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from osteoct.errors import InputError, NotCtError, UnreadableInputError
from osteoct.io.dicom.elements import PARSE_ERRORS, quietly
from osteoct.io.dicom.enhanced import enhanced_slices
from osteoct.io.dicom.headers import ImageHeader, Slice, classic_slice, read_header
from osteoct.records import Finding, Severity

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
"""Enhanced CT and legacy converted enhanced CT."""

_DIRECTORY = "1.2.840.10008.1.3.10"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_STRUCTURED_REPORT = "1.2.840.10008.5.1.4.1.1.88."
_DOSE_REPORTS = ("1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.88.68")
_PROJECTIONS = frozenset({"MIP", "MINIP", "MAX_IP", "MIN_IP", "RESAMPLED MIP", "VOLUME_RENDERED"})
"""Image types whose pixels are no longer HU of one place (DICOM PS3.3 C.8.16.2 and vendors)."""

NOT_DICOM = "not DICOM"
NOT_A_FILE = "not a regular file"
DAMAGED = "damaged DICOM"
COLOUR = "colour image"
_MODALITIES = frozenset(
    {
        *("AR", "AU", "BMD", "CR", "DOC", "DX", "ECG", "ES", "FID", "HC", "IO", "IVUS", "KO", "MG"),
        *("MR", "NM", "OCT", "OP", "OT", "PLAN", "PR", "PT", "PX", "REG", "RF", "RG", "RTDOSE"),
        *("RTIMAGE", "RTPLAN", "RTRECORD", "RTSTRUCT", "RWV", "SC", "SEG", "SM", "US", "XA", "XC"),
    }
)
"""Defined terms of Modality (PS3.3 C.7.3.1.1.1) that a message may repeat."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The CT slices found under a path, and what was left out.

    Parameters
    ----------
    slices
        Every CT plane, of any series.
    ignored
        Number of files left out, by reason.
    damaged
        The damaged files, relative to the path.
    """

    slices: tuple[Slice, ...]
    ignored: Mapping[str, int]
    damaged: tuple[str, ...] = ()


def scan_path(path: Path) -> Scan:
    """Read the headers of a file, or of all files below a folder, once.

    Parameters
    ----------
    path
        File or folder; folders are walked without following links to folders.

    Raises
    ------
    UnreadableInputError
        There is nothing at ``path``.
    """
    if not path.exists():
        raise UnreadableInputError("does not exist", where=path.name, wanted="a file or folder")
    slices: list[Slice] = []
    ignored: Counter[str] = Counter()
    damaged: list[str] = []
    with quietly():
        for file in _files_below(path):
            where = file.name if file == path else str(file.relative_to(path))
            found = _slices_of(file, where)
            if isinstance(found, str):
                ignored[found] += 1
                damaged.extend([where] if found == DAMAGED else ())
            else:
                slices.extend(found)
    counts = dict(sorted(ignored.items()))
    return Scan(slices=tuple(slices), ignored=counts, damaged=tuple(damaged))


def check_has_ct(scan: Scan, path: Path) -> None:
    """Refuse a scan without a single CT slice, and say what was there instead."""
    if not scan.slices:
        raise no_ct(scan.ignored, where=path.name)


def no_ct(ignored: Mapping[str, int], *, where: str | None = None) -> InputError:
    """The failure for files of which none is a CT slice, by what they were instead."""
    counts = ", ".join(f"{n} × {reason}" for reason, n in ignored.items())
    images = set(ignored) - {NOT_DICOM, NOT_A_FILE, DAMAGED}
    failure = NotCtError if images else UnreadableInputError
    return failure(
        "holds no CT image",
        where=where,
        found=counts or "no files",
        wanted="axial CT images in DICOM",
    )


def _files_below(path: Path) -> Iterator[Path]:
    """All entries that are not folders, in an order that does not depend on the file system."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, followlinks=False):
        folders.sort()
        for name in sorted(names):
            yield Path(folder, name)


def _slices_of(path: Path, where: str) -> tuple[Slice, ...] | str:
    """The CT slices of a file, or the reason why it is left out."""
    if not path.is_file():  # folders, pipes (opening one would wait for ever), dangling links
        return NOT_A_FILE
    try:
        image = read_header(path, where)
        reason = reason_to_leave_out(image)
        return slices_in(image) if image is not None and reason is None else str(reason)
    except PARSE_ERRORS:
        return DAMAGED


def slices_in(image: ImageHeader) -> tuple[Slice, ...]:
    """The slices of a CT image, classic or enhanced.

    Raises
    ------
    ValueError and the like
        One of :data:`osteoct.io.dicom.elements.PARSE_ERRORS`: the header is damaged.
    """
    is_enhanced = image.sop_class in ENHANCED_CT
    return enhanced_slices(image) if is_enhanced else (classic_slice(image),)


def reason_to_leave_out(image: ImageHeader | None) -> str | None:
    """Why a file is not a CT image to measure, or ``None``."""
    if image is None:
        return NOT_DICOM
    return _reason_by_class(image) or _reason_by_kind(image)


def damage_findings(count: int) -> tuple[Finding, ...]:
    """Say that files were left out because they could not be read."""
    if not count:
        return ()
    return (
        Finding(
            code="files-damaged",
            severity=Severity.WARNING,
            message=f"{count} damaged DICOM files were left out; the series may be longer",
            evidence={"files": count},
        ),
    )


def _reason_by_class(image: ImageHeader) -> str | None:
    """Why the file's class or modality rules it out.

    De-identified files may have lost the class; then the modality speaks alone.
    """
    sop_class, modality = image.sop_class, image.modality
    is_ct = sop_class in {CT_IMAGE, *ENHANCED_CT} or (not sop_class and modality == "CT")
    other = modality if modality in _MODALITIES else "unknown"
    reasons = (
        (not sop_class and not modality, DAMAGED),
        (sop_class == _DIRECTORY, "DICOM directory"),
        (sop_class.startswith(_DOSE_REPORTS), "dose report"),
        (sop_class.startswith(_STRUCTURED_REPORT) or modality == "SR", "structured report"),
        (modality not in {"", "CT"}, f"modality {other}"),
        (sop_class.startswith(_SECONDARY_CAPTURE), "secondary capture"),
        (not is_ct, "other DICOM object"),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _reason_by_kind(image: ImageHeader) -> str | None:
    """Why a CT object holds no slices to measure."""
    layout = image.layout
    if "LOCALIZER" in image.image_type or "SCOUT" in image.image_type:
        return "localiser"
    if not layout.photometric.startswith("MONOCHROME") or layout.samples != 1:
        return COLOUR
    if _PROJECTIONS.intersection(image.image_type):
        return "projection (MIP)"
    # a CT image without a size is a file whose end is missing
    return DAMAGED if min(layout.rows, layout.columns) < 1 else None
