"""The cluster engine against real clusters: several nodes on loopback, ended in every way.

The tests of one cluster stand in the order in which it is worn down; the last one ends its head.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from osteoct.errors import DependencyError, EngineLostError
from osteoct.run.engines.cluster import RayEngine
from osteoct.run.engines.interface import (
    Engine,
    EngineOptions,
    Event,
    Finished,
    Lost,
    Ready,
    Started,
    WorkerSpec,
)
from osteoct.run.records import Cause, Inputs, Outcome, WorkItem

from .conftest import Cluster, kill, wait_until

ray = pytest.importorskip("ray", reason="needs ray: pip install 'osteoct[cluster]'")

pytestmark = pytest.mark.xdist_group("cluster")

E = TypeVar("E", bound=Event)

STAND_IN = "osteoct.run.testing:open_stand_in"
TELLING = "cluster_stages:open_telling"

LONG_S = 60.0
"""Far more than anything here takes: only a test that fails waits for it."""

LOST_S = 6.0
"""A scheduler that does not answer for so long is gone; a busy machine answers within this."""


def a_case(case_id: str) -> WorkItem:
    return WorkItem(case_id=case_id, key="k", inputs=Inputs(ct=("ct",)), bytes_in=1)


class Listener:
    """Starts workers under names that are used once, hears the engine, and keeps what it said."""

    _names = (f"w{number}" for number in itertools.count(1))

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.events: list[Event] = []
        self.workers: list[str] = []

    def start(self, spec: WorkerSpec) -> str:
        """Ask for a worker; its name."""
        self.workers.append(next(self._names))
        self.engine.start_worker(self.workers[-1], spec)
        return self.workers[-1]

    def end(self) -> None:
        """Free the places of every worker."""
        for worker in self.workers:
            self.engine.stop_worker(worker, at_once=True)

    def until(self, is_enough: Callable[[], bool], *, seconds: float = LONG_S) -> None:
        """Listen until it is enough; too late is a failure."""
        end = time.monotonic() + seconds
        while not is_enough():
            assert time.monotonic() < end, self.events
            self.events.extend(self.engine.wait(0.2))

    def ready(self, *workers: str) -> None:
        """Listen until workers are ready."""
        self.until(lambda: set(workers) <= {e.worker for e in self.of(Ready)})

    def lost(self, worker: str) -> Lost:
        """Listen until a worker is lost."""
        self.until(lambda: worker in {e.worker for e in self.of(Lost)})
        return next(e for e in self.of(Lost) if e.worker == worker)

    def started(self, case_id: str) -> None:
        """Listen until a case is taken up."""
        self.until(lambda: case_id in {e.case_id for e in self.of(Started)})

    def finished(self, case_id: str) -> Outcome:
        """Listen until a case is done."""
        self.until(lambda: case_id in {e.outcome.case_id for e in self.of(Finished)})
        return next(e.outcome for e in self.of(Finished) if e.outcome.case_id == case_id)

    def of(self, kind: type[E]) -> list[E]:
        return [e for e in self.events if isinstance(e, kind)]


@pytest.fixture(scope="module")
def engine(cluster: Cluster) -> Iterator[RayEngine]:
    """One engine on the shared cluster: joining takes as long as most tests here."""
    made = RayEngine(EngineOptions(workers=(1, 2), address=cluster.address), lost_after_s=LOST_S)
    yield made
    made.close()


@pytest.fixture
def told(engine: RayEngine) -> Iterator[Listener]:
    """What a test starts, and hears of it."""
    made = Listener(engine)
    yield made
    made.end()


def pid_of(folder: Path, case_id: str) -> int:
    """The process that took up a case, from the trace it left."""
    assert wait_until((folder / case_id).exists)
    return int((folder / case_id).read_text().splitlines()[-1])


def test_cases_are_done_right_by_workers_of_two_nodes(told: Listener) -> None:
    """Each node has one core and each worker takes one: two workers are on two nodes."""
    workers = [told.start(WorkerSpec(stage=TELLING, depth=2)) for _ in range(2)]
    told.ready(*workers)
    for number in range(10):
        told.engine.give(workers[number % 2], a_case(f"case{number}"))
        if number >= 2:
            told.finished(f"case{number - 2}")
    told.finished("case8")
    told.finished("case9")
    ended = {e.outcome.case_id: e for e in told.of(Finished)}
    assert sorted(ended) == [f"case{n}" for n in range(10)]
    assert len(told.of(Finished)) == len(told.of(Started)) == 10
    assert all(e.outcome.failure is None for e in ended.values())
    assert [ended[f"case{n}"].worker for n in range(10)] == workers * 5
    assert len({e.outcome.seconds["node"] for e in ended.values()}) == 2
    assert {e.outcome.seconds["threads"] for e in ended.values()} == {1.0}


def test_a_worker_without_a_place_waits_and_gets_the_next_one(told: Listener) -> None:
    """So a cluster that grows is used, and one that is full is no failure; half a GPU is one's own.

    The only GPU holds two halves: another worker is ready once one of them has ended.
    """
    half = WorkerSpec(stage=TELLING, cpus=0.25, gpu_share=0.5)
    first, second = told.start(half), told.start(half)
    told.ready(first, second)
    never, next_one = told.start(half), told.start(half)
    for worker in (first, second):
        told.engine.give(worker, a_case(worker))
    assert {told.finished(worker).seconds["gpu"] for worker in (first, second)} == {0.0}
    told.events.extend(told.engine.wait(1.0))
    assert {e.worker for e in told.of(Ready)} == {first, second}
    told.engine.stop_worker(never)  # one that never had a place is ended as well
    told.engine.stop_worker(first)
    told.ready(next_one)
    assert {e.worker for e in told.of(Ready)} == {first, second, next_one}
    assert not told.of(Lost)


def test_a_worker_that_is_killed_is_lost_with_its_cases(told: Listener, tmp_path: Path) -> None:
    """The case it computed comes first; the other worker goes on."""
    spec = WorkerSpec(stage=STAND_IN, settings={"folder": str(tmp_path)}, cpus=0.5, depth=2)
    killed, other = told.start(spec), told.start(spec)
    told.ready(killed, other)
    told.engine.give(killed, a_case("hang-1"))
    told.engine.give(killed, a_case("next"))
    told.started("hang-1")
    os.kill(pid_of(tmp_path, "hang-1"), signal.SIGKILL)
    assert told.lost(killed) == Lost(
        worker=killed, held=("hang-1", "next"), why="the worker ended without a word"
    )
    told.engine.give(other, a_case("more"))
    assert told.finished("more").failure is None


def test_a_hanging_worker_is_ended_at_once_with_what_it_started(told: Listener) -> None:
    """A segmenter is a process of its own; nothing more is heard, and its place is free again."""
    spec = WorkerSpec(stage=TELLING, settings={"with_child": True}, gpu_share=1.0)
    hanging = told.start(spec)
    told.ready(hanging)
    told.engine.give(hanging, a_case("one"))
    seen = told.finished("one").seconds
    told.engine.give(hanging, a_case("hang"))
    told.started("hang")
    told.engine.stop_worker(hanging, at_once=True)
    for name in ("pid", "child"):
        assert wait_until(lambda name=name: not _runs(int(seen[name])), seconds=10)  # type: ignore[misc]
    told.ready(told.start(WorkerSpec(stage=TELLING, gpu_share=1.0)))
    assert not told.of(Lost)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_stage_that_cannot_start_says_why(told: Listener) -> None:
    """What is missing on a node can be mended only by who is told; no path of it is shown."""
    worker = told.start(WorkerSpec(stage="cluster_stages:open_broken"))
    assert told.lost(worker).why == (
        "the worker could not start: weights are missing; osteoct weights fetch"
    )


def test_a_case_at_fault_costs_no_worker_and_one_that_is_to_end_says_nothing(
    told: Listener,
) -> None:
    """The loop is the one of every engine; its outcomes come back whole."""
    worker = told.start(WorkerSpec(stage=STAND_IN))
    told.ready(worker)
    told.engine.give(worker, a_case("bad-1"))
    failure = told.finished("bad-1").failure
    assert failure is not None
    assert failure.cause is Cause.INPUT
    told.engine.stop_worker(worker)
    told.events.extend(told.engine.wait(1.0))
    assert not told.of(Lost)


def test_more_memory_than_a_worker_may_have_ends_it(told: Listener) -> None:
    """One greedy case must not end the others of its node; lack of memory is told apart."""
    worker = told.start(WorkerSpec(stage=STAND_IN, memory_mib=600))
    told.ready(worker)
    told.engine.give(worker, a_case("hungry-1"))
    assert told.lost(worker) == Lost(
        worker=worker,
        held=("hungry-1",),
        why="used more than its 600 MiB of memory",
        is_out_of_memory=True,
    )


def test_a_node_out_of_memory_is_told_apart(cluster: Cluster, told: Listener) -> None:
    """Ray ends workers of a node whose memory is nearly used up: here 1 % counts as that."""
    node = cluster.join("--num-cpus=1", "--num-gpus=4", RAY_memory_usage_threshold="0.01")
    lost = told.lost(told.start(WorkerSpec(stage=STAND_IN, gpu_share=4.0)))
    kill(node)
    assert lost.is_out_of_memory
    assert lost.why == "its node ran out of memory and Ray ended the worker"


def test_a_cluster_is_used_from_a_host_that_is_no_node(cluster: Cluster) -> None:
    """A laptop speaks with a cluster through one port."""
    address = f"ray://127.0.0.1:{cluster.client_port}"
    engine = RayEngine(EngineOptions(workers=(1, 1), address=address))
    try:
        told = Listener(engine)
        worker = told.start(WorkerSpec(stage=STAND_IN))
        told.ready(worker)
        engine.give(worker, a_case("one"))
        assert told.finished("one").failure is None
    finally:
        engine.close()


_ABANDONED = """
import sys, time
from osteoct.run.engines.cluster import RayEngine
from osteoct.run.engines.interface import EngineOptions, Finished, Ready, WorkerSpec
from osteoct.run.records import Inputs, WorkItem

engine = RayEngine(EngineOptions(workers=(1, 1), address=sys.argv[1]))
engine.start_worker("w1", WorkerSpec(stage="cluster_stages:open_telling"))
while True:
    for event in engine.wait(1.0):
        if isinstance(event, Ready):
            engine.give("w1", WorkItem(case_id="a", key="k", inputs=Inputs(ct=("x",)), bytes_in=1))
        if isinstance(event, Finished):
            print(engine._process.pid, int(event.outcome.seconds["pid"]), flush=True)
"""


def test_a_coordinator_that_is_killed_leaves_nothing_behind(cluster: Cluster) -> None:
    """Who pulls the plug must not find the cluster's places taken for ever."""
    with subprocess.Popen(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", _ABANDONED, cluster.address], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        go_between, actor = map(int, process.stdout.readline().split())
        process.kill()
    assert wait_until(lambda: not _runs(go_between) and not _runs(actor), seconds=20)


def test_a_node_that_is_gone_takes_its_workers(cluster: Cluster, told: Listener) -> None:
    """The node with the GPU loses power; the worker of the head goes on."""
    gone = told.start(WorkerSpec(stage=STAND_IN, gpu_share=1.0))
    told.ready(gone)
    other = told.start(WorkerSpec(stage=STAND_IN))
    told.ready(other)
    told.engine.give(gone, a_case("hang-1"))
    told.started("hang-1")
    kill(cluster.nodes[1])
    lost = told.lost(gone)
    assert lost.held == ("hang-1",)
    assert lost.why in {"its node is gone", "the worker ended without a word"}
    assert not lost.is_out_of_memory
    told.engine.give(other, a_case("more"))
    assert told.finished("more").failure is None


def test_a_scheduler_that_is_gone_ends_the_run_in_time(cluster: Cluster, told: Listener) -> None:
    """The coordinator lives, gives back what it had, and is told within the stated time."""
    worker = told.start(WorkerSpec(stage=STAND_IN))
    told.ready(worker)
    told.engine.give(worker, a_case("hang-1"))
    told.started("hang-1")
    kill(cluster.nodes[0])
    killed = time.monotonic()
    with pytest.raises(EngineLostError, match="--resume"):
        told.until(lambda: False)
    assert time.monotonic() - killed < LOST_S + 2
    told.engine.close()
    assert time.monotonic() - killed < LOST_S + 2 + 15


def test_a_cluster_of_this_machine_begins_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No process, no file, no word on the terminal; a worker nobody can hold is told at once."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    others = set(psutil.Process().children(recursive=True))  # the cluster of the other tests
    engine = RayEngine(EngineOptions(workers=(1, 3)))
    try:
        told = Listener(engine)
        worker = told.start(WorkerSpec(stage=STAND_IN))
        impossible = told.start(WorkerSpec(stage=STAND_IN, gpu_share=1.0))
        told.ready(worker)
        engine.give(worker, a_case("one"))
        assert told.finished("one").failure is None
        assert told.lost(impossible).why == "no node of the cluster has 1 CPU, 1 GPU"
        family = [p for p in psutil.Process().children(recursive=True) if p not in others]
        assert len(family) > 3  # scheduler, node, workers
        folder = Path(str(engine._folder))
        assert folder.exists()
    finally:
        engine.close()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not [p for p in alive if _runs(p.pid)]
    assert not folder.exists()
    assert not list(here.iterdir())
    assert not list(home.iterdir())
    assert capfd.readouterr() == ("", "")


def test_an_address_where_nobody_listens_is_one_line_within_seconds() -> None:
    """A mistyped port must not look like a slow cluster."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: refused
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        engine = RayEngine(EngineOptions(workers=(1, 1), address=address))
        began = time.monotonic()
        with pytest.raises(EngineLostError) as caught:
            engine.start_worker("w1", WorkerSpec(stage=STAND_IN))
    assert time.monotonic() - began < 5
    assert caught.value.line == (
        "--cluster: the cluster does not answer; "
        f"found Connection refused at {address}; is it running, and can this host reach it?"
    )


def test_something_else_that_listens_is_not_waited_for_long() -> None:
    """A web server at the address never answers as a scheduler."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        engine = RayEngine(EngineOptions(workers=(1, 1), address=address), join_s=2.0)
        with pytest.raises(EngineLostError, match="does not answer"):
            engine.start_worker("w1", WorkerSpec(stage=STAND_IN))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is optional; who asks for it learns what to install."""
    monkeypatch.setitem(sys.modules, "ray", None)
    engine = RayEngine(EngineOptions(workers=(1, 1)))
    with pytest.raises(DependencyError, match=r"osteoct\[cluster\]"):
        engine.start_worker("w1", WorkerSpec(stage=STAND_IN))
