"""Workers as processes of this machine: each a Python of its own, heard over a socket.

A worker that dies takes no other with it, and one that is to be ended is ended with everything it
started. Should this process die, its workers notice that the socket closes, and end.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Final

import psutil

from osteoct.run.engines.interface import Event, Lost, Ready, WorkerId, WorkerSpec
from osteoct.run.records import WorkItem

WORKER_MODULE: Final = "osteoct.run.engines.local_worker"

START_S: Final = 300.0
"""Longest time from the start of a worker to its first word: models may come from a slow disk."""

_MIB: Final = 1024 * 1024
_LOOK_S: Final = 0.5
"""How often the memory of the workers is looked at."""

_THREADS: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
"""What numeric libraries ask how many threads they may use: as many as the worker has cores."""

_OOM_COUNTERS: Final = "/proc/vmstat"


@dataclass(kw_only=True, eq=False)
class _Process:
    """A worker process, and whether it has spoken."""

    process: subprocess.Popen[bytes]
    connection: Connection
    spec: WorkerSpec
    started: float
    is_ready: bool = False
    is_ending: bool = False
    is_over_memory: bool = False


class LocalEngine:
    """Starts, hears and ends worker processes."""

    name: Final = "local"
    dashboard: Final = None

    def __init__(self) -> None:
        self._processes: dict[WorkerId, _Process] = {}
        self._looked = 0.0
        self._killed_for_memory = _count_memory_kills()

    def start_worker(self, worker: WorkerId, spec: WorkerSpec) -> None:
        """Start a process; it loads what its stage needs before it says that it is ready."""
        ours, theirs = socket.socketpair()
        with theirs:
            quiet = None if os.environ.get("OSTEOCT_DEBUG") else subprocess.DEVNULL
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [sys.executable, "-m", WORKER_MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=quiet,
                stderr=quiet,
                env=_environment(spec),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is the coordinator's, who ends workers in order
            )
        connection = Connection(ours.detach())
        self._processes[worker] = _Process(
            process=process, connection=connection, spec=spec, started=time.monotonic()
        )
        with suppress(OSError):  # one that has died is noticed by its closed socket
            connection.send((worker, spec))

    def give(self, worker: WorkerId, item: WorkItem) -> None:
        """Send a case."""
        with suppress(OSError):
            self._processes[worker].connection.send(item)

    def stop_worker(self, worker: WorkerId, *, at_once: bool = False) -> None:
        """End a process: now, or when it has done what it was given."""
        found = self._processes.get(worker)
        if found is None:
            return
        if at_once:
            del self._processes[worker]
            _end(found)
            return
        found.is_ending = True
        with suppress(OSError):
            found.connection.send(None)

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """Hear every worker that has something to say."""
        self._look()
        by_connection = {p.connection: name for name, p in self._processes.items()}
        if not by_connection:
            return ()
        events: list[Event] = []
        for ready in wait(list(by_connection), timeout_s):
            assert isinstance(ready, Connection)  # noqa: S101 - no other was waited for
            event = self._hear(by_connection[ready])
            events.extend(() if event is None else (event,))
        return events

    def close(self) -> None:
        """End every process now."""
        for name in tuple(self._processes):
            self.stop_worker(name, at_once=True)

    def _hear(self, worker: WorkerId) -> Event | None:
        """One event of a worker; its end, where its socket has closed."""
        found = self._processes[worker]
        try:
            said: Event = found.connection.recv()
        except (EOFError, OSError):
            del self._processes[worker]
            code = _end(found)
            return None if found.is_ending else self._lost(worker, found, code)
        found.is_ready = found.is_ready or isinstance(said, Ready)
        found.is_ending = found.is_ending or isinstance(said, Lost)
        return said

    def _lost(self, worker: WorkerId, found: _Process, code: int) -> Lost:
        """Say why a process ended, as far as the system tells."""
        kills = _count_memory_kills()
        was_killed = code == -signal.SIGKILL and kills > self._killed_for_memory
        self._killed_for_memory = kills
        if found.is_over_memory:
            words = f"used more than its {found.spec.memory_mib} MiB of memory"
        elif was_killed:
            words = "the system ran out of memory and ended the worker"
        elif not found.is_ready and time.monotonic() - found.started > START_S:
            words = f"was not ready within {START_S:g} s"
        else:
            words = f"the worker ended: {_name_end(code)}"
        return Lost(
            worker=worker,
            held=(),
            why=words,
            is_out_of_memory=found.is_over_memory or was_killed,
        )

    def _look(self) -> None:
        """End workers that use more memory than they may, or never get ready.

        Their socket closes, which :meth:`wait` notices.
        """
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        for found in self._processes.values():
            limit = found.spec.memory_mib
            found.is_over_memory = limit is not None and memory_mib(found.process.pid) > limit
            if found.is_over_memory or (not found.is_ready and now - found.started > START_S):
                _kill(found.process)


def memory_mib(pid: int) -> float:
    """Memory of a process and of all that it started, in MiB; 0 once it is gone."""
    try:
        process = psutil.Process(pid)
        tree = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    total = 0.0
    for one in tree:
        with suppress(psutil.Error):
            total += one.memory_info().rss / _MIB
    return total


def _environment(spec: WorkerSpec) -> dict[str, str]:
    """The environment of a worker: no more threads than it has cores, unless the user said so."""
    threads = str(max(1, int(spec.cpus)))
    return {**dict.fromkeys(_THREADS, threads), **os.environ}


def _end(found: _Process) -> int:
    """End a process and all that it started; return its exit code."""
    _kill(found.process)
    found.connection.close()
    return found.process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill what may be left of a process: one that has ended keeps its exit code."""
    with suppress(ProcessLookupError, PermissionError):
        if process.poll() is None:
            for child in _children(process.pid):
                with suppress(psutil.Error):
                    child.kill()
        os.killpg(process.pid, signal.SIGKILL)


def _children(pid: int) -> list[psutil.Process]:
    """What a process started, in sessions of their own as well: a segmenter is such a one."""
    try:
        children: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return children


def _name_end(code: int) -> str:
    """The signal or exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


def _count_memory_kills() -> int:
    """Processes that the kernel ended for memory since it started; 0 where it does not tell."""
    with suppress(OSError, ValueError), open(_OOM_COUNTERS, encoding="ascii") as lines:  # noqa: PTH123 -- read in one breath
        for line in lines:
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0
