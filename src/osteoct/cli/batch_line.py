"""What a user, a log or a machine sees of a batch while it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Self

from osteoct.cli.live_line import LiveLine
from osteoct.cli.words import say

if TYPE_CHECKING:
    from osteoct.run.progress import RunProgress

_BAR_SIGNS: Final = 24
_LOG_EVERY_S: Final = 30.0
"""A log is read afterwards: two lines a minute show when a batch slowed down."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class BatchLine(LiveLine):
    """A live bar in a terminal, a plain line now and then elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0
        self._dashboard: str | None = None

    def __call__(self, now: RunProgress) -> None:
        """Show one moment; the engine's own page once, as soon as it has one."""
        if now.dashboard != self._dashboard:
            self._dashboard = now.dashboard
            self.show("")
            say(f"the cluster's own page: {now.dashboard}")
        if self._is_live:
            self.show(f"{draw_bar(now)} {tell_progress(now)}")
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + _LOG_EVERY_S
            say(tell_progress(now))


class PlanningLine(LiveLine):
    """How many files were read for the plan."""

    def __call__(self, files: int) -> None:
        """Show one moment."""
        self.show(f"planning: {files} files read")


class BatchJson:
    """A line of JSON per moment on stderr, for machines."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def __call__(self, now: RunProgress) -> None:
        """Write one moment."""
        sys.stderr.write(now.model_dump_json() + "\n")
        sys.stderr.flush()


class Silence:
    """Tells nothing."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def __call__(self, now: RunProgress) -> None:
        """Tell nothing."""


KINDS: Final[dict[str, Callable[[], BatchLine | BatchJson | Silence]]] = {
    "auto": BatchLine,
    "json": BatchJson,
    "none": Silence,
}


def draw_bar(now: RunProgress) -> str:
    """How much is over, as a bar."""
    share = (now.total - now.left) / now.total if now.total else 1.0
    full = int(share * _BAR_SIGNS)
    return "[" + "#" * full + "." * (_BAR_SIGNS - full) + "]"


def tell_progress(now: RunProgress) -> str:
    """One line: how many of how many, how fast, how long still, and what went wrong."""
    words = [f"{now.total - now.left}/{now.total}"]
    if now.rate_per_s:
        words.append(tell_rate(now.rate_per_s))
    if now.seconds_left is not None and now.left:
        words.append(f"{tell_time(now.seconds_left)} left")
    words.extend(
        f"{count} {state}"
        for state, count in now.counts.items()
        if count and str(state) in {"failed", "set-aside", "refused"}
    )
    if now.running:
        words.append(f"{len(now.running)} of {now.workers} workers busy")
    return ", ".join(words)


def tell_rate(per_s: float) -> str:
    """A rate in the unit that gives a number a person can compare."""
    if per_s >= 1:
        return f"{per_s:.1f}/s"
    if per_s * _MINUTE >= 1:
        return f"{per_s * _MINUTE:.1f}/min"
    return f"{per_s * _HOUR:.1f}/h"


def tell_time(seconds: float) -> str:
    """A length of time as a person would say it."""
    if seconds < 100:  # noqa: PLR2004 - above it people think in minutes
        return f"{seconds:.0f} s"
    if seconds < 100 * _MINUTE:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.1f} h"
    return f"{seconds / _DAY:.1f} days"
