"""Addresses of object stores beside paths, through fsspec; credentials lie in the environment."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from osteoct.errors import DependencyError, OsteoctError, OutputError, UnreadableInputError
from osteoct.io.archive import MAX_TOTAL_BYTES

_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_SPARE_BYTES: Final = 2**30
"""Disk space that a download leaves: the result of the case and other programs need some."""

_CONNECT_S, _READ_S = 10, 60
"""A store in reach answers in a second; a slow one sends something once a minute."""

_S3_OPTIONS: Final[dict[str, Any]] = {
    "config_kwargs": {"connect_timeout": _CONNECT_S, "read_timeout": _READ_S},
}


def is_remote(place: str) -> bool:
    """Whether a place is an address such as ``s3://bucket/key`` rather than a path.

    >>> is_remote("s3://scans/1.zip"), is_remote("/scans/1.zip"), is_remote("C:/scans")
    (True, False, False)
    """
    return _ADDRESS.match(place) is not None


def connect(address: str) -> tuple[Any, str]:
    """Return the file system of an address and the name of the address there.

    Nothing of it is kept in memory: listings of an archive would fill it, and grow stale.

    Raises
    ------
    DependencyError
        fsspec or the package for this kind of address is missing.
    UnreadableInputError
        There is no such kind of address.
    """
    try:
        import fsspec  # noqa: PLC0415 -- object stores alone need it

        is_s3 = address.lower().startswith(("s3://", "s3a://"))
        system, name = fsspec.core.url_to_fs(
            address, use_listings_cache=False, **(_S3_OPTIONS if is_s3 else {})
        )
    except ImportError as error:
        raise DependencyError(
            "object stores need a package",
            found=str(error.name or error),
            hint="pip install 'osteoct[s3]'",
        ) from error
    except ValueError as error:
        raise UnreadableInputError(
            "unknown kind of address", found=address.partition("://")[0], wanted="such as s3://…"
        ) from error
    return system, str(name).rstrip("/")


@contextmanager
def reaching(what: str, kind: type[OsteoctError]) -> Iterator[None]:
    """Turn what an object store answers into one failure.

    Only the kind of the answer is told: its text may hold names of objects, and of accounts.
    """
    try:
        yield
    except OsteoctError:
        raise
    except _answers() as error:
        raise kind(
            what,
            found=_kind_of(error),
            wanted="an object store that answers, and the right to use it",
        ) from error


def download(address: str, target: Path) -> Path:
    """Fetch an object, or all objects below a prefix; return where they are.

    Parameters
    ----------
    target
        A path without suffix; an object becomes a file with its own suffix, a prefix a folder.

    Raises
    ------
    UnreadableInputError
        It is not there, the store cannot be reached, or it is larger than an input may be.
    OutputError
        The disk of this machine has no room for it.
    DependencyError
        fsspec or the package for this kind of address is missing.
    """
    system, name = connect(address)
    with reaching("cannot be fetched", UnreadableInputError):
        found = _objects(system, name)
        _check_room(found, target.parent)
        if len(found) == 1 and found[0]["name"] == name:
            path = target.with_name(target.name + _suffix(address))
            _fetch(system, name, path)
            return path
        for entry in found:
            path = target / str(entry["name"]).removeprefix(name).lstrip("/")
            _check_inside(path, target)
            path.parent.mkdir(parents=True, exist_ok=True)
            _fetch(system, entry["name"], path)
    return target


def _objects(system: Any, name: str) -> Sequence[dict[str, Any]]:  # noqa: ANN401 -- fsspec loads late
    """The object of a name, or those below it."""
    found = system.find(name, detail=True)
    entries = [entry for entry in found.values() if entry["type"] == "file"]
    if not entries:
        raise FileNotFoundError(name)
    return entries


def _fetch(system: Any, name: str, path: Path) -> None:  # noqa: ANN401 -- fsspec loads late
    """One object in pieces; a broken one is not left behind."""
    try:
        system.get_file(name, str(path))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _check_room(entries: Sequence[dict[str, Any]], folder: Path) -> None:
    """Refuse what an input may not be, or what the disk cannot hold, before the first byte."""
    size = sum(int(entry.get("size") or 0) for entry in entries)
    if size > MAX_TOTAL_BYTES:
        raise UnreadableInputError(
            "is too large", found=f"{size} bytes", wanted=f"at most {MAX_TOTAL_BYTES}"
        )
    free = shutil.disk_usage(folder).free
    if size + _SPARE_BYTES > free:
        raise OutputError(
            "no room to fetch the input",
            found=f"{free} bytes free",
            wanted=f"{size + _SPARE_BYTES}",
            hint="free some space, or name another folder in TMPDIR",
        )


def _check_inside(path: Path, folder: Path) -> None:
    """Refuse an object whose name would leave the folder."""
    if ".." in path.relative_to(folder).parts:
        raise UnreadableInputError("holds a name that leaves its folder", found="'..'")


def _answers() -> tuple[type[BaseException], ...]:
    """What the packages at work raise where a store is gone, refuses or sends rubbish."""
    kinds: list[type[BaseException]] = [OSError, ValueError, TimeoutError]
    try:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- of s3fs

        kinds += [BotoCoreError, ClientError]
    except ImportError:
        pass
    try:
        from aiohttp import ClientError as HttpError  # noqa: PLC0415 -- of s3fs and others

        kinds.append(HttpError)
    except ImportError:
        pass
    return tuple(kinds)


def _kind_of(error: BaseException) -> str:
    """Name of the answer, with the system's own word where it has one."""
    word = getattr(error, "strerror", None) if isinstance(error, OSError) else None
    is_plain = isinstance(word, str) and "/" not in word and ":" not in word
    return f"{type(error).__name__} ({word})" if is_plain else type(error).__name__


def _suffix(address: str) -> str:
    """All of ``.nii.gz``, or the last suffix."""
    name = address.rstrip("/").rsplit("/", 1)[-1].lower()
    return ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix
