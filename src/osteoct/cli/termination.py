"""SIGTERM ends a command like Ctrl-C does: whatever was begun is taken back on the way out."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_TERMINATED = 143
"""128 + 15, as shells report it."""


@contextmanager
def taking_back_on_sigterm() -> Iterator[None]:
    """Turn SIGTERM into an exit that runs every clean-up, and restore the old way afterwards.

    Batch systems end a job with SIGTERM; without this a half-written folder would stay behind.
    Signals reach the main thread only, so elsewhere nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of handlers
    raise SystemExit(EXIT_TERMINATED)
