"""A stage that needs no CT: for tests of engines and coordinators, and to try out a cluster.

What it does with a case is said by the beginning of the case's id:

============ =====================================================================
``bad-``     the case is at fault: refused as an unreadable input
``oops-``    a mistake in the program: raises what nobody expects
``crash-``   ends the worker, every time
``flaky-``   ends the worker the first time, and is done the second
``hang-``    never comes back
``hungry-``  takes memory until it is ended
``full-``    the disk is full
``gpu-``     the machine lacks something, every time
others       are done after ``settings["seconds"]``
============ =====================================================================
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from osteoct.errors import SegmenterUnavailableError, UnreadableInputError
from osteoct.run.records import Outcome, WorkItem
from osteoct.run.work.failures import failure_of

STAGE: Final = "osteoct.run.testing:open_stand_in"
_MOUTHFUL: Final = 16 * 1024 * 1024


class StandIn:
    """Does nothing for a while, or goes wrong in a stated way."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._seconds = float(str(settings.get("seconds", 0.0)))
        folder = settings.get("folder")
        self._folder = None if folder is None else Path(str(folder))

    def prepare(self, item: WorkItem) -> str:
        """Read nothing."""
        return item.case_id

    def process(self, item: WorkItem, prepared: object) -> Outcome:
        """End as the case's id says."""
        assert prepared == item.case_id  # noqa: S101 - what was prepared for this case
        self._note(item)
        try:
            self._misbehave(item)
        except Exception as error:  # noqa: BLE001 - the boundary of a case
            return Outcome(case_id=item.case_id, key=item.key, failure=failure_of(error))
        time.sleep(self._seconds)
        return Outcome(
            case_id=item.case_id, key=item.key, seconds={"all": self._seconds}, is_measured=True
        )

    def _note(self, item: WorkItem) -> None:
        """Leave a trace of each attempt, where there is a folder for it."""
        if self._folder is not None:
            with (self._folder / item.case_id).open("ab") as trace:
                trace.write(f"{os.getpid()}\n".encode())

    def _misbehave(self, item: WorkItem) -> None:
        """Go wrong, if the id says so."""
        kind, dash, _ = item.case_id.partition("-")
        act = _ACTS.get(kind) if dash else None
        if act is not None:
            act(self, item)

    def attempts(self, item: WorkItem) -> int:
        """Traces that attempts have left."""
        if self._folder is None:
            return 0
        return len((self._folder / item.case_id).read_bytes().splitlines())


def _end(_: StandIn, __: WorkItem) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _end_once(stage: StandIn, item: WorkItem) -> None:
    if stage.attempts(item) == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def _hang(_: StandIn, __: WorkItem) -> None:
    while True:
        time.sleep(3600)


def _eat(_: StandIn, __: WorkItem) -> None:
    eaten = []
    while True:
        eaten.append(b"x" * _MOUTHFUL)
        time.sleep(0.01)


def _refuse(_: StandIn, __: WorkItem) -> None:
    raise UnreadableInputError("is damaged", where="/scans/a-name/ct.nii", found="0 bytes")


def _fail(_: StandIn, __: WorkItem) -> None:
    msg = "a text that may hold a name"
    raise ValueError(msg)


def _fill(_: StandIn, __: WorkItem) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _lack(_: StandIn, __: WorkItem) -> None:
    raise SegmenterUnavailableError("out of GPU memory", found="2 GiB", wanted="8 GiB")


_ACTS: Final = {
    "bad": _refuse,
    "oops": _fail,
    "crash": _end,
    "flaky": _end_once,
    "hang": _hang,
    "hungry": _eat,
    "full": _fill,
    "gpu": _lack,
}


@contextmanager
def open_stand_in(settings: Mapping[str, object]) -> Iterator[StandIn]:
    """Yield the stage; ``settings`` has ``seconds`` per case and a ``folder`` for traces."""
    yield StandIn(settings)
