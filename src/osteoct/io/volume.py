"""Reading a CT, whatever the format: one function in, one :class:`CTVolume` out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from osteoct.errors import ConfigError, UnreadableInputError
from osteoct.io.archive import extracted
from osteoct.io.file_names import hidden_file_names
from osteoct.io.hu_values import NOT_MEASURED_HU, hu_of
from osteoct.io.identity import SourceIdentity
from osteoct.io.image_format import DATA_SUFFIXES, ImageFormat, image_format, is_image_name
from osteoct.io.plausibility import check_hu_scale, require_hu
from osteoct.io.raw_image import RawImage
from osteoct.records import Finding, Severity
from osteoct.volume import CTVolume

ReadCt: TypeAlias = tuple[CTVolume, SourceIdentity, str]


def read_volume(path: Path | str, *, series: str | None = None) -> CTVolume:
    """Read a CT in Hounsfield units.

    Parameters
    ----------
    path
        A DICOM folder or file, a ``.zip`` of it or of one image, or a NIfTI, NRRD or MetaImage
        file. In NIfTI the sform is used when its code is above 0, else the qform when its code is
        above 0; a file with neither is refused.
    series
        SeriesInstanceUID to take where a DICOM folder holds several.

    Raises
    ------
    InputError
        The file is missing, unreadable, not on a regular grid, not a CT, or not in HU.
    """
    return read_volume_with_identity(path, series=series)[0]


def read_volume_with_identity(path: Path | str, *, series: str | None = None) -> ReadCt:
    """Read a CT, whose it is, and what kind of input it came from.

    Returns
    -------
    tuple
        The CT; the identity for pseudonyms (empty for formats without a DICOM header); the kind,
        such as ``DICOM series, 600 slices`` or ``NIfTI``.

    Raises
    ------
    InputError
        As :func:`read_volume`.
    """
    return _read(Path(path), where=str(path), series=series)


def read_raw_image(path: Path, kind: ImageFormat, *, where: str) -> RawImage:
    """Read one NIfTI, NRRD or MetaImage file as it is stored."""
    if kind is ImageFormat.NIFTI:
        from osteoct.io.nifti import read_nifti  # noqa: PLC0415 -- nibabel costs 0.2 s

        return read_nifti(path, where=where)
    from osteoct.io.itk import read_itk  # noqa: PLC0415 -- SimpleITK costs 0.3 s

    return read_itk(path, where=where, kind=str(kind))


def single_image_in(folder: Path, *, where: str) -> Path | None:
    """The one NIfTI, NRRD or MetaImage file of a folder that holds nothing else.

    ``None`` means that the folder holds other files: DICOM, if anything.

    Raises
    ------
    UnreadableInputError
        The folder holds no file, or several images and nothing else.
    """
    files = files_in(folder)
    if not files:
        raise UnreadableInputError(
            "holds no file", where=where, found="an empty folder", wanted="a DICOM series or image"
        )
    images = [file for file in files if is_image_name(file.name)]
    others = [f for f in files if f not in images and not f.name.lower().endswith(DATA_SUFFIXES)]
    if others or not images:
        return None
    if len(images) > 1:
        raise UnreadableInputError(
            "holds several images", where=where, found=len(images), wanted="one image or a series"
        )
    return images[0]


def files_in(folder: Path) -> list[Path]:
    """Files below a folder in a stable order, without what file managers leave behind."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(p.startswith(".") or p == "__MACOSX" for p in path.relative_to(folder).parts)
    )


def _read(path: Path, *, where: str, series: str | None) -> ReadCt:
    kind = image_format(path, where=where)
    if kind is ImageFormat.ZIP:
        with extracted(path) as folder:
            ct, identity, inner = _read(folder, where=where, series=series)
            return ct, identity, f"zip of {inner}"
    if kind is ImageFormat.FOLDER:
        image = single_image_in(path, where=where)
        if image is not None:
            # the folder is named alone: below it a name may be the patient's
            return _read(image, where=where, series=series)
    if kind in (ImageFormat.FOLDER, ImageFormat.DICOM):
        return _read_dicom(path, where=where, series=series)
    if series is not None:
        raise ConfigError(
            "a series can be chosen in DICOM only", where=where, found=str(kind), wanted="DICOM"
        )
    return _read_image(path, kind, where=where), SourceIdentity(), str(kind)


def _read_dicom(path: Path, *, where: str, series: str | None) -> ReadCt:
    from osteoct.io.dicom.series import read_dicom_with_identity  # noqa: PLC0415 -- pydicom: 0.2 s

    with hidden_file_names(path, where=where):
        ct, identity = read_dicom_with_identity(path, series=series)
    ct = replace(ct, findings=(*ct.findings, *check_hu_scale(ct)))
    slices = ct.geometry.shape[ct.geometry.slice_axis]
    return ct, identity, f"DICOM series, {slices} slices"


def _read_image(path: Path, kind: ImageFormat, *, where: str) -> CTVolume:
    raw = read_raw_image(path, kind, where=where)
    array, not_finite = hu_of(raw, where=where)
    ct = CTVolume(
        array=array,
        geometry=raw.geometry,
        padding_hu=NOT_MEASURED_HU if not_finite else None,
        findings=(*raw.findings, *_not_finite(not_finite, array.size)),
    )
    return replace(ct, findings=(*ct.findings, *require_hu(ct, where=where)))


def _not_finite(count: int, size: int) -> tuple[Finding, ...]:
    if not count:
        return ()
    return (
        Finding(
            code="not-finite-voxels",
            severity=Severity.WARNING,
            message=f"{count} of {size} voxels hold NaN or infinity and count as never measured",
            evidence={"voxels": count},
        ),
    )
