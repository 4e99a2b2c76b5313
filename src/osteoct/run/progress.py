"""How far a batch is: what a screen, a log or a machine is told while it runs."""

from __future__ import annotations

from collections import deque
from typing import Final

from pydantic import Field

from osteoct.record import Record
from osteoct.run.records import State

_WINDOW_S: Final = 600.0
"""The rate is that of the last ten minutes: a batch slows down and speeds up with its cases."""


class RunProgress(Record):
    """A moment of a run.

    Parameters
    ----------
    counts
        Cases of the whole store by state.
    finished
        Cases that this run brought to an end.
    running
        Case by worker.
    rate_per_s
        Cases that end per second of late; ``None`` before two have ended.
    seconds_left
        Estimate for what is pending and running.
    """

    counts: dict[State, int]
    finished: int = Field(ge=0)
    running: dict[str, str] = Field(default_factory=dict)
    workers: int = Field(ge=0)
    elapsed_s: float = Field(ge=0)
    rate_per_s: float | None = None
    seconds_left: float | None = None
    dashboard: str | None = None

    @property
    def total(self) -> int:
        """All cases of the store."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Cases that are not over."""
        return sum(n for state, n in self.counts.items() if not state.is_over)


class Pace:
    """Counts what ends, and how fast of late."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._ends: deque[float] = deque()
        self.finished = 0

    def count(self, now: float) -> None:
        """One more case ended."""
        self.finished += 1
        self._ends.append(now)
        while self._ends and self._ends[0] < now - _WINDOW_S:
            self._ends.popleft()

    def rate(self, now: float) -> float | None:
        """Cases per second since the start or within the window, whichever is shorter."""
        if len(self._ends) < 2:  # noqa: PLR2004 - one end tells no rate
            return None
        span = now - max(self._began, now - _WINDOW_S)
        return len(self._ends) / span if span > 0 else None

    def elapsed(self, now: float) -> float:
        """Seconds since the start."""
        return now - self._began
