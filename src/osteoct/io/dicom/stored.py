"""Stored pixel values of one slice, uncompressed straight from the file, compressed by decoder."""

from __future__ import annotations

import struct
import sys
from io import BufferedReader
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from osteoct.errors import UnreadableInputError
from osteoct.io.dicom import tags
from osteoct.io.dicom.elements import PARSE_ERRORS
from osteoct.io.dicom.headers import PixelLayout, Slice

NATIVE = frozenset({"", ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian})
"""Syntaxes whose pixels lie in the file as they are; none at all means no file meta group."""

_PIXEL_DATA = (0x7FE0, 0x0010)
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset({b"OB", b"OW", b"UN", b"OV", b"OL"})
_BITS = (8, 16, 32)
_ITEM = 0xFFFEE000
_END_OF_ITEMS = 0xFFFEE0DD
_ITEM_HEADER_BYTES = 8


class StoredReader:
    """Reads stored values slice by slice; keeps the last decoded multi-slice file open in memory.

    Values come as the file's own integer type, sign-extended and freed of bits above BitsStored.
    """

    def __init__(self) -> None:
        self._inflated: tuple[Slice, NDArray[Any]] | None = None

    def read_into(self, slice_: Slice, plane: NDArray[Any]) -> None:
        """Fill ``plane`` (rows, columns; of :func:`stored_type`) with a slice's stored values.

        Raises
        ------
        UnreadableInputError
            Pixel data missing, truncated, or of an encoding that cannot be decoded.
        """
        layout = slice_.image.layout
        check_layout(slice_)
        try:
            if layout.transfer_syntax in NATIVE:
                _read_native(slice_, plane)
            elif layout.transfer_syntax == DeflatedExplicitVRLittleEndian:
                plane[...] = self._inflated_frames(slice_)[slice_.frame]
            else:
                plane[...] = _decode(slice_)
        except UnreadableInputError:
            raise
        except PARSE_ERRORS as error:
            raise _unreadable(slice_, f"{type(error).__name__} while decoding") from None
        _clean_bits(plane, layout)

    def _inflated_frames(self, slice_: Slice) -> NDArray[Any]:
        """All frames of a deflated file."""
        if self._inflated is None or self._inflated[0].image is not slice_.image:
            layout = slice_.image.layout
            dataset = dcmread(slice_.image.path, specific_tags=list(tags.PIXEL_TAGS))
            values = np.frombuffer(dataset.PixelData, dtype=stored_type(layout).newbyteorder("<"))
            count = layout.frames * layout.rows * layout.columns
            if values.size < count:
                raise _unreadable(slice_, f"{values.size} of {count} pixels")
            shape = (layout.frames, layout.rows, layout.columns)
            self._inflated = (slice_, values[:count].reshape(shape))
        return self._inflated[1]


def stored_type(layout: PixelLayout) -> np.dtype[Any]:
    """Integer type of the stored values, in the machine's byte order."""
    return np.dtype(f"{'i' if layout.is_signed else 'u'}{layout.bits_allocated // 8}")


def check_layout(slice_: Slice) -> None:
    """Refuse pixel layouts that no CT has."""
    layout = slice_.image.layout
    fits = 0 < layout.bits_stored <= layout.high_bit + 1 <= layout.bits_allocated
    if layout.bits_allocated not in _BITS or not fits:
        found = f"{layout.bits_allocated} allocated, {layout.bits_stored} stored"
        raise UnreadableInputError(
            "pixel layout is not supported",
            where=slice_.image.where,
            found=f"{found}, high bit {layout.high_bit}",
            wanted="8, 16 or 32 bits allocated",
        )


def _unreadable(slice_: Slice, found: str) -> UnreadableInputError:
    """The failure for pixels that are not there."""
    return UnreadableInputError(
        "pixel data missing, truncated or not decodable",
        where=slice_.image.where,
        found=found,
        wanted=f"{slice_.shape[0]} × {slice_.shape[1]} pixels",
        hint="Copy or export the series again.",
    )


def _read_native(slice_: Slice, plane: NDArray[Any]) -> None:
    """Read uncompressed pixels straight into ``plane``."""
    layout = slice_.image.layout
    if layout.offset is None:
        raise _unreadable(slice_, "no pixel data")
    with slice_.image.path.open("rb") as file:
        file.seek(layout.offset)
        length = _value_length(file, layout)
        needed = plane.nbytes * (slice_.frame + 1)
        if length is None or length < needed:
            raise _unreadable(slice_, "no pixel data" if length is None else f"{length} bytes")
        file.seek(plane.nbytes * slice_.frame, 1)
        got = file.readinto(plane.reshape(-1).view(np.uint8).data)
    if got != plane.nbytes:
        raise _unreadable(slice_, f"{got} of {plane.nbytes} bytes")
    if layout.is_little_endian != (sys.byteorder == "little"):
        plane.byteswap(inplace=True)


def _value_length(file: BufferedReader, layout: PixelLayout) -> int | None:
    """Read the header of the pixel data element; the file then stands at the first pixel."""
    order = "<" if layout.is_little_endian else ">"
    start = file.read(8)
    if len(start) < 8:  # noqa: PLR2004 - tag and length
        return None
    if struct.unpack(f"{order}HH", start[:4]) != _PIXEL_DATA:
        return None
    if layout.is_implicit:
        (length,) = struct.unpack(f"{order}I", start[4:])
    elif start[4:6] in _LONG_VRS:
        (length,) = struct.unpack(f"{order}I", file.read(4))
    else:
        (length,) = struct.unpack(f"{order}H", start[6:])
    return None if length == _UNDEFINED else int(length)


def _decode(slice_: Slice) -> NDArray[Any]:
    """Decode one compressed frame."""
    if slice_.image.layout.offset is None:
        raise _unreadable(slice_, "no pixel data")
    _check_fragments(slice_)
    dataset = dcmread(slice_.image.path, specific_tags=list(tags.PIXEL_TAGS), force=True)
    decoder = get_decoder(UID(slice_.image.layout.transfer_syntax))
    values: NDArray[Any] = decoder.as_array(dataset, index=slice_.frame, raw=True)[0]
    return values


def _check_fragments(slice_: Slice) -> None:
    """Refuse compressed pixels whose fragments end beyond the file: decoders fill in silently."""
    layout = slice_.image.layout
    size = slice_.image.path.stat().st_size
    with slice_.image.path.open("rb") as file:
        file.seek(layout.offset or 0)
        file.seek(12, 1)
        while start := file.read(_ITEM_HEADER_BYTES):
            if len(start) < _ITEM_HEADER_BYTES:
                raise _unreadable(slice_, "file ends within a fragment")
            group, element, length = struct.unpack("<HHI", start)
            if (group << 16 | element) == _END_OF_ITEMS:
                return
            if (group << 16 | element) != _ITEM or file.tell() + length > size:
                raise _unreadable(slice_, "file ends within a fragment")
            file.seek(length, 1)


def _clean_bits(plane: NDArray[Any], layout: PixelLayout) -> None:
    """Take out what lies beside the stored bits (old overlays) and extend the sign, in place."""
    above = layout.bits_allocated - 1 - layout.high_bit
    spare = layout.bits_allocated - layout.bits_stored
    if spare == 0:
        return
    if layout.is_signed:
        limit = 1 << (layout.bits_stored - 1)
        is_clean = -limit <= int(plane.min()) and int(plane.max()) < limit
    else:
        is_clean = int(plane.max()) < 1 << layout.bits_stored
    if above == spare and is_clean:
        return
    np.left_shift(plane, above, out=plane)
    np.right_shift(plane, spare, out=plane)
