"""Stages for workers of a cluster: its nodes find this module by name."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from osteoct.errors import SegmenterUnavailableError
from osteoct.run.records import Outcome, WorkItem


class Telling:
    """Tells where it runs: process, parent process, GPUs it sees, threads it may use."""

    def __init__(self, child: int) -> None:
        self._child = child

    def prepare(self, _: WorkItem) -> None:
        return None

    def process(self, item: WorkItem, _: object) -> Outcome:
        while item.case_id == "hang":
            time.sleep(1)
        seen = {
            "pid": float(os.getpid()),
            "node": float(os.getppid()),
            "gpu": float(os.environ.get("CUDA_VISIBLE_DEVICES") or -1),
            "threads": float(os.environ["OPENBLAS_NUM_THREADS"]),
            "child": float(self._child),
        }
        return Outcome(case_id=item.case_id, key=item.key, seconds=seen)


@contextmanager
def open_telling(settings: Mapping[str, object]) -> Iterator[Telling]:
    """Yield the stage; ``with_child`` starts a process beside it, as a segmenter does."""
    child = 0
    if settings.get("with_child"):
        child = subprocess.Popen(["/bin/sleep", "600"]).pid
    yield Telling(child)


@contextmanager
def open_broken(_: Mapping[str, object]) -> Iterator[Telling]:
    """Fail to start."""
    raise SegmenterUnavailableError(
        "weights are missing", where="/home/doe", hint="osteoct weights fetch"
    )
    yield
