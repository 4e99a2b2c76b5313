"""From the lines that the package prints to stages: how far it has come, and what each cost.

Nothing else of osteoct is imported here but the worker's side of the process.
"""

from __future__ import annotations

import io
import re
import time
from typing import Final

from osteoct.segment.isolation.worker import Tell

STAGES: Final = (
    (re.compile(r"loading .*checkpoints"), "start"),
    (re.compile(r"spine localization"), "locate"),
    (re.compile(r"vertebra segmentation"), "vertebrae"),
    (re.compile(r"process/body"), "bodies"),
)
"""What version 0.1.6 prints when a stage begins. Other words cost the progress, nothing else."""

PATCH: Final = re.compile(r"preparing vertebra segmentation patch (\d+)/(\d+)")
"""One vertebra is about to be segmented."""


class Listener(io.TextIOBase):
    """Stands in for standard output while the package works; lines go on to the log.

    Parameters
    ----------
    tell
        Told of each stage as it begins and of each vertebra that is done.
    log
        Where everything is written to.
    """

    def __init__(self, tell: Tell, log: io.TextIOBase) -> None:
        self._tell, self._log = tell, log
        self._rest = ""
        self._stage: str | None = None
        self._since = time.perf_counter()
        self._total = 0
        self.seconds: dict[str, float] = {}
        self.patches: dict[str, int] = {}

    def write(self, text: str) -> int:
        """Take what is printed, in pieces of any length."""
        self._log.write(text)
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._hear(line)
        return len(text)

    def flush(self) -> None:
        """Pass it on: a process that is killed leaves its last words."""
        self._log.flush()

    def begin(self, stage: str | None) -> None:
        """End the clock of the stage before and begin another one, or none."""
        if stage == self._stage:
            return
        now = time.perf_counter()
        if self._stage is not None:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        if self._stage == "vertebrae" and self._total:
            self._tell(stage=self._stage, done=self._total, total=self._total)
        self._stage, self._since = stage, now
        if stage is not None:
            self._tell(stage=stage)

    def _hear(self, line: str) -> None:
        """One line of the package."""
        stage = next((name for words, name in STAGES if words.search(line)), None)
        if stage is not None:
            self.begin(stage)
        patch = PATCH.search(line)
        if patch is not None:
            number, self._total = int(patch[1]), int(patch[2])
            self.patches["vertebrae"] = number
            self._tell(stage="vertebrae", done=number - 1, total=self._total)
