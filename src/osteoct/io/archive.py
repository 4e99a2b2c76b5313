"""Unpacking archives that come from anywhere.

An archive can name files outside its folder, unpack to more than the disk holds, or lie about its
own sizes. Everything is checked before the first byte is written, and the limits are enforced again
on the bytes really written.
"""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from osteoct.errors import UnreadableInputError

MAX_TOTAL_BYTES = 16 * 2**30
"""A long CT is about 1 GB and a whole study rarely 10 GB; 16 GiB still fits common disks."""

MAX_ENTRIES = 100_000
"""A study of ten reconstructions has about 10 000 files."""

MAX_RATIO = 250.0
"""CT packs about 2 to 1, an image of nothing but air below 200 to 1, a bomb 1000 to 1."""

RATIO_FREE_BYTES = 8 * 2**20
"""Below this size the ratio is not judged: a small phantom may pack as well as a bomb."""

_CHUNK_BYTES = 2**20
_ENCRYPTED_FLAG = 0x1
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """How much an archive may unpack to."""

    total_bytes: int = MAX_TOTAL_BYTES
    entries: int = MAX_ENTRIES
    ratio: float = MAX_RATIO
    ratio_free_bytes: int = RATIO_FREE_BYTES


DEFAULT_LIMITS = ArchiveLimits()

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
"""What Python says of an archive that is damaged or packed in a way it does not know."""


def is_archive(path: Path) -> bool:
    """Whether ``path`` is a regular file that starts like a zip archive."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


@contextmanager
def extracted(path: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[Path]:
    """Unpack a zip archive into a temporary folder that is removed afterwards.

    Parameters
    ----------
    path
        The archive.
    limits
        Largest total size, number of entries and compression ratio accepted.

    Yields
    ------
    Path
        The folder that holds the archive's files.

    Raises
    ------
    UnreadableInputError
        Not a zip archive, damaged, encrypted, holding links or paths that leave the folder, or
        above the limits.
    """
    with tempfile.TemporaryDirectory(prefix="osteoct-") as name:
        folder = Path(name)
        try:
            unpack_archive(path, folder, limits)
        except (*DAMAGED, OSError) as error:
            raise UnreadableInputError(
                "archive cannot be unpacked",
                where=str(path),
                found=type(error).__name__,
                wanted="an undamaged zip file and room on the disk",
            ) from None
        yield folder


def unpack_archive(path: Path, folder: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> None:
    """Unpack a zip archive into an existing folder.

    Raises
    ------
    UnreadableInputError
        Encrypted, holding links or paths that leave the folder, or above the limits.
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError
        Not a zip archive, or damaged: :data:`DAMAGED`.
    OSError
        It cannot be read, or the folder cannot be written.
    """
    with zipfile.ZipFile(path) as archive:
        check_entries(archive.infolist(), path, limits)
        _unpack(archive, folder, path, limits)


def check_entries(
    entries: list[zipfile.ZipInfo], path: Path, limits: ArchiveLimits = DEFAULT_LIMITS
) -> None:
    """Refuse an archive by what its directory declares, as unpacking it would.

    Raises
    ------
    UnreadableInputError
        Encrypted, holding links or paths that leave the folder, or above the limits.
    """
    if len(entries) > limits.entries:
        raise _refusal(path, "too many entries", len(entries), f"at most {limits.entries}")
    for number, entry in enumerate(entries, start=1):
        danger = _danger_of(entry)
        if danger:
            raise _refusal(path, "unsafe archive", f"{danger} (entry {number})", "plain files")
    declared = sum(entry.file_size for entry in entries)
    if declared > limits.total_bytes:
        raise _refusal(path, "too large", f"{declared} bytes", f"at most {limits.total_bytes}")


def _danger_of(entry: zipfile.ZipInfo) -> str | None:
    """What makes an entry unsafe to unpack, or ``None``.

    The name is judged as stored: ``zipfile`` cuts names at a NUL and so could hide their end.
    """
    name = entry.orig_filename.replace("\\", "/")
    mode = entry.external_attr >> 16
    kind = stat.S_IFMT(mode)
    dangers = (
        ("\0" in name or not name.strip("/"), "a name that is no file name"),
        (name.startswith("/"), "an absolute path"),
        (_DRIVE.match(name) is not None, "a drive letter"),
        (".." in name.split("/"), "a path that leaves the folder"),
        (kind not in (0, stat.S_IFREG, stat.S_IFDIR), "a link or device"),
        (bool(entry.flag_bits & _ENCRYPTED_FLAG), "an encrypted entry"),
    )
    return next((danger for is_present, danger in dangers if is_present), None)


def _unpack(archive: zipfile.ZipFile, folder: Path, path: Path, limits: ArchiveLimits) -> None:
    """Write every entry, counting the bytes really written."""
    packed = max(path.stat().st_size, 1)
    allowed = min(limits.total_bytes, shutil.disk_usage(folder).free)
    written = 0
    for entry in archive.infolist():
        target = folder.joinpath(*entry.filename.replace("\\", "/").split("/"))
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("xb") as sink:
            while chunk := source.read(_CHUNK_BYTES):
                written += len(chunk)
                if written > allowed:
                    raise _refusal(path, "too large", f"over {allowed} bytes", f"at most {allowed}")
                if written > limits.ratio_free_bytes and written / packed > limits.ratio:
                    raise _refusal(
                        path,
                        "packed too well to be images",
                        f"over {limits.ratio:g} to 1",
                        f"at most {limits.ratio:g} to 1",
                    )
                sink.write(chunk)


def _refusal(path: Path, what: str, found: object, wanted: str) -> UnreadableInputError:
    """The failure for an archive that will not be unpacked."""
    return UnreadableInputError(
        what,
        where=str(path),
        found=found,
        wanted=wanted,
        hint="Unpack it by hand if you trust it, and give the folder.",
    )
