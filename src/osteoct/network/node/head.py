"""The few values that decide about a received object, read within bounds.

A library reads what a header holds: values of any length, sequences of any depth, as many elements
as there are, and it inflates what says that it is deflated. What that costs is the sender's choice.
Here elements are walked over one after the other (DICOM PS3.5, 7.1 and 7.5), and what is not wanted
is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO, Final

from osteoct.network.node.refusals import Refusal, RefusedError

LONGEST_VALUE_BYTES: Final = 1024
MOST_ELEMENTS: Final = 500_000
MOST_DEPTH: Final = 64
"""Chosen: frames of an enhanced CT have some 70 elements and ends of sequences, at most 6 deep; a
value that is looked at has 64 signs."""

_META_AT: Final = 132
"""Where the file's own group begins: after 128 bytes and ``DICM`` (PS3.10, 7.1)."""

_SYNTAX: Final = 0x00020010
_FIRST_GROUP: Final = 0x0008
"""Of a data set; a lower one would pass for the file's own group, and change how it is read."""

_PIXELS: Final = 0x7FE00000
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED: Final = 0xFFFFFFFF
_LONG: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""Value representations whose length takes four bytes (PS3.5, table 7.1-1)."""

IMPLICIT: Final = "1.2.840.10008.1.2"


@dataclass(frozen=True, kw_only=True)
class Head:
    """What was found.

    Parameters
    ----------
    values
        Of the wanted elements at the top, as they are written.
    pixels_at
        Where the first byte after the head of the pixel element is; ``None`` without one.
    """

    syntax: str
    values: dict[int, bytes]
    pixels_at: int | None

    def text(self, tag: int) -> str:
        """A text without its padding; empty where there is none."""
        return self.values.get(tag, b"").decode("latin-1").strip("\0 ")

    def short(self, tag: int) -> int:
        """An unsigned short; 0 where there is none."""
        value = self.values.get(tag, b"")
        return int.from_bytes(value, "little") if len(value) == 2 else 0  # noqa: PLR2004

    def count(self, tag: int) -> int | None:
        """A number in digits."""
        text = self.text(tag)
        return int(text) if text.isascii() and text.isdigit() else None


def read_head(file: BinaryIO, wanted: Collection[int]) -> Head:
    """Walk over a file of this node to its pixels.

    Raises
    ------
    RefusedError
        It is damaged, or holds more than an image has.
    """
    try:
        begin, syntax = _read_meta(file)
        file.seek(begin)
        values, pixels_at = _Walk(file, wanted, is_implicit=syntax == IMPLICIT).run()
    except struct.error:
        raise RefusedError(Refusal.DAMAGED) from None
    return Head(syntax=syntax, values=values, pixels_at=pixels_at)


def _read_meta(file: BinaryIO) -> tuple[int, str]:
    """Where the data set begins, and its transfer syntax: the file's own group says its length."""
    file.seek(_META_AT)
    tag, length = _tag(file.read(4)), file.read(8)
    if tag != 0x00020000 or length[:4] != b"UL\x04\x00":  # noqa: PLR2004
        raise RefusedError(Refusal.DAMAGED)
    size = int.from_bytes(length[4:], "little")
    if size > LONGEST_VALUE_BYTES:
        raise RefusedError(Refusal.DAMAGED)
    begin = _META_AT + 12 + size
    syntax = ""
    while file.tell() < begin:
        tag, _, length_of = _explicit(file)
        value = file.read(min(length_of, LONGEST_VALUE_BYTES))
        if tag == _SYNTAX:
            syntax = value.decode("latin-1").strip("\0 ")
    if not syntax or file.tell() != begin:
        raise RefusedError(Refusal.DAMAGED)
    return begin, syntax


def _tag(four: bytes) -> int:
    group, element = struct.unpack("<HH", four)
    return int(group) << 16 | int(element)


def _explicit(file: BinaryIO) -> tuple[int, bytes, int]:
    """Tag, value representation and length of an element that names its own."""
    head = file.read(8)
    vr = head[4:6]
    if vr in _LONG:
        return _tag(head[:4]), vr, int(struct.unpack("<L", file.read(4))[0])
    return _tag(head[:4]), vr, int(struct.unpack("<H", head[6:8])[0])


class _Walk:
    """Element after element, with what is open on a stack and not on the program's own."""

    def __init__(self, file: BinaryIO, wanted: Collection[int], *, is_implicit: bool) -> None:
        self._file, self._wanted = file, frozenset(wanted)
        self._open: list[tuple[bool, bool]] = []  # is it a sequence, is its inside implicit
        self._is_implicit = is_implicit
        self._values: dict[int, bytes] = {}

    def run(self) -> tuple[dict[int, bytes], int | None]:
        """The wanted values, and where the pixels begin."""
        for _ in range(MOST_ELEMENTS):
            start = self._file.tell()
            peek = self._file.read(4)
            if not peek and not self._open:
                return self._values, None
            tag = _tag(peek)
            self._file.seek(start)
            if self._open and self._open[-1][0]:
                self._take_item()
            elif tag == _ITEM_END and self._open:
                self._file.seek(8, 1)
                self._open.pop()
            elif self._take(tag):
                return self._values, self._file.tell()
        raise RefusedError(Refusal.DAMAGED)

    def _take_item(self) -> None:
        """Step into an item, over it, or out of its sequence."""
        tag, length = _tag(self._file.read(4)), int(struct.unpack("<L", self._file.read(4))[0])
        if tag == _SEQUENCE_END:
            self._open.pop()
        elif tag != _ITEM:
            raise RefusedError(Refusal.DAMAGED)
        elif length == _UNDEFINED:
            self._enter(is_sequence=False, is_implicit=self._open[-1][1])
        else:
            self._file.seek(length, 1)

    def _take(self, tag: int) -> bool:
        """Read a wanted element, or step over it; whether it is that of the pixels."""
        is_implicit = self._open[-1][1] if self._open else self._is_implicit
        if not self._open and tag >> 16 < _FIRST_GROUP:
            raise RefusedError(Refusal.DAMAGED)
        if is_implicit:
            self._file.seek(4, 1)
            vr, length = b"", int(struct.unpack("<L", self._file.read(4))[0])
        else:
            _, vr, length = _explicit(self._file)
        if not self._open and tag >= _PIXELS:
            return True
        if length == _UNDEFINED:
            # the inside of an unknown element without a length is implicit (PS3.5, 6.2.2)
            self._enter(is_sequence=True, is_implicit=is_implicit or vr == b"UN")
        elif not self._open and tag in self._wanted:
            if length > LONGEST_VALUE_BYTES:
                raise RefusedError(Refusal.DAMAGED)
            self._values[tag] = self._file.read(length)
        else:
            self._file.seek(length, 1)
        return False

    def _enter(self, *, is_sequence: bool, is_implicit: bool) -> None:
        if len(self._open) >= MOST_DEPTH:
            raise RefusedError(Refusal.DAMAGED)
        self._open.append((is_sequence, is_implicit))
