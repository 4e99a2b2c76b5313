"""Content hashes: the same data give the same hash under any name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from osteoct.errors import UnreadableInputError


def sha256_of(path: Path | str) -> str:
    """Return the SHA-256 of a file, or of a folder's contents.

    A folder's hash is the hash over the sorted hashes of its files (at any depth): it does not
    depend on names, order or folders, so a series that was copied or renamed keeps it.

    Raises
    ------
    UnreadableInputError
        Missing, or a file that cannot be read.
    """
    path = Path(path)
    try:
        if not path.is_dir():
            return _of_file(path)
        parts = sorted(_of_file(file) for file in path.rglob("*") if file.is_file())
    except OSError as error:
        raise UnreadableInputError(
            "cannot be read", where=str(path), found=error.strerror
        ) from error
    return hashlib.sha256("".join(f"{part}\n" for part in parts).encode()).hexdigest()


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
