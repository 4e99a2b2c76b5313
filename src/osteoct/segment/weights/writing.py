"""What can go wrong when weights are written, in one clear message each."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteoct.errors import OutputError, SegmenterUnavailableError
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.size import in_words

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def writing(place: WeightsFolder) -> Iterator[None]:
    """Turn what the operating system says of a folder of weights into our own failure.

    Only for blocks that read no network: what that says has another meaning.

    Raises
    ------
    SegmenterUnavailableError
        The folder cannot be written, or the disk is full.
    """
    try:
        yield
    except (OSError, OutputError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        if number in _NO_SPACE:
            raise no_space(place, needed_bytes=None) from error
        raise SegmenterUnavailableError(
            "the folder of the weights cannot be written",
            where=place.shown,
            found=os.strerror(number) if number else type(error).__name__,
            hint=f"make it writable, or name another folder in {place.variable}",
        ) from error


def check_space(place: WeightsFolder, needed_bytes: int) -> None:
    """Raise if the disk of a folder holds less than is needed.

    Raises
    ------
    SegmenterUnavailableError
        With the space that is free and the space that is needed.
    """
    if free_bytes(place) < needed_bytes:
        raise no_space(place, needed_bytes=needed_bytes)


def free_bytes(place: WeightsFolder) -> int:
    """Return the space free on the disk of a folder that need not exist yet."""
    return shutil.disk_usage(_existing(place.path)).free


def no_space(place: WeightsFolder, *, needed_bytes: int | None) -> SegmenterUnavailableError:
    """Return the failure of a full disk."""
    return SegmenterUnavailableError(
        "no space for the weights",
        where=place.shown,
        found=f"{in_words(free_bytes(place))} free",
        wanted="more room" if needed_bytes is None else in_words(needed_bytes),
        hint=(
            f"free some space, or name a folder on another disk in {place.variable}; what has "
            "arrived is kept, the next fetch goes on from there"
        ),
    )


def _existing(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(p for p in (path, *path.parents) if p.is_dir())
