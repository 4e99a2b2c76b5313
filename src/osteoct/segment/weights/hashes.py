"""Hashes of large files, computed once while a file stays what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from osteoct.io.hashing import sha256_of
from osteoct.segment.weights.ledger import FileRecord

_Signature = tuple[int, int, int, int, int]

_HASHED: Final[dict[Path, tuple[_Signature, str]]] = {}


def hash_once(path: Path) -> str:
    """Return the SHA-256 of a file, read again only if the file system says that it changed.

    A batch hashes its models once, not once per patient. Whatever writes to a file moves its time
    of change, which no program can set.

    Raises
    ------
    UnreadableInputError
        Missing, or it cannot be read.
    """
    try:
        state = path.stat()
    except OSError:
        return sha256_of(path)
    signature = (
        state.st_dev,
        state.st_ino,
        state.st_size,
        state.st_mtime_ns,
        state.st_ctime_ns,
    )
    known = _HASHED.get(path)
    if known is None or known[0] != signature:
        known = (signature, sha256_of(path))
        _HASHED[path] = known
    return known[1]


def hash_folder(folder: Path) -> dict[str, FileRecord]:
    """Return size and SHA-256 of every file below a folder, by its name relative to it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): FileRecord(
            sha256=sha256_of(path), size_bytes=path.stat().st_size
        )
        for path in files
    }
