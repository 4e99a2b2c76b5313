"""When the machine, not the cases, is at fault: no point in failing a whole archive."""

from __future__ import annotations

from typing import Final

from osteoct.run.records import Cause, Outcome

STREAK: Final = 10
"""Different cases that fail one after the other for the machine's sake before a run gives up: some
large cases in a row may each be too much for a GPU, ten mean that no case has a chance."""

_OF_MACHINE: Final = (Cause.ENVIRONMENT, Cause.OUTPUT, Cause.CONFIGURATION)


class Breaker:
    """Counts failures for the machine's sake that no success interrupts."""

    def __init__(self) -> None:
        self._cases: dict[str, None] = {}

    def note(self, outcome: Outcome) -> tuple[str, ...]:
        """Take in an outcome; the cases to spare once there is no point in going on, else none."""
        if outcome.failure is None or outcome.failure.cause not in _OF_MACHINE:
            self._cases.clear()
            return ()
        self._cases[outcome.case_id] = None
        return tuple(self._cases) if len(self._cases) >= STREAK else ()
