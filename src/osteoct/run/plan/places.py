"""Files of a folder, one after the other, with what tells them apart later.

No listing is held whole: a folder is read entry by entry, an object store
(:mod:`osteoct.run.plan.object_store`) page by page.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Protocol, TypeAlias
from urllib.parse import urlsplit

from osteoct.errors import ConfigError, UnreadableInputError
from osteoct.run.remote import is_remote

Descend: TypeAlias = Callable[[str], bool]
"""Whether to look into a folder, by its path relative to the root."""

OnError: TypeAlias = Callable[[str], None]
"""Told the relative path of what cannot be walked."""

MEMBER: Final = "zip://"
"""Begins the address of a file inside an archive: ``zip://name::address of the archive``."""


CANNOT_WALK: Final = "a folder that cannot be listed, or a name that is not UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One file, folder or object.

    Parameters
    ----------
    address
        Absolute path or URL: what a worker opens.
    relative
        Path from the root of the tree, with ``/``.
    size
        Bytes; 0 for a folder.
    stamp
        Changes when the content does: the time of the last change in ns, or the object's etag.
    """

    address: str
    relative: str
    size: int
    stamp: str
    is_folder: bool = False


class Tree(Protocol):
    """A folder tree on this machine or in an object store."""

    @property
    def is_remote(self) -> bool:
        """Whether every read goes over a network."""
        ...

    def walk(
        self,
        *,
        descend: Descend | None = None,
        is_one: Descend | None = None,
        on_error: OnError | None = None,
    ) -> Iterator[Place]:
        """Every file below the root in no given order; links to folders are not followed.

        Parameters
        ----------
        descend
            Whether to look into a folder; without it into all.
        is_one
            Whether a folder is one thing, told instead of its files (on this machine only).
        on_error
            Told of folders that cannot be listed and of names that are no UTF-8; without it they
            are failures.
        """
        ...

    def look(self, address: str) -> Place | None:
        """What lies at an address, or at a path relative to the root; ``None`` for nothing."""
        ...

    def open(self, address: str) -> BinaryIO:
        """Open a file to read parts of it."""
        ...


def check_address(address: str) -> str:
    """Return a URL once it is known to hold no secret: it is kept in the ledger.

    Raises
    ------
    ConfigError
        A user name, password, query or fragment; none of them is repeated.
    """
    parts = urlsplit(address.rsplit("::", 1)[-1])
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            "the address may hold a secret",
            where="SOURCE",
            wanted="an address without user, password and query",
            hint="Give credentials in the environment, as the store's own tools take them.",
        )
    return address


class LocalTree:
    """A folder of this machine."""

    is_remote = False

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        if not self._root.is_dir():
            raise UnreadableInputError("is no folder", where=str(root), wanted="a folder")

    def walk(
        self,
        *,
        descend: Descend | None = None,
        is_one: Descend | None = None,
        on_error: OnError | None = None,
    ) -> Iterator[Place]:
        """Every regular file, folder by folder; one open folder per depth is held."""
        levels = [_scan(str(self._root), "", on_error)]
        while levels:
            entry = next(levels[-1], None)
            if entry is None:
                levels.pop()
                continue
            relative = os.path.relpath(entry.path, self._root).replace(os.sep, "/")
            if not _is_text(relative):
                _tell(relative, on_error)
                continue
            if entry.is_dir(follow_symlinks=False):
                place = _local_place(entry.path, relative) if is_one and is_one(relative) else None
                if place is not None:
                    yield place
                elif descend is None or descend(relative):
                    levels.append(_scan(entry.path, relative, on_error))
                continue
            place = _local_place(entry.path, relative)
            if place is not None and not place.is_folder:
                yield place

    def look(self, address: str) -> Place | None:
        """A file or folder, by absolute path or by path from the root."""
        path = self._root / address
        return _local_place(str(path), os.path.relpath(path, self._root).replace(os.sep, "/"))

    def open(self, address: str) -> BinaryIO:
        """Open a file."""
        return Path(address).open("rb")


def _scan(folder: str, relative: str, on_error: OnError | None) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder as the system gives them."""
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        _tell(relative, on_error)


def _tell(relative: str, on_error: OnError | None) -> None:
    """Report what cannot be walked; a failure where nobody listens."""
    if on_error is None:
        raise UnreadableInputError(CANNOT_WALK, wanted="readable folders with names in UTF-8")
    on_error(relative.encode("utf-8", "backslashreplace").decode())


def _is_text(name: str) -> bool:
    """Whether a name can be written into a ledger; old archives hold names in other encodings."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _local_place(path: str, relative: str) -> Place | None:
    """What lies at a path; ``None`` where it is neither file nor folder."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    is_folder = stat.S_ISDIR(found.st_mode)
    if not is_folder and not stat.S_ISREG(found.st_mode):
        return None
    return Place(
        address=path,
        relative=relative,
        size=0 if is_folder else found.st_size,
        stamp=str(found.st_mtime_ns),
        is_folder=is_folder,
    )


def parent_of(address: str) -> str:
    """The folder of an address, a path or a URL.

    >>> parent_of("s3://scans/a/ct.nii.gz"), parent_of("/scans/a/ct.nii.gz")
    ('s3://scans/a', '/scans/a')
    """
    if is_remote(address):
        scheme, _, rest = address.partition("://")
        return f"{scheme}://{rest.rpartition('/')[0]}"
    return str(PurePosixPath(Path(address).as_posix()).parent)
