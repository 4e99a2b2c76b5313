"""Ctrl-C ends a run in order, and a second one at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from osteoct.cli.words import say


class Stoppable(Protocol):
    """What can be asked to end."""

    def request_stop(self) -> None:
        """Begin nothing more; called from a signal's handler, so it only takes note."""
        ...


@contextmanager
def stopping() -> Iterator[tuple[Callable[[Stoppable], None], Callable[[], bool]]]:
    """Let Ctrl-C end a run in order; a second one ends it at once."""
    held: list[Stoppable] = []
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)
        say("ending after the cases in work; Ctrl-C again ends at once")
        for coordinator in held:
            coordinator.request_stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield held.append, lambda: bool(stopped)
    finally:
        signal.signal(signal.SIGINT, before)
