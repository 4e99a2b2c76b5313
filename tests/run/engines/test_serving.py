"""The loop of a worker, without any engine: what is told and when, what runs beside what."""

from __future__ import annotations

import gc
import queue
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from osteoct.errors import SegmenterUnavailableError
from osteoct.run.engines.interface import Event, Finished, Lost, Ready, Started, WorkerSpec
from osteoct.run.engines.serving import serve
from osteoct.run.records import Cause, Inputs, Outcome, WorkItem

LONG_S = 5.0
"""Far more than anything here takes: only a test that fails waits for it."""


class Read:
    """What was prepared for a case; can be watched until nobody holds it."""

    def __init__(self, case_id: str) -> None:
        self.case_id = case_id


class Stage:
    """Notes what is called, by which thread."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self.settings = settings
        self.calls: list[tuple[str, str, str]] = []
        self.is_open = True
        self.prepared: dict[str, threading.Event] = {}
        self.reads: dict[str, weakref.ref[Read]] = {}

    def prepare(self, item: WorkItem) -> Read:
        self.calls.append(("prepare", item.case_id, threading.current_thread().name))
        read = Read(item.case_id)
        self.reads[item.case_id] = weakref.ref(read)
        self.prepared.setdefault(item.case_id, threading.Event()).set()
        if item.case_id == "unreadable":
            raise ValueError("Doe^Jane")
        return read

    def process(self, item: WorkItem, prepared: object) -> Outcome:
        self.calls.append(("process", item.case_id, threading.current_thread().name))
        assert isinstance(prepared, Read)
        assert prepared.case_id == item.case_id
        if item.case_id == "greedy":
            raise MemoryError
        if item.case_id == "leaves":
            raise SystemExit(3)
        waited_for = self.settings.get(item.case_id)
        if waited_for is not None:  # done only when another case has been prepared meanwhile
            assert self.prepared.setdefault(str(waited_for), threading.Event()).wait(LONG_S)
        return Outcome(case_id=item.case_id, key=item.key)


_OPENED: list[Stage] = []


@contextmanager
def open_stage(settings: Mapping[str, object]) -> Iterator[Stage]:
    stage = Stage(settings)
    _OPENED.append(stage)
    try:
        yield stage
    finally:
        stage.is_open = False


@contextmanager
def open_broken(_: Mapping[str, object]) -> Iterator[Stage]:
    raise SegmenterUnavailableError(
        "weights are missing", where="/home/doe", hint="osteoct weights fetch"
    )
    yield  # pragma: no cover


def a_case(case_id: str) -> WorkItem:
    return WorkItem(case_id=case_id, key="k", inputs=Inputs(ct=("ct",)), bytes_in=1)


def run(
    *case_ids: str, depth: int = 1, settings: Mapping[str, object] | None = None, stage: str = ""
) -> tuple[list[Event], Stage | None]:
    """Serve some cases; what was told, and the stage."""
    _OPENED.clear()
    told: list[Event] = []
    cases: queue.SimpleQueue[WorkItem | None] = queue.SimpleQueue()
    for case_id in case_ids:
        cases.put(a_case(case_id))
    cases.put(None)
    spec = WorkerSpec(stage=stage or f"{__name__}:open_stage", settings=settings or {}, depth=depth)
    serve(spec, cases.get, told.append, worker="w1")
    return told, _OPENED[0] if _OPENED else None


@pytest.mark.parametrize("depth", [1, 2])
def test_each_case_is_taken_up_and_finished_in_the_order_it_came(depth: int) -> None:
    """The coordinator times and charges cases by these events."""
    told, stage = run("a", "b", depth=depth)

    def outcome(case_id: str) -> Outcome:
        return Outcome(case_id=case_id, key="k")

    assert told == [
        Ready(worker="w1"),
        Started(worker="w1", case_id="a"),
        Finished(worker="w1", outcome=outcome("a")),
        Started(worker="w1", case_id="b"),
        Finished(worker="w1", outcome=outcome("b")),
    ]
    assert stage is not None
    assert not stage.is_open


def test_with_two_at_once_the_next_case_is_read_while_the_first_is_computed() -> None:
    """That is what depth 2 is for; case a waits until b has been prepared."""
    told, stage = run("a", "b", depth=2, settings={"a": "b"})
    assert [e.outcome.failure for e in told if isinstance(e, Finished)] == [None, None]
    assert stage is not None
    main = threading.current_thread().name
    assert {t for what, _, t in stage.calls if what == "process"} == {main}
    assert {t for what, _, t in stage.calls if what == "prepare"} == {"prepare"}


def test_with_one_at_a_time_nothing_is_read_ahead() -> None:
    """Depth 1 is for memory: only one CT is held, and one thread works."""
    _, stage = run("a", "b")
    assert stage is not None
    assert [call[:2] for call in stage.calls] == [
        ("prepare", "a"),
        ("process", "a"),
        ("prepare", "b"),
        ("process", "b"),
    ]


@pytest.mark.parametrize("depth", [1, 2])
def test_what_was_read_is_not_kept_while_the_worker_waits(depth: int) -> None:
    """A CT of a gigabyte that stays behind would halve what fits."""
    cases: queue.SimpleQueue[WorkItem | None] = queue.SimpleQueue()
    done = threading.Event()

    def tell(event: Event) -> None:
        if isinstance(event, Finished):
            done.set()

    _OPENED.clear()
    spec = WorkerSpec(stage=f"{__name__}:open_stage", depth=depth)
    worker = threading.Thread(
        target=serve, args=(spec, cases.get, tell), kwargs={"worker": "w1"}, daemon=True
    )
    worker.start()
    cases.put(a_case("a"))
    assert done.wait(LONG_S)
    gc.collect()
    left = _OPENED[0].reads["a"]()
    cases.put(None)
    worker.join(LONG_S)
    assert left is None


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize(
    ("case_id", "cause"), [("unreadable", Cause.INTERNAL), ("greedy", Cause.MEMORY)]
)
def test_what_a_stage_raises_costs_the_case_alone(depth: int, case_id: str, cause: Cause) -> None:
    """Loading a model anew for each mistake would cost more than the mistake; no name is told."""
    told, _ = run(case_id, "b", depth=depth)
    first, second = (e.outcome for e in told if isinstance(e, Finished))
    assert first.failure is not None
    assert first.failure.cause is cause
    assert "Doe" not in first.failure.message
    assert second.failure is None


@pytest.mark.parametrize("depth", [1, 2])
def test_an_exit_ends_the_worker(depth: int) -> None:
    """A package that calls exit means it; the engine then sees that the worker is gone."""
    with pytest.raises(SystemExit):
        run("leaves", "b", depth=depth)
    assert not _OPENED[0].is_open


def test_a_stage_that_cannot_be_opened_says_why_and_shows_no_path() -> None:
    """Without its reason a run would end with 'exit code 1'."""
    told, _ = run("a", stage=f"{__name__}:open_broken")
    (lost,) = told
    assert isinstance(lost, Lost)
    assert lost.why == ("the worker could not start: weights are missing; osteoct weights fetch")


@pytest.mark.parametrize("stage", ["no.such.module:open", "osteoct.errors:nothing", "errors"])
def test_a_stage_that_does_not_exist_is_told(stage: str) -> None:
    """A version of the package that differs between hosts ends here."""
    (lost,) = run("a", stage=stage)[0]
    assert isinstance(lost, Lost)
    assert f"found {stage}" in lost.why


@pytest.mark.parametrize("depth", [1, 2])
def test_a_channel_that_breaks_ends_the_worker(depth: int) -> None:
    """Where nobody gives cases any more there is no reason to stay."""

    def receive() -> WorkItem | None:
        raise EOFError

    spec = WorkerSpec(stage=f"{__name__}:open_stage", depth=depth)
    with pytest.raises(EOFError):
        serve(spec, receive, lambda _: None, worker="w1")
