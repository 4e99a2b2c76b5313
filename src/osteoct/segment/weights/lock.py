"""One process at a time writes to a folder of weights."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from osteoct.io.file_lock import try_lock
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.writing import writing

LOCK_FILE: Final = ".osteoct-weights.lock"
"""Stays behind, empty: who deletes a lock may delete another's."""

_LOOK_S: Final = 0.3


@contextmanager
def locked(place: WeightsFolder, tell_waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a folder of weights, which is made where it is missing; wait for who holds it.

    The operating system gives the lock back when a process ends, however it ends.

    Parameters
    ----------
    tell_waiting
        Called once if another process holds it.

    Raises
    ------
    SegmenterUnavailableError
        The folder cannot be written.
    """
    with writing(place):
        place.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(place.path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not try_lock(handle):
            tell_waiting()
            while not try_lock(handle):
                time.sleep(_LOOK_S)
        yield
    finally:
        os.close(handle)
