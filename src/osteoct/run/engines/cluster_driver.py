"""The go-between: the process that speaks with Ray, so that the coordinator need not.

Ray's own code ends the process it lives in when its scheduler is gone for a minute, writes to the
terminal and takes over signals. Here all that hits a process that may be lost: what it knows the
coordinator knows, too. ``python -m osteoct.run.engines.cluster_driver DESCRIPTOR``.
"""

from __future__ import annotations

import logging
import math
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, TypeAlias

import ray

from osteoct import __version__
from osteoct.run.engines.cluster_actor import ClusterActor
from osteoct.run.engines.cluster_reasons import is_out_of_memory, why_lost, why_refused
from osteoct.run.engines.cluster_words import (
    Answer,
    Beat,
    Born,
    Command,
    Ended,
    Give,
    Join,
    Joined,
    Start,
    Stop,
    Word,
)
from osteoct.run.engines.interface import Lost, Ready, WorkerId, WorkerSpec
from osteoct.run.records import WorkItem

EXIT_CALLER_GONE: Final = 75
"""sysexits' EX_TEMPFAIL: nobody wants the answer any more."""

START_S: Final = 300.0
"""Longest time from an actor's process to its first case: models of gigabytes from a slow disk."""

PLACE_S: Final = 1200.0
"""Longest wait for a node that could hold a worker, where no node of the cluster could: a machine
with a GPU takes minutes to come, and one that is never to come is not waited for all night."""

_CALLS: Final = 2
"""Calls of an actor at once: one waits for news, one brings a case."""

_MIB: Final = 1024 * 1024
_STORE_MIB: Final = 80
"""Ray's smallest object store: cases are paths, nothing large goes through it."""


@dataclass(frozen=True, kw_only=True)
class _Heard:
    """A call for news came back."""

    worker: WorkerId
    news: Future[list[Word]]


@dataclass(frozen=True)
class _Looked:
    """The scheduler told which nodes there are: what each has in all."""

    nodes: tuple[dict[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class _Said:
    """The caller wants something."""

    command: Command


_News: TypeAlias = _Heard | _Looked | _Said


@dataclass(kw_only=True, eq=False)
class _Actor:
    """An actor as this process knows it."""

    handle: Any
    spec: WorkerSpec
    asked: float
    born: float | None = None
    is_ready: bool = False
    given: int = 0

    def give(self, item: WorkItem | None) -> None:
        """Send a case, or that no more will come, with its place in the order."""
        self.handle.give.remote(item, self.given)
        self.given += 1


def main() -> None:
    """Join the cluster and serve the caller until it says that it is enough, or is gone."""
    connection = Connection(int(sys.argv[1]))
    join: Join = connection.recv()
    try:
        dashboard = _join(join)
    except Exception as error:  # noqa: BLE001 - whatever Ray raises is told as one line
        connection.send(why_refused(error))
        return
    connection.send(Joined(dashboard=dashboard))
    _Driver(connection, join).run()


def _join(join: Join) -> str | None:
    """Connect to the cluster, or begin one; the address of its page."""
    if join.address is None:
        _begin(join)
        return None
    context = ray.init(join.address, log_to_driver=False, logging_level=logging.ERROR)
    page = context.dashboard_url
    return f"http://{page}" if page else None


def _begin(join: Join) -> None:
    """Begin a cluster of this machine, with room for every worker that will be asked for."""
    cpus = max(os.cpu_count() or 1, math.ceil(join.workers * join.spec.cpus))
    ray.init(
        "local",
        num_cpus=cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=_STORE_MIB * _MIB,
        _temp_dir=join.folder,
    )


class _Driver:
    """Turns the caller's commands into calls of actors, and their news into events."""

    def __init__(self, connection: Connection, join: Join) -> None:
        self._connection = connection
        self._join = join
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._actors: dict[WorkerId, _Actor] = {}
        self._is_over = False

    def run(self) -> None:
        """Serve until the caller ends it."""
        threading.Thread(target=self._hear_caller, daemon=True).start()
        threading.Thread(target=self._look, daemon=True).start()
        while not self._is_over:
            match self._news.get():
                case _Said(command=command):
                    self._obey(command)
                case _Heard(worker=worker, news=news):
                    self._hear(worker, news)
                case _Looked(nodes=nodes):
                    self._tell(Beat())
                    self._end_late(nodes)
        for worker in tuple(self._actors):
            self._end(worker)
        ray.shutdown()
        shutil.rmtree(self._join.folder, ignore_errors=True)  # the caller may be gone

    # threads

    def _hear_caller(self) -> None:
        """Take in commands; a caller that is gone ends everything."""
        command: Command = Stop(worker="", at_once=False)
        while command is not None:
            try:
                command = self._connection.recv()
            except (EOFError, OSError):
                command = None
            self._news.put(_Said(command=command))

    def _look(self) -> None:
        """Ask the scheduler for its nodes, again and again: no answer, no beat."""
        ask: Callable[[], list[dict[str, Any]]] = ray.nodes
        while True:
            nodes = [n.get("Resources", {}) for n in ask() if n.get("Alive")]
            self._news.put(_Looked(tuple(nodes)))
            time.sleep(self._join.beat_s)

    # what the caller wants

    def _obey(self, command: Command) -> None:
        match command:
            case None:
                self._is_over = True
            case Start(worker=worker, spec=spec):
                self._start(worker, spec)
            case Give(worker=worker, item=item):
                found = self._actors.get(worker)
                if found is not None:
                    found.give(item)
            case Stop(worker=worker, at_once=at_once):
                self._stop(worker, at_once=at_once)

    def _start(self, worker: WorkerId, spec: WorkerSpec) -> None:
        """Ask for an actor; Ray starts it when there is room."""
        actor = ray.remote(ClusterActor).options(**actor_options(spec))
        handle = actor.remote(worker, spec)
        self._actors[worker] = _Actor(handle=handle, spec=spec, asked=time.monotonic())
        self._listen(worker)

    def _stop(self, worker: WorkerId, *, at_once: bool) -> None:
        """End an actor now, or when it has done what it was given."""
        found = self._actors.get(worker)
        if found is None:
            return
        if at_once or found.born is None:
            self._end(worker)
        else:
            found.give(None)

    def _end(self, worker: WorkerId) -> None:
        """Forget an actor and end its process; one without a place never gets one."""
        ray.kill(self._actors.pop(worker).handle)

    # what actors say

    def _listen(self, worker: WorkerId) -> None:
        """Ask an actor for news; the answer comes when there is some."""
        found = self._actors.get(worker)
        if found is not None:
            news: Future[list[Word]] = found.handle.listen.remote().future()
            news.add_done_callback(lambda done: self._news.put(_Heard(worker=worker, news=done)))

    def _hear(self, worker: WorkerId, news: Future[list[Word]]) -> None:
        """Pass on the news of an actor, unless it was ended meanwhile."""
        if worker not in self._actors:
            return
        error = news.exception()
        if error is not None:
            self._lose(worker, why_lost(error), is_out_of_memory=is_out_of_memory(error))
            return
        for word in news.result():
            self._take_in(self._actors[worker], word)
            if worker not in self._actors:
                return
        self._listen(worker)

    def _take_in(self, actor: _Actor, word: Word) -> None:
        match word:
            case Born(worker=worker, version=version):
                actor.born = time.monotonic()
                if version != __version__:
                    self._lose(
                        worker,
                        f"its node runs osteoct {version}, this host {__version__}: "
                        "install the same on every host",
                    )
            case Ended(worker=worker):
                self._end(worker)
            case Lost(worker=worker):
                self._end(worker)
                self._tell(word)
            case _:
                actor.is_ready = actor.is_ready or isinstance(word, Ready)
                self._tell(word)

    def _lose(self, worker: WorkerId, why: str, *, is_out_of_memory: bool = False) -> None:
        """An actor is gone or of no use: make sure of it, and tell."""
        self._end(worker)
        self._tell(Lost(worker=worker, held=(), why=why, is_out_of_memory=is_out_of_memory))

    def _end_late(self, nodes: tuple[dict[str, float], ...]) -> None:
        """End actors that do not get ready, or that no node could ever hold."""
        now = time.monotonic()
        patience = PLACE_S if self._join.address else 0.0
        for worker, actor in tuple(self._actors.items()):
            if actor.born is not None:
                if not actor.is_ready and now - actor.born > START_S:
                    self._lose(worker, f"was not ready within {START_S:g} s")
            elif now - actor.asked > patience and not fits(actor.spec, nodes):
                self._lose(worker, f"no node of the cluster has {_needs_in_words(actor.spec)}")

    def _tell(self, answer: Answer) -> None:
        """Send to the caller; one that is gone is noticed by who hears it."""
        with suppress(OSError):
            self._connection.send(answer)


def actor_options(spec: WorkerSpec) -> dict[str, object]:
    """What Ray is asked for; an actor that dies is not started again, that is the caller's choice.

    >>> actor_options(WorkerSpec(stage="a:b", gpu_share=0.25, memory_mib=2048))["num_gpus"]
    0.25
    """
    options: dict[str, object] = {
        "num_cpus": _allowed(spec.cpus),
        "num_gpus": _allowed(spec.gpu_share),
        "max_restarts": 0,
        "max_task_retries": 0,
        "max_concurrency": _CALLS,
    }
    if spec.memory_mib is not None:
        options["memory"] = spec.memory_mib * _MIB
    return options


def _allowed(amount: float) -> float:
    """Ray knows shares of one, and whole numbers above."""
    return amount if amount <= 1 else math.ceil(amount)


def fits(spec: WorkerSpec, nodes: tuple[dict[str, float], ...]) -> bool:
    """Whether some node has, in all, what a worker needs."""
    needs = {
        "CPU": _allowed(spec.cpus),
        "GPU": _allowed(spec.gpu_share),
        "memory": (spec.memory_mib or 0) * _MIB,
    }
    return any(all(node.get(name, 0) >= need for name, need in needs.items()) for node in nodes)


def _needs_in_words(spec: WorkerSpec) -> str:
    """What a worker needs, for a message."""
    words = [f"{_allowed(spec.cpus):g} CPU"]
    if spec.gpu_share:
        words.append(f"{_allowed(spec.gpu_share):g} GPU")
    if spec.memory_mib is not None:
        words.append(f"{spec.memory_mib} MiB of memory")
    return ", ".join(words)


if __name__ == "__main__":
    main()
