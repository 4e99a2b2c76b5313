"""Headers as a few hundred bytes: read once from a file, kept aside, judged later.

Whoever plans a large archive cannot hold every header in memory, and must not read it twice. What
was parsed is written down value by value, as it stood in the file, so that the header that comes
back is the header that was read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.tag import BaseTag

from osteoct.io.dicom.headers import Encoding, ImageHeader, make_header

_FAST: Final = 1
"""Of zlib: headers are small and many."""

_HEAD = struct.Struct("<BHH")
_ELEMENT = struct.Struct("<IB2sI")
_IMPLICIT, _LITTLE, _WITHOUT_VALUE = 1, 2, 4
_PARSED = b"\0\0"
"""Stands for the value representation of a sequence that was parsed while the file was read."""

_COMMON = b"""ORIGINAL\\PRIMARY\\AXIAL 1.2.840.10008.1.2.1 1.2.840.10008.5.1.4.1.1.2 SIEMENS
GE MEDICAL SYSTEMS PHILIPS TOSHIBA CANON ABDOMEN MONOCHROME2 1\\0\\0\\0\\1\\0 ISO_IR 100 -1024 HU"""
"""What most headers hold; the compressor knows it beforehand."""


def pack_header(image: ImageHeader) -> bytes:
    """The header of an image as bytes; holds identifiers, as the file does."""
    syntax = image.encoding.transfer_syntax.encode("latin-1", "replace")
    media = image.encoding.media_class.encode("latin-1", "replace")
    encoding = image.encoding
    flags = _flags(is_implicit=encoding.is_implicit, is_little=encoding.is_little_endian)
    parts = [_HEAD.pack(flags, len(syntax), len(media)), syntax, media]
    for element in image.elements.each():
        parts.extend(_packed(element, image.encoding))
    squeezer = zlib.compressobj(_FAST, zdict=_COMMON)
    return squeezer.compress(b"".join(parts)) + squeezer.flush()


def unpack_header(packed: bytes, *, path: Path, where: str) -> ImageHeader:
    """The header that :func:`pack_header` packed; where its pixels begin is not kept.

    Parameters
    ----------
    path, where
        What the header is to call its file.
    """
    data = zlib.decompressobj(zdict=_COMMON).decompress(packed)
    flags, syntax_size, media_size = _HEAD.unpack_from(data)
    syntax_end = _HEAD.size + syntax_size
    encoding = Encoding(
        transfer_syntax=data[_HEAD.size : syntax_end].decode("latin-1"),
        media_class=data[syntax_end : syntax_end + media_size].decode("latin-1"),
        is_implicit=bool(flags & _IMPLICIT),
        is_little_endian=bool(flags & _LITTLE),
    )
    dataset = Dataset()
    for element in _unpacked(data, syntax_end + media_size, encoding):
        dataset._dict[element.tag] = element  # noqa: SLF001 - a raw element, as parsing leaves it
    return make_header(dataset, encoding, path=path, where=where, offset=None)


def _flags(*, is_implicit: bool, is_little: bool, has_value: bool = True) -> int:
    implicit, little = _IMPLICIT * is_implicit, _LITTLE * is_little
    return implicit | little | (0 if has_value else _WITHOUT_VALUE)


def _packed(element: RawDataElement | DataElement, encoding: Encoding) -> tuple[bytes, bytes]:
    """Head and value of one element."""
    if isinstance(element, DataElement):
        value = _written(element, encoding)
        return _ELEMENT.pack(int(element.tag), 0, _PARSED, len(value)), value
    value = element.value or b""
    flags = _flags(
        is_implicit=element.is_implicit_VR,
        is_little=element.is_little_endian,
        has_value=element.value is not None,
    )
    vr = (element.VR or "  ").encode("ascii")
    return _ELEMENT.pack(int(element.tag), flags, vr, len(value)), value


def _written(element: DataElement, encoding: Encoding) -> bytes:
    """A parsed sequence in the encoding of its file; raw values inside stay as they are."""
    buffer = DicomBytesIO()
    buffer.is_little_endian = encoding.is_little_endian
    buffer.is_implicit_VR = encoding.is_implicit
    dataset = Dataset()
    dataset.set_original_encoding(encoding.is_implicit, encoding.is_little_endian)
    dataset[element.tag] = element
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def _unpacked(
    data: bytes, start: int, encoding: Encoding
) -> Iterator[RawDataElement | DataElement]:
    """The elements, raw as they were."""
    while start < len(data):
        number, flags, vr, size = _ELEMENT.unpack_from(data, start)
        start += _ELEMENT.size
        value = data[start : start + size]
        start += size
        tag = BaseTag(number)
        if vr == _PARSED:
            parsed = read_dataset(BytesIO(value), encoding.is_implicit, encoding.is_little_endian)
            yield parsed[tag]
            continue
        yield RawDataElement(
            tag,
            None if vr == b"  " else vr.decode("ascii"),
            size,
            None if flags & _WITHOUT_VALUE else value,
            0,
            bool(flags & _IMPLICIT),
            bool(flags & _LITTLE),
        )
