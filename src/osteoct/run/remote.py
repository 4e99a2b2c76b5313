"""Addresses of object stores beside paths, by fsspec; credentials come from the environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from osteoct.errors import DependencyError, UnreadableInputError

_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def is_remote(place: str) -> bool:
    """Whether a place is an address such as ``s3://bucket/key`` rather than a path.

    >>> is_remote("s3://scans/1.zip"), is_remote("/scans/1.zip"), is_remote("C:/scans")
    (True, False, False)
    """
    return _ADDRESS.match(place) is not None


def download(address: str, target: Path) -> Path:
    """Fetch one object into a file that keeps its suffix; return its path.

    Raises
    ------
    UnreadableInputError
        It is not there, or the store cannot be reached.
    DependencyError
        fsspec or the package for this kind of address is missing.
    """
    import fsspec  # noqa: PLC0415 -- object stores alone need it

    path = target.with_name(target.name + _suffix(address))
    try:
        system, name = fsspec.core.url_to_fs(address)
        system.get_file(name, str(path))
    except ImportError as error:
        raise DependencyError(
            "object stores need a package",
            found=str(error.name or error),
            hint="pip install 'osteoct[s3]'",
        ) from error
    except (OSError, ValueError) as error:
        raise UnreadableInputError("cannot be fetched", found=type(error).__name__) from error
    return path


def _suffix(address: str) -> str:
    """All of ``.nii.gz``, or the last suffix."""
    name = address.rstrip("/").rsplit("/", 1)[-1].lower()
    return ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix
