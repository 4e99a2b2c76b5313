"""NIfTI in and out. In memory voxels lie as in the file (first axis fastest): nothing is moved."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import nibabel
import numpy as np
from numpy.typing import NDArray

from osteoct.errors import UnreadableInputError
from osteoct.geometry import Geometry
from osteoct.io.byte_stream import ByteStream, check_declared_size
from osteoct.io.hu_values import slabs
from osteoct.io.label_table import find_label_table, render_label_table
from osteoct.io.nifti_header import NiftiHeader, read_header
from osteoct.io.output import written_file
from osteoct.io.raw_image import RawImage
from osteoct.volume import CTVolume, LabelVolume

COMPRESSION_LEVEL = 1
"""Of gzip: label maps shrink a hundredfold at any level, and CT noise at none."""

_SCANNER_CODE = 1
"""NIfTI's 'scanner anatomical' coordinates: what an affine taken from a scan means."""

_CARET_CODE = 0
"""Extension code under which TotalSegmentator writes its label table."""


def read_nifti(path: Path, *, where: str) -> RawImage:
    """Read stored numbers, grid and label table of a ``.nii`` or ``.nii.gz`` file.

    gzip is told by its first bytes, not by the name. See
    :func:`osteoct.io.nifti_header.read_header` for which affine is used.

    Raises
    ------
    UnreadableInputError
        Missing, truncated, damaged, or not NIfTI.
    InputError
        Whatever else :func:`~osteoct.io.nifti_header.read_header` refuses.
    """
    try:
        with path.open("rb") as file:
            stream = ByteStream(file, where=where)
            header = read_header(stream, where=where)
            array = _read_voxels(path, stream, header, where=where)
    except OSError as error:
        raise UnreadableInputError("cannot be read", where=where, found=error.strerror) from error
    return RawImage(
        array=array,
        geometry=header.geometry,
        slope=header.slope,
        intercept=header.intercept,
        names=find_label_table(header.extensions, where=where),
        kind="NIfTI",
        findings=header.findings,
    )


def _read_voxels(
    path: Path, stream: ByteStream, header: NiftiHeader, *, where: str
) -> NDArray[Any]:
    """The voxels in native byte order, read into the one array that is kept."""
    shape = header.geometry.shape
    declared = int(np.prod(shape, dtype=np.int64)) * header.dtype.itemsize
    check_declared_size(path, declared, where=where)
    array = np.empty(shape, header.dtype, order="F")
    stream.fill(array.reshape(-1, order="F").view(np.uint8).data)
    stream.finish()
    if not array.dtype.isnative:
        array = array.byteswap(inplace=True).view(array.dtype.newbyteorder("="))
    return array


def write_labels(labels: LabelVolume, path: Path) -> None:
    """Write labels as ``.nii.gz`` in the smallest unsigned type, with their names inside.

    The names stand in the extension that TotalSegmentator writes and reads. The same labels give
    the same bytes.

    Raises
    ------
    OutputError
        The file cannot be written; nothing is left behind.
    """
    highest = max(int(labels.array.max(initial=0)), 1)
    array = labels.array.astype(np.min_scalar_type(highest), copy=False)
    names = {key: structure.name for key, structure in labels.structures.items()}
    _write(array, labels.geometry, path, names=names)


def write_ct(ct: CTVolume, path: Path) -> None:
    """Write a CT as ``.nii.gz`` in its own type (int16 or float32), without any header fact.

    Raises
    ------
    OutputError
        The file cannot be written; nothing is left behind.
    """
    _write(ct.array, ct.geometry, path, names={})


def _write(
    array: NDArray[Any], geometry: Geometry, path: Path, *, names: Mapping[int, str]
) -> None:
    header = _header_of(array, geometry)
    extension = b"" if not names else _extension(render_label_table(names))
    header["vox_offset"] = 352 + len(extension)
    # neither a time nor a name in the gzip header: the same voxels give the same bytes
    with (
        written_file(path) as file,
        gzip.GzipFile("", "wb", COMPRESSION_LEVEL, file, mtime=0) as packed,
    ):
        packed.write(header.binaryblock)
        packed.write(b"\1\0\0\0" if names else b"\0\0\0\0")
        packed.write(extension)
        _write_voxels(packed, array)


def _header_of(array: NDArray[Any], geometry: Geometry) -> nibabel.Nifti1Header:
    header = nibabel.Nifti1Header(endianness="<")
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_qform(geometry.affine, code=_SCANNER_CODE)
    header.set_sform(geometry.affine, code=_SCANNER_CODE)
    header.set_xyzt_units(xyz="mm")
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["magic"] = b"n+1"
    return header


def _extension(content: bytes) -> bytes:
    """An extension block, padded to the multiple of 16 bytes that NIfTI-1 asks for."""
    size = -(-(len(content) + 8) // 16) * 16
    head = size.to_bytes(4, "little") + _CARET_CODE.to_bytes(4, "little")
    return (head + content).ljust(size, b"\0")


def _write_voxels(file: gzip.GzipFile | BinaryIO, array: NDArray[Any]) -> None:
    """Write first axis fastest, slab by slab, so that no second copy of the volume is made."""
    little = array.dtype.newbyteorder("<")
    for part in slabs(array):
        file.write(array[..., part].astype(little, copy=False).tobytes(order="F"))
