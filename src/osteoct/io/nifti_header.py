"""What a NIfTI header says of the grid and the stored numbers; NIfTI-1 and NIfTI-2 single files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from osteoct.errors import IrregularGridError, NotCtError, UnreadableInputError
from osteoct.geometry import Geometry
from osteoct.io.byte_stream import ByteStream
from osteoct.io.raw_image import check_grid, check_shape
from osteoct.records import Finding, Severity

AFFINES_AGREE_MM: Final = 0.1
"""Largest distance between equal corners under sform and qform that counts as agreement.

The qform keeps a quaternion in float32, which moves the far corner of a 500 mm volume by less than
0.001 mm; a tenth of a millimetre is far below a voxel.
"""

MAX_EXTENSION_BYTES: Final = 16 << 20
"""Most bytes between header and voxels; a label table takes a few thousand."""

_HEADER_BYTES = {348: 1, 540: 2}
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""NIfTI codes of the unit of length; 0 is 'unknown', written by many programs that mean mm."""

_MOST_AXES = 7
_EXTENDER_BYTES = 4
_EXTENSION_HEAD_BYTES = 8
_RGB_CODES = (128, 2304)
_COMPLEX_CODES = (32, 1792, 2048)


@dataclass(frozen=True, kw_only=True)
class NiftiHeader:
    """The parts of a header that decide what the stored numbers mean."""

    geometry: Geometry
    dtype: np.dtype[Any]
    slope: float
    intercept: float
    extensions: tuple[bytes, ...]
    findings: tuple[Finding, ...]


def read_header(stream: ByteStream, *, where: str) -> NiftiHeader:
    """Read header and extensions; the stream then stands at the first voxel.

    The sform decides where voxels lie when its code is above 0, else the qform when its code is
    above 0; a file with neither says nothing of left and right and is refused. Where both are set
    and differ by more than :data:`AFFINES_AGREE_MM`, the finding ``affine-disagree`` says so.

    Raises
    ------
    UnreadableInputError
        Not a single-file NIfTI image, or a header that contradicts itself.
    IrregularGridError
        No orientation, shear, several frames, a single slice, an impossible voxel size.
    NotCtError
        Colour or complex numbers.
    """
    header, used = _parse(stream, where=where)
    dtype = _check_dtype(header, where=where)
    shape = check_shape(_declared_shape(header, where=where), where=where)
    geometry, findings = _place(header, shape, where=where)
    slope, intercept = _scaling(header, where=where)
    extensions = _read_extensions(stream, header, used, where=where)
    return NiftiHeader(
        geometry=geometry,
        dtype=dtype,
        slope=slope,
        intercept=intercept,
        extensions=extensions,
        findings=findings,
    )


def _parse(stream: ByteStream, *, where: str) -> tuple[nibabel.Nifti1Header, int]:
    """The header and how many bytes it took."""
    size = stream.read(4)
    version = next(
        (
            (length, number)
            for length, number in _HEADER_BYTES.items()
            if length in (int.from_bytes(size, "little"), int.from_bytes(size, "big"))
        ),
        None,
    )
    if version is None:
        raise UnreadableInputError("is not NIfTI", where=where, found=size, wanted="a NIfTI header")
    length, number = version
    block = size + stream.read(length - 4)
    header = (
        nibabel.Nifti1Header(block, check=False)
        if number == 1
        else nibabel.Nifti2Header(block, check=False)
    )
    magic = bytes(header["magic"]).rstrip(b"\0")
    if not magic.startswith(b"n+"):
        raise UnreadableInputError(
            "is not a single-file NIfTI image",
            where=where,
            found=f"magic {magic!r}",
            wanted="n+1 or n+2",
            hint="convert Analyze or .hdr/.img pairs to .nii.gz with their orientation",
        )
    return header, length


def _declared_shape(header: nibabel.Nifti1Header, *, where: str) -> tuple[int, ...]:
    dims = [int(n) for n in header["dim"]]
    axes = dims[1 : 1 + max(dims[0], 0)]
    if not 1 <= dims[0] <= _MOST_AXES or min(axes) < 1:
        raise UnreadableInputError(
            "declares impossible sizes", where=where, found=dims, wanted="1 to 7 positive sizes"
        )
    return tuple(axes)


def _check_dtype(header: nibabel.Nifti1Header, *, where: str) -> np.dtype[Any]:
    code = int(header["datatype"])
    if code in _RGB_CODES or code in _COMPLEX_CODES:
        raise NotCtError(
            "holds colours" if code in _RGB_CODES else "holds complex numbers",
            where=where,
            found=f"NIfTI datatype {code}",
            wanted="one real number per voxel",
        )
    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except (HeaderDataError, KeyError):  # nibabel raises either for a code it does not know
        dtype = np.dtype("V")
    if dtype.kind not in "iuf":
        raise UnreadableInputError(
            "has a data type that is not known", where=where, found=code, wanted="integer or float"
        )
    return dtype


def _place(
    header: nibabel.Nifti1Header, shape: tuple[int, int, int], *, where: str
) -> tuple[Geometry, tuple[Finding, ...]]:
    """The grid by the sform, else the qform; a finding where both speak and differ."""
    sform, qform = (_affine(header, name, where=where) for name in ("sform", "qform"))
    used = qform if sform is None else sform
    if used is None:
        raise IrregularGridError(
            "has no orientation",
            where=where,
            found="sform_code 0 and qform_code 0",
            wanted="one of them above 0",
            hint="export the image again from its DICOM series",
        )
    geometry = check_grid(shape, used, where=where)
    if sform is None or qform is None:
        return geometry, ()
    corners = np.array(np.meshgrid(*((0, n - 1) for n in shape))).reshape(3, -1)
    apart = np.linalg.norm((sform - qform)[:3, :3] @ corners + (sform - qform)[:3, 3:], axis=0)
    if apart.max() <= AFFINES_AGREE_MM:
        return geometry, ()
    return geometry, (_disagreement(float(apart.max())),)


def _affine(header: nibabel.Nifti1Header, name: str, *, where: str) -> NDArray[np.float64] | None:
    """Affine in mm, or ``None`` where the header does not give it."""
    if int(header[f"{name}_code"]) <= 0:
        return None
    unit = int(header["xyzt_units"]) & 7
    if unit not in _MM_PER_UNIT:
        raise IrregularGridError(
            "has an unknown unit of length", where=where, found=unit, wanted="m, mm or micrometre"
        )
    try:
        affine = np.array(header.get_sform() if name == "sform" else header.get_qform(), float)
    except (HeaderDataError, ValueError) as error:
        raise IrregularGridError(f"has a bad {name}", where=where, found=str(error)) from error
    affine[:3] *= _MM_PER_UNIT[unit]
    return affine


def _disagreement(apart_mm: float) -> Finding:
    return Finding(
        code="affine-disagree",
        severity=Severity.WARNING,
        message=(
            f"sform and qform place the far corner {apart_mm:.2f} mm apart; the sform was used"
        ),
        evidence={"distance_mm": round(apart_mm, 3), "tolerance_mm": AFFINES_AGREE_MM},
    )


def _scaling(header: nibabel.Nifti1Header, *, where: str) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or NaN means there is no scaling (NIfTI-1, scl_slope)."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or np.isnan(slope):
        return 1.0, 0.0
    if not np.isfinite([slope, intercept]).all():
        raise UnreadableInputError(
            "has a scaling that is not finite",
            where=where,
            found=f"slope {slope}, intercept {intercept}",
            wanted="finite numbers",
        )
    return slope, intercept


def _read_extensions(
    stream: ByteStream, header: nibabel.Nifti1Header, used: int, *, where: str
) -> tuple[bytes, ...]:
    """Contents of the header extensions, whatever their codes."""
    offset = float(header["vox_offset"])
    length = (int(offset) if np.isfinite(offset) else 0) - used
    if not 0 <= length <= MAX_EXTENSION_BYTES:
        raise UnreadableInputError(
            "declares an impossible start of its voxels",
            where=where,
            found=f"byte {offset:g}",
            wanted=f"byte {used} to {used + MAX_EXTENSION_BYTES}",
        )
    block = stream.read(length)
    if not block or block[0] == 0:
        return ()
    order = "little" if header.endianness == "<" else "big"
    contents, start = [], _EXTENDER_BYTES
    while start + _EXTENSION_HEAD_BYTES <= len(block):
        size = int.from_bytes(block[start : start + 4], order)  # type: ignore[arg-type] # two literals
        if size < _EXTENSION_HEAD_BYTES or start + size > len(block):
            break
        contents.append(block[start + _EXTENSION_HEAD_BYTES : start + size])
        start += size
    return tuple(contents)
