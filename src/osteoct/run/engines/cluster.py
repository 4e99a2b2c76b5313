"""Workers as actors of a Ray cluster: one that runs already, or one begun on this machine.

Ray chooses the node, counts cores, memory and shares of GPUs, and starts more nodes where it may.
A worker without a place yet is one that is not ready yet. What Ray needs of a process (threads,
signals, the right to end it) it gets in a go-between, :mod:`osteoct.run.engines.cluster_driver`.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Final

import psutil

from osteoct.errors import DependencyError, EngineLostError
from osteoct.run.engines.cluster_words import (
    Answer,
    Beat,
    Command,
    Give,
    Join,
    Joined,
    Refused,
    Start,
    Stop,
)
from osteoct.run.engines.interface import (
    EngineOptions,
    Event,
    Finished,
    Lost,
    Started,
    WorkerId,
    WorkerSpec,
)
from osteoct.run.records import WorkItem

DRIVER_MODULE: Final = "osteoct.run.engines.cluster_driver"

JOIN_S: Final = 60.0
"""Longest time until a cluster is joined or begun; one of this machine takes about 5 s."""

LOST_S: Final = 30.0
"""A scheduler that does not answer for so long is gone. Ray itself waits for a minute and then ends
the process; one that is only busy answers within a second."""

_MUTE: Final = Refused(
    what="the cluster does not answer",
    found="nothing in time",
    hint="is it Ray that listens there? One that wants a token needs RAY_AUTH_MODE=token here",
)

_BEATS: Final = 6
"""Questions to the scheduler within :data:`LOST_S`."""

_ANSWER_S: Final = 5.0
"""How long a host may take to accept a connection."""

_CLOSE_S: Final = 10.0
"""How long the go-between may take to end what it started before it is ended itself."""

_LONGEST_FOLDER: Final = 40
"""Characters of a folder below which Ray can open its sockets: a path of one has at most 107."""

_PRIVATE: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run` Ray would ship the current folder
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a worker without a GPU share keeps what it sees
}


class RayEngine:
    """Starts, hears and ends actors of a cluster.

    Parameters
    ----------
    options
        ``address``: ``HOST:PORT`` of a cluster of which this machine is a node, ``ray://HOST:10001``
        for any other, ``auto`` for what ``ray start`` began here, ``None`` to begin one.
    lost_after_s
        A scheduler that does not answer for so long is gone.
    join_s
        A cluster that has not let this process in for so long does not answer.

    Notes
    -----
    Ray shows a worker the GPUs it was given a share of, and no other: its ``device`` is ``auto``.
    Nothing is reported to Ray's makers by this process or a cluster it begins; for a cluster that
    runs already, that is the choice of who started it.
    """

    name: Final = "ray"

    def __init__(
        self, options: EngineOptions, *, lost_after_s: float = LOST_S, join_s: float = JOIN_S
    ) -> None:
        self._options = options
        self._lost_after_s = lost_after_s
        self._join_s = join_s
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._folder: str | None = None
        self._heard = 0.0
        self._is_lost = False
        self._held: dict[WorkerId, list[str]] = {}
        self._dashboard: str | None = None

    @property
    def dashboard(self) -> str | None:
        """Ray's page, where the cluster has one."""
        return self._dashboard

    def start_worker(self, worker: WorkerId, spec: WorkerSpec) -> None:
        """Ask for an actor; the first time, join the cluster.

        Raises
        ------
        DependencyError
            Ray is not installed.
        EngineLostError
            The cluster does not answer, runs other versions, or cannot be joined from here.
        """
        if self._connection is None:
            self._join(spec)
        self._held[worker] = []
        self._send(Start(worker=worker, spec=spec))

    def give(self, worker: WorkerId, item: WorkItem) -> None:
        """Send a case."""
        if worker in self._held:
            self._held[worker].append(item.case_id)
            self._send(Give(worker=worker, item=item))

    def stop_worker(self, worker: WorkerId, *, at_once: bool = False) -> None:
        """End an actor: now, or when it has done what it was given."""
        if at_once:
            self._held.pop(worker, None)
        self._send(Stop(worker=worker, at_once=at_once))

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """Hear what happened; a beat of the scheduler is no event, and ends no wait.

        Raises
        ------
        EngineLostError
            The scheduler has not answered for ``lost_after_s``, or the go-between has ended.
        """
        if self._connection is None:
            return ()
        end = time.monotonic() + timeout_s
        while True:
            answers = self._hear(max(0.0, end - time.monotonic()))
            events = [event for answer in answers for event in self._take_in(answer)]
            if events or time.monotonic() >= end:
                return events

    def close(self) -> None:
        """End every actor, the go-between, and the cluster where this began it."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if process is not None and connection is not None:
            family = _family(process.pid)
            with suppress(OSError):
                connection.send(None)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0 if self._is_lost else _CLOSE_S)
            _end(process, family)
            connection.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    # the cluster

    def _join(self, spec: WorkerSpec) -> None:
        """Start the go-between and wait until it has joined."""
        if importlib.util.find_spec("ray") is None:
            raise DependencyError(
                "a cluster needs the package ray", hint="pip install 'osteoct[cluster]'"
            )
        silent = _is_silent(self._options.address or "")
        if silent:
            raise self._unusable(
                Refused(
                    what="the cluster does not answer",
                    found=f"{silent} at {self._options.address}",
                    hint="is it running, and can this host reach it?",
                )
            )
        self._folder = _short_folder()
        environment = _PRIVATE if self._options.address else {**_PRIVATE, **_own_token()}
        self._process, self._connection = _start_driver(environment)
        join = Join(
            address=self._options.address,
            folder=self._folder,
            workers=self._options.workers[1],
            spec=spec,
            beat_s=self._lost_after_s / _BEATS,
        )
        try:
            self._connection.send(join)
            if not self._connection.poll(self._join_s):
                raise self._unusable(_MUTE)
            answer: Answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._unusable(
                Refused(what="the cluster cannot be used", found="Ray ended at once")
            ) from error
        if isinstance(answer, Refused):
            raise self._unusable(answer)
        if isinstance(answer, Joined):
            self._dashboard = answer.dashboard
        self._heard = time.monotonic()

    def _unusable(self, why: Refused) -> EngineLostError:
        """End what was begun; the error to raise."""
        self._is_lost = True
        self.close()
        return EngineLostError(why.what, where="--cluster", found=why.found, hint=why.hint)

    def _send(self, command: Command) -> None:
        """Tell the go-between; that it is gone is noticed by :meth:`wait`."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.send(command)

    def _hear(self, timeout_s: float) -> list[Answer]:
        """Everything the go-between has said; waits for the first word."""
        assert self._connection is not None  # noqa: S101 - asked by wait
        answers: list[Answer] = []
        try:
            while self._connection.poll(0 if answers else timeout_s):
                answers.append(self._connection.recv())
        except (EOFError, OSError) as error:
            raise self._lost("its go-between ended") from error
        now = time.monotonic()
        if any(isinstance(answer, Beat) for answer in answers):
            self._heard = now
        if now - self._heard > self._lost_after_s:
            raise self._lost(f"no answer for {self._lost_after_s:g} s")
        return answers

    def _lost(self, found: str) -> EngineLostError:
        """Note that nothing can be asked of the go-between; the error to raise."""
        self._is_lost = True
        return EngineLostError(
            "the scheduler of the cluster is gone",
            found=found,
            hint="every finished case is kept; go on with --resume",
        )

    def _take_in(self, answer: Answer) -> Sequence[Event]:
        """The event of an answer, where it is one of a worker that has not been ended."""
        match answer:
            case Joined() | Refused() | Beat():
                return ()
            case Started(worker=worker, case_id=case_id) if worker in self._held:
                held = self._held[worker]
                held.sort(key=lambda other: other != case_id)  # the one it computes first
            case Finished(worker=worker, outcome=outcome) if worker in self._held:
                with suppress(ValueError):
                    self._held[worker].remove(outcome.case_id)
            case Lost(worker=worker) if worker in self._held:
                return (replace(answer, held=tuple(self._held.pop(worker))),)
            case _ if answer.worker not in self._held:
                return ()
        return (answer,)


def _is_silent(address: str) -> str | None:
    """Why nobody listens at ``host:port``, or ``None``; other kinds of address are left to Ray."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not (colon and port.isdigit()):
        return None
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except OSError as error:
        return error.strerror or "no answer" if error.errno else f"no answer in {_ANSWER_S:g} s"
    return None


def _own_token() -> dict[str, str]:
    """A secret of a cluster begun here: no other user of this machine can join it.

    Ray would keep one in the home folder, and then ask every later cluster for it.
    """
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _start_driver(environment: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], Connection]:
    """Start the go-between, silent and in a session of its own: Ctrl-C is the coordinator's."""
    ours, theirs = socket.socketpair()
    with theirs:
        quiet = None if os.environ.get("OSTEOCT_DEBUG") else subprocess.DEVNULL
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, "-m", DRIVER_MODULE, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=quiet,
            stderr=quiet,
            env={**os.environ, **environment},
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
    return process, Connection(ours.detach())


def _short_folder() -> str:
    """A new folder for sockets and logs, whose path is short enough for a socket below it."""
    base = tempfile.gettempdir()
    return tempfile.mkdtemp(
        prefix="osteoct-ray-",
        dir=base if len(base) <= _LONGEST_FOLDER else "/tmp",  # noqa: S108 -- private by mkdtemp
    )


def _family(pid: int) -> list[psutil.Process]:
    """What a process started, and they in turn."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _end(process: subprocess.Popen[bytes], family: Sequence[psutil.Process]) -> None:
    """Kill what is left of a process and its family."""
    for member in family:
        with suppress(psutil.Error):
            member.kill()
    process.kill()
    process.wait()
