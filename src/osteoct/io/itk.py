"""NRRD and MetaImage through SimpleITK; its LPS patient space becomes RAS+ here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

import numpy as np
import SimpleITK as sitk  # noqa: N813 -- the name its own documentation gives it
from numpy.typing import NDArray

from osteoct.errors import IrregularGridError, NotCtError, UnreadableInputError
from osteoct.geometry import Geometry
from osteoct.io.byte_stream import GZIP_MAGIC, MAX_DEFLATE_RATIO, ByteStream
from osteoct.io.raw_image import RawImage, check_grid, check_shape
from osteoct.io.slicer_segments import SlicerSegment, find_segments, names_by_value

LPS_TO_RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])

_HEADER_LIMIT = 1 << 16
"""Bytes within which a text header names its orientation and its data file."""

_ORIENTATION = {
    "NRRD": rb"^space directions\s*:",
    "MetaImage": rb"^(TransformMatrix|Rotation|Orientation)\s*=",
}
_PACKED = rb"^(?:CompressedData\s*=\s*True|encoding\s*:\s*(?:gz|bz))"
_INSIDE = "LOCAL"
_DATA_FILE = rb"^(?:data ?file|ElementDataFile)\s*[:=]\s*(.+?)\s*$"


@dataclass(frozen=True, kw_only=True)
class _DataFile:
    """Where the voxels are, and whether they are compressed there."""

    path: Path
    offset: int
    is_packed: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class LayeredImage:
    """A 3D Slicer segmentation: layers (I, J, K, layers) on one grid, and its segments."""

    array: NDArray[Any] = field(repr=False)
    geometry: Geometry
    segments: tuple[SlicerSegment, ...]


def read_itk(path: Path, *, where: str, kind: str) -> RawImage:
    """Read an NRRD or MetaImage file (``kind`` says which).

    Raises
    ------
    UnreadableInputError
        Missing, truncated, not the format, or data in a file outside the header's folder.
    IrregularGridError
        No orientation, several frames, a single slice, shear.
    NotCtError
        Several numbers per voxel, or complex ones.
    LabelsError
        Segments of a 3D Slicer segmentation that contradict each other.
    """
    image, segments = _load(path, where=where, kind=kind, is_layered=False)
    shape = check_shape(image.GetSize(), where=where)
    # SimpleITK gives (z, y, x), last axis fastest: the transpose is (x, y, z), first axis fastest
    array = sitk.GetArrayFromImage(image).T.reshape(shape, order="F")
    geometry = check_grid(shape, _affine_ras(image), where=where)
    return RawImage(array=array, geometry=geometry, names=names_by_value(segments), kind=kind)


def read_layers(path: Path, *, where: str) -> LayeredImage | None:
    """Read a 3D Slicer segmentation of several layers; ``None`` for any other NRRD file.

    Raises
    ------
    InputError
        As :func:`read_itk`.
    """
    with _quiet_itk(path, where=where, kind="NRRD"):
        reader = _open(path)
        if reader.GetNumberOfComponents() == 1 or not _segments(reader, where=where):
            return None
    image, segments = _load(path, where=where, kind="NRRD", is_layered=True)
    shape = check_shape(image.GetSize(), where=where)
    array = sitk.GetArrayViewFromImage(image).transpose(2, 1, 0, 3).copy(order="K")
    geometry = check_grid(shape, _affine_ras(image), where=where)
    return LayeredImage(array=array, geometry=geometry, segments=segments)


def _load(
    path: Path, *, where: str, kind: str, is_layered: bool
) -> tuple[sitk.Image, tuple[SlicerSegment, ...]]:
    """The image, once its header is known to be one that SimpleITK reads as it is meant."""
    data = _check_header(path, where=where, kind=kind)
    with _quiet_itk(path, where=where, kind=kind):
        reader = _open(path)
        shape = check_shape(reader.GetSize(), where=where)
        _check_numbers(reader, where=where, is_layered=is_layered)
        _check_size(reader, shape, data, where=where)
        return reader.Execute(), _segments(reader, where=where)


def _open(path: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return reader


@contextmanager
def _quiet_itk(path: Path, *, where: str, kind: str) -> Iterator[None]:
    """Turn SimpleITK's failures into ours; keep its warnings, which tell full paths, in."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    except RuntimeError as error:  # the only failure SimpleITK raises
        raise UnreadableInputError(
            "cannot be read",
            where=where,
            found=_last_line(error, path),
            wanted=f"a whole {kind} file",
        ) from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)


def _check_header(path: Path, *, where: str, kind: str) -> _DataFile:
    """Refuse what SimpleITK would fill in or follow without a word."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_LIMIT)
    except OSError as error:
        raise UnreadableInputError("cannot be read", where=where, found=error.strerror) from error
    blank = re.search(rb"\r?\n\r?\n", head)  # ends an NRRD header
    text = head[: blank.start()] if blank else head
    if not re.search(_ORIENTATION[kind], text, re.MULTILINE | re.IGNORECASE):
        raise IrregularGridError(
            "has no orientation",
            where=where,
            found=f"a {kind} header without directions",
            wanted="space directions" if kind == "NRRD" else "TransformMatrix",
            hint="export the image again from its DICOM series",
        )
    is_packed = re.search(_PACKED, text, re.MULTILINE | re.IGNORECASE) is not None
    voxels = _data_file(path, text, where=where)
    offset = blank.end() if blank and voxels == path else 0
    return _DataFile(path=voxels, offset=offset, is_packed=is_packed)


def _data_file(path: Path, text: bytes, *, where: str) -> Path:
    """The file that holds the voxels: the header's own, or one named file beside it.

    MetaImage and NRRD can also name lists and patterns of files; those are as free to point
    anywhere as a path is, and no program of the field writes them.
    """
    named = re.search(_DATA_FILE, text, re.MULTILINE | re.IGNORECASE)
    name = named[1].decode(errors="replace") if named else _INSIDE
    if name.upper() == _INSIDE:
        return path
    is_plain = PurePosixPath(name).name == name and PureWindowsPath(name).name == name
    if not is_plain or not (path.parent / name).is_file():
        raise UnreadableInputError(
            "does not find its voxels",
            where=where,
            found="a data file that is missing or not in the header's folder",
            wanted="one data file beside the header",
        )
    return path.parent / name


def _check_size(
    reader: sitk.ImageFileReader, shape: tuple[int, ...], data: _DataFile, *, where: str
) -> None:
    """Refuse a truncated file, whose missing voxels SimpleITK leaves to chance.

    MetaImage without compression, and NRRD with it, are read to whatever end they have.
    """
    width = sitk.Image([1, 1, 1], reader.GetPixelID()).GetSizeOfPixelComponent()
    declared = math.prod(shape) * width * reader.GetNumberOfComponents()
    size = data.path.stat().st_size
    if declared > size * (MAX_DEFLATE_RATIO if data.is_packed else 1):
        raise UnreadableInputError(
            "is truncated",
            where=where,
            found=f"{size} bytes",
            wanted=f"{declared} bytes of voxels as the header declares",
            hint="copy or download it again",
        )
    with data.path.open("rb") as file:
        file.seek(data.offset)
        if file.read(len(GZIP_MAGIC)) == GZIP_MAGIC:
            file.seek(data.offset)
            stream = ByteStream(file, where=where)
            stream.skip(declared)
            stream.finish()


def _check_numbers(reader: sitk.ImageFileReader, *, where: str, is_layered: bool) -> None:
    components = reader.GetNumberOfComponents()
    if (components != 1 and not is_layered) or "complex" in sitk.GetPixelIDValueAsString(
        reader.GetPixelID()
    ):
        raise NotCtError(
            "holds several numbers per voxel",
            where=where,
            found=f"{components} x {sitk.GetPixelIDValueAsString(reader.GetPixelID())}",
            wanted="one real number per voxel",
        )


def _affine_ras(image: sitk.Image) -> NDArray[np.float64]:
    """Index to RAS+ of a three-dimensional image, or of a longer one with single frames."""
    n = image.GetDimension()
    direction = np.array(image.GetDirection(), np.float64).reshape(n, n)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    placed: NDArray[np.float64] = LPS_TO_RAS @ affine
    return placed


def _segments(reader: sitk.ImageFileReader, *, where: str) -> tuple[SlicerSegment, ...]:
    """The segments of a 3D Slicer segmentation (``.seg.nrrd``)."""
    metadata = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    return find_segments(metadata, layers=reader.GetNumberOfComponents(), where=where)


def _last_line(error: RuntimeError, path: Path) -> str:
    """What SimpleITK says, without where the file really lies."""
    return str(error).strip().splitlines()[-1].replace(str(path), "the file")[:200]
