"""Bytes of a file that may be gzip-compressed, read into memory that was asked for beforehand.

Python's ``gzip`` copies every byte twice and inflates as far as it is asked to; here the caller
says how much there should be, and both less and more of it is a failure.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO

from osteoct.errors import UnreadableInputError

GZIP_MAGIC = b"\x1f\x8b"

MAX_DEFLATE_RATIO = 1032
"""The best that deflate can do (zlib's technical notes): a size beyond it is not in the file."""

_CHUNK = 1 << 20
_GZIP_WBITS = 31
_MAX_TRAILING = 16 << 20
"""Bytes after the declared end that are still inflated to reach the checksum."""


class ByteStream:
    """A file read front to back, inflated on the way where it is gzip-compressed."""

    def __init__(self, file: BinaryIO, *, where: str) -> None:
        self._file = file
        self._where = where
        start = file.tell()
        magic = file.read(2)
        file.seek(start)
        self._inflater = zlib.decompressobj(_GZIP_WBITS) if magic == GZIP_MAGIC else None
        self._pending = b""

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes."""
        data = bytearray(count)
        self.fill(memoryview(data))
        return bytes(data)

    def fill(self, view: memoryview) -> None:
        """Fill ``view`` to its end.

        Raises
        ------
        UnreadableInputError
            The file ends before, or its compression is damaged.
        """
        done = 0
        while done < len(view):
            chunk = self._next(len(view) - done)
            if not chunk:
                raise self._truncated(f"{done} of {len(view)} bytes")
            view[done : done + len(chunk)] = chunk
            done += len(chunk)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes, which must be there."""
        while count > 0:
            chunk = self._next(count)
            if not chunk:
                raise self._truncated(f"{count} bytes too few")
            count -= len(chunk)

    def finish(self) -> None:
        """Read to the checksum at the end, which tells a whole file from a damaged one."""
        trailing = 0
        while chunk := self._next(_CHUNK):
            trailing += len(chunk)
            if trailing > _MAX_TRAILING:
                raise UnreadableInputError(
                    "holds more data than its header declares",
                    where=self._where,
                    found=f"more than {trailing} bytes too many",
                    wanted="the declared size",
                )

    def _next(self, limit: int) -> bytes:
        """Up to ``limit`` bytes; none at the proper end."""
        if self._inflater is None:
            return self._file.read(min(limit, _CHUNK))
        try:
            return self._inflate(self._inflater, min(limit, 4 * _CHUNK))
        except zlib.error as error:
            raise UnreadableInputError(
                "is damaged", where=self._where, found=str(error), wanted="intact gzip data"
            ) from error

    def _inflate(self, inflater: zlib._Decompress, limit: int) -> bytes:
        while True:
            if inflater.eof:  # a file may be several gzip members, one after the other
                rest = inflater.unused_data or self._file.read(_CHUNK)
                if not rest.startswith(GZIP_MAGIC[:1]):
                    return b""
                inflater = self._inflater = zlib.decompressobj(_GZIP_WBITS)
                self._pending = rest
            source = inflater.unconsumed_tail or self._pending or self._file.read(_CHUNK)
            self._pending = b""
            if not source:
                raise self._truncated("gzip data without its end")
            data = inflater.decompress(source, limit)
            if data:
                return data

    def _truncated(self, found: str) -> UnreadableInputError:
        return UnreadableInputError(
            "is truncated",
            where=self._where,
            found=found,
            wanted="the whole file",
            hint="copy or download it again",
        )


def check_declared_size(path: Path, declared_bytes: int, *, where: str) -> None:
    """Refuse a size that cannot be in the file, before memory is asked for it.

    Raises
    ------
    UnreadableInputError
        The file is shorter than declared, even at the best compression there is.
    """
    with path.open("rb") as file:
        compressed = file.read(2) == GZIP_MAGIC
    size = path.stat().st_size
    if declared_bytes > size * (MAX_DEFLATE_RATIO if compressed else 1):
        raise UnreadableInputError(
            "is truncated",
            where=where,
            found=f"a file of {size} bytes",
            wanted=f"{declared_bytes} bytes of voxels as the header declares",
            hint="copy or download it again",
        )
