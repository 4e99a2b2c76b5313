"""Header values straight from their bytes.

pydicom's own conversion validates, warns with the offending text (which may be a name) and costs
more than the parsing. The few value types needed here are simple, so they are decoded from the raw
element, and what cannot be decoded is absent.
"""

from __future__ import annotations

import logging
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue

PARSE_ERRORS = (
    InvalidDicomError,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    zlib.error,
    AttributeError,
    KeyError,
    TypeError,
    IndexError,
    RuntimeError,
    OverflowError,
    MemoryError,
)
"""What pydicom and its decoders raise on damaged files."""

SPECIFIC_CHARACTER_SET = 0x00080005
_DELIMITERS = {ord(c) for c in "\n\r\t\f\\"}


@contextmanager
def quietly() -> Iterator[None]:
    """Keep pydicom's warnings and log lines in: they quote header values."""
    logger = logging.getLogger("pydicom")
    was_disabled = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = was_disabled


class Elements:
    """The elements of one data set, decoded on demand; absent and undecodable are the same."""

    __slots__ = ("_dataset",)

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def _element(self, tag: int) -> RawDataElement | DataElement | None:
        """An element as it was parsed."""
        found = self._dataset.get_item(tag, keep_deferred=True)
        return found if isinstance(found, (RawDataElement, DataElement)) else None

    def each(self) -> Iterator[RawDataElement | DataElement]:
        """Every element as it was parsed, in the order of the tags."""
        for tag in sorted(self._dataset.keys()):
            element = self._element(int(tag))
            if element is not None:
                yield element

    def raw(self, tag: int) -> bytes:
        """Bytes of a value without padding; empty where there are none."""
        element = self._element(tag)
        value = None if element is None else element.value
        return value.strip(b" \0") if isinstance(value, bytes) else _bytes_of(value)

    def text(self, tag: int) -> str | None:
        """One string of the basic character set."""
        return self.raw(tag).decode("latin-1").strip() or None

    def texts(self, tag: int) -> tuple[str, ...]:
        """The values of a multi-valued string, empty ones left out."""
        values = self.raw(tag).decode("latin-1").split("\\")
        return tuple(v.strip(" \0") for v in values if v.strip(" \0"))

    def words(self, tag: int) -> str:
        """Free text in the data set's character set; empty where absent."""
        names = self.texts(SPECIFIC_CHARACTER_SET)
        if not names:
            return _decoded_without_charset(self.raw(tag))
        try:
            with quietly():
                encodings = convert_encodings(list(names))
                return decode_bytes(self.raw(tag), encodings, _DELIMITERS)
        except (LookupError, ValueError):
            return _decoded_without_charset(self.raw(tag))

    def numbers(self, tag: int) -> tuple[float, ...]:
        """The finite values of a decimal or integer string, or of a binary float; else empty."""
        element = self._element(tag)
        if element is not None and element.VR in {"FD", "FL"} and isinstance(element.value, bytes):
            return _floats(element.value, element.VR, _order(element))
        try:
            values = tuple(float(v) for v in self.raw(tag).split(b"\\") if v.strip(b" \0"))
        except ValueError:
            return ()
        return values if all(math.isfinite(v) for v in values) else ()

    def number(self, tag: int) -> float | None:
        """The first value of :meth:`numbers`."""
        return next(iter(self.numbers(tag)), None)

    def short(self, tag: int, *, is_signed: bool = False) -> int | None:
        """A 16-bit (or 32-bit) binary integer."""
        element = self._element(tag)
        value = None if element is None else element.value
        if isinstance(value, bytes) and len(value) in {2, 4}:
            return int.from_bytes(value, _order(element), signed=is_signed)
        return value if isinstance(value, int) else None

    def items(self, tag: int) -> list[Elements]:
        """The items of a sequence; empty where there is none."""
        if tag not in self._dataset:
            return []
        with quietly():
            value = self._dataset[tag].value
        return [Elements(item) for item in value or () if isinstance(item, Dataset)]

    def within(self, tag: int) -> Elements:
        """The first item of a sequence; an empty one where there is none."""
        return next(iter(self.items(tag)), NOTHING)


NOTHING = Elements(Dataset())


def _order(element: RawDataElement | DataElement | None) -> Literal["little", "big"]:
    """Byte order of a raw element."""
    is_big = isinstance(element, RawDataElement) and not element.is_little_endian
    return "big" if is_big else "little"


def _floats(value: bytes, vr: str, order: Literal["little", "big"]) -> tuple[float, ...]:
    """The finite values of a binary float element."""
    size, code = (8, "d") if vr == "FD" else (4, "f")
    if not value or len(value) % size:
        return ()
    prefix = "<" if order == "little" else ">"
    values = struct.unpack(f"{prefix}{len(value) // size}{code}", value)
    return values if all(math.isfinite(v) for v in values) else ()


def _bytes_of(value: object) -> bytes:
    """A value that pydicom has converted already, as DICOM would spell it."""
    if value is None:
        return b""
    parts = value if isinstance(value, (list, tuple, MultiValue)) else (value,)
    return "\\".join(str(v) for v in parts).encode("utf-8", "replace").strip(b" \0")


def _decoded_without_charset(value: bytes) -> str:
    """Text whose character set is not declared: UTF-8 if it is, Latin-1 otherwise."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
