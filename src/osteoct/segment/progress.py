"""From what a process tells to how far it has come and how long it may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from osteoct.segment.interface import Progress


class Hearing:
    """Passes on what a process tells of its stages, with an estimate of the rest.

    Parameters
    ----------
    pass_on
        Called once per stage and once per part of it.
    """

    def __init__(self, pass_on: Callable[[Progress], None]) -> None:
        self._pass_on = pass_on
        self._begun: dict[str, tuple[float, int]] = {}

    def __call__(self, told: Mapping[str, Any]) -> None:
        """Hear one word of the process; the first of a stage starts its clock."""
        now, stage = time.monotonic(), str(told["stage"])
        done, total = told.get("done"), told.get("total")
        if done is None or total is None:
            self._pass_on(Progress(stage=stage))
            return
        # the first part also waits for the model to load: the rate counts from its end
        since, first = self._begun.setdefault(stage, (now, done))
        seconds = None if done <= first else (now - since) / (done - first) * (total - done)
        self._pass_on(Progress(stage=stage, done=done, total=total, seconds_left=seconds))
