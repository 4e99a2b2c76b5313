"""A batch never loses a case, whatever happens to its workers: real processes that really die."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from osteoct.errors import OutputError, RunError
from osteoct.run.coordinator import Coordinator, Hooks, RunLimits
from osteoct.run.engines.interface import WorkerSpec
from osteoct.run.engines.local import LocalEngine
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.progress import RunProgress
from osteoct.run.records import Cause, Inputs, State, WorkItem
from osteoct.run.testing import STAGE


def item(case_id: str) -> WorkItem:
    return WorkItem(
        case_id=case_id, key=f"key-{case_id}", inputs=Inputs(ct=("/nowhere",)), bytes_in=1
    )


@pytest.fixture
def ledger(tmp_path: Path):
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}", create=True) as opened:
        yield opened


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    folder = tmp_path / "traces"
    folder.mkdir()
    return folder


def coordinator(
    ledger: Ledger,
    traces: Path,
    *,
    limits: RunLimits | None = None,
    hooks: Hooks | None = None,
    depth: int = 1,
    memory_mib: int | None = None,
    **settings: object,
) -> Coordinator:
    spec = WorkerSpec(
        stage=STAGE,
        settings={"folder": str(traces), **settings},
        depth=depth,
        memory_mib=memory_mib,
    )
    return Coordinator(
        ledger,
        LocalEngine(),
        (spec,),
        owner="test",
        limits=limits or RunLimits(workers=(1, 2)),
        hooks=hooks,
    )


def states(ledger: Ledger) -> dict[str, State]:
    return {row.case_id: row.state for row in ledger.rows()}


def attempts(traces: Path, case_id: str) -> int:
    return len((traces / case_id).read_bytes().splitlines())


@pytest.mark.parametrize("depth", [1, 2])
def test_every_case_is_done_once(ledger, traces, depth) -> None:
    """The plain path: each case attempted exactly once, whether or not the next is read ahead."""
    names = [f"case{n}" for n in range(25)]
    ledger.record(map(item, names))
    end = coordinator(ledger, traces, depth=depth).run()
    assert set(states(ledger).values()) == {State.DONE}
    assert all(attempts(traces, name) == 1 for name in names)
    assert (end.finished, end.left) == (25, 0)


def test_a_run_waits_for_what_is_still_planned(ledger, traces) -> None:
    """Cases that are planned while nothing is left are done by the worker that is there already."""
    later = iter("bc")

    def plan_more(now: RunProgress) -> None:
        assert now.left >= 0
        if not now.left:
            name = next(later, None)
            if name is None:
                made.request_stop()
            else:
                ledger.record([item(name)])

    limits = RunLimits(workers=(1, 1))
    hooks = Hooks(watch=plan_more, awaits_more=lambda: True)
    made = coordinator(ledger, traces, limits=limits, hooks=hooks)
    end = made.run()  # begins with an empty ledger
    assert states(ledger) == dict.fromkeys("bc", State.DONE)
    assert (end.finished, end.left) == (2, 0)
    assert len({(traces / name).read_bytes() for name in "bc"}) == 1


@pytest.mark.parametrize("depth", [1, 2])
def test_a_poison_case_costs_itself_alone(ledger, traces, depth) -> None:
    """A case that ends every worker is set aside; with two in a worker the innocent one is done."""
    ledger.record(map(item, ["a", "crash-1", "b", "flaky-1", "c", "bad-1", "oops-1", "d"]))
    coordinator(ledger, traces, depth=depth).run()
    found = states(ledger)
    assert {n for n, s in found.items() if s is State.DONE} == {"a", "b", "c", "d", "flaky-1"}
    assert found["crash-1"] is State.SET_ASIDE
    assert found["bad-1"] is State.FAILED
    assert found["oops-1"] is State.SET_ASIDE
    rows = {row.case_id: row for row in ledger.rows()}
    assert rows["crash-1"].attempts == 3
    assert rows["crash-1"].failure.cause is Cause.CRASH
    assert "SIGKILL" in rows["crash-1"].failure.message
    assert rows["bad-1"].attempts == 1
    assert "a-name" not in rows["bad-1"].failure.message
    assert "hold a name" not in rows["oops-1"].failure.message


def test_one_case_in_twenty_is_poison(ledger, traces) -> None:
    """Each of them costs its own attempts, and every other case is done."""
    names = [f"crash-{n}" if n % 20 == 7 else f"case{n}" for n in range(60)]
    ledger.record(map(item, names))
    coordinator(ledger, traces, limits=RunLimits(workers=(1, 2), attempts=2), depth=2).run()
    found = states(ledger)
    assert {n for n, s in found.items() if s is State.SET_ASIDE} == {
        "crash-7",
        "crash-27",
        "crash-47",
    }
    assert all(s is State.DONE for n, s in found.items() if n.startswith("case"))


def test_a_case_that_hangs_is_ended_at_its_limit(ledger, traces) -> None:
    """Time runs per case, and the worker's other case is not charged for it."""
    ledger.record(map(item, ["hang-1", "a", "b"]))
    limits = RunLimits(workers=(1, 1), attempts=2, time_s=1.0)
    coordinator(ledger, traces, limits=limits, depth=2).run()
    rows = {row.case_id: row for row in ledger.rows()}
    assert rows["hang-1"].failure.cause is Cause.TIME
    assert [rows[name].attempts for name in ("hang-1", "a", "b")] == [2, 1, 1]
    assert rows["a"].state is rows["b"].state is State.DONE


def test_a_hungry_case_is_ended_before_the_machine_suffers(ledger, traces) -> None:
    """Memory is watched from outside, and named as the reason."""
    ledger.record(map(item, ["hungry-1", "a"]))
    limits = RunLimits(workers=(1, 1), attempts=1)
    coordinator(ledger, traces, limits=limits, memory_mib=400).run()
    rows = {row.case_id: row for row in ledger.rows()}
    assert rows["hungry-1"].failure.cause is Cause.MEMORY
    assert "400 MiB" in rows["hungry-1"].failure.message
    assert rows["a"].state is State.DONE


def test_what_cannot_fit_is_refused_and_never_tried(ledger, traces) -> None:
    """Exactly at the limit a case is tried; above it, it never reaches a worker."""
    ledger.record(map(item, ["fits", "large"]))
    sizes = {"fits": 400.0, "large": 400.1}
    hooks = Hooks(expected_mib=lambda work: sizes[work.case_id])
    coordinator(ledger, traces, memory_mib=400, hooks=hooks).run()
    assert states(ledger) == {"fits": State.DONE, "large": State.REFUSED}
    assert not (traces / "large").exists()


def test_a_full_disk_ends_the_run_and_charges_nobody(ledger, traces) -> None:
    """Failing an archive of cases one by one on a full disk would lose a night."""

    def full() -> None:
        raise OutputError("disk full", found="0 bytes free")

    ledger.record(map(item, ["full-1", "full-2", "full-3"]))
    with pytest.raises(RunError, match="0 bytes free"):
        coordinator(ledger, traces, hooks=Hooks(check_store=full)).run()
    assert set(states(ledger).values()) == {State.PENDING}
    assert {row.attempts for row in ledger.rows()} == {0}


def test_a_machine_that_fails_every_case_ends_the_run(ledger, traces) -> None:
    """Ten different cases in a row: nothing is tried further, and they count as untried."""
    ledger.record(item(f"gpu-{n}") for n in range(40))
    with pytest.raises(RunError, match="10 cases"):
        coordinator(ledger, traces).run()
    assert set(states(ledger).values()) == {State.PENDING}
    assert {row.attempts for row in ledger.rows()} <= {0, 1}


def test_workers_that_cannot_start_end_the_run(ledger) -> None:
    """The reason is told instead of starting workers for ever."""
    ledger.record([item("a")])
    spec = WorkerSpec(stage="osteoct.nowhere:open_nothing")
    running = Coordinator(ledger, LocalEngine(), (spec,), owner="test")
    with pytest.raises(RunError, match="a stage cannot be loaded"):
        running.run()
    assert states(ledger) == {"a": State.PENDING}


def test_a_stop_finishes_what_was_begun(ledger, traces) -> None:
    """Ctrl-C: cases in work are finished, the others stay pending, and nothing is charged."""
    ledger.record(item(f"case{n}") for n in range(30))

    def stop(now: RunProgress) -> None:
        if now.finished:
            running.request_stop()

    running = coordinator(ledger, traces, hooks=Hooks(watch=stop), seconds=0.2)
    running.run()
    counts = ledger.counts()
    assert counts[State.RUNNING] == 0
    assert counts[State.DONE] >= 1
    assert counts[State.PENDING] >= 1
    assert sum(counts.values()) == 30


def test_a_limit_of_cases_is_kept_though_attempts_fail(ledger, traces) -> None:
    """A repeated case counts once."""
    ledger.record(map(item, ["flaky-1", "a", "b", "c", "d"]))
    coordinator(ledger, traces, limits=RunLimits(workers=(1, 1), cases=3)).run()
    assert ledger.counts()[State.DONE] == 3


def test_two_coordinators_share_a_ledger(ledger, traces, tmp_path) -> None:
    """No case twice, none lost."""
    ledger.record(item(f"case{n}") for n in range(40))

    def other() -> None:
        with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}", create=False) as mine:
            spec = WorkerSpec(stage=STAGE, settings={"folder": str(traces)})
            Coordinator(mine, LocalEngine(), (spec,), owner="other").run()

    thread = threading.Thread(target=other)
    thread.start()
    coordinator(ledger, traces).run()
    thread.join()
    assert set(states(ledger).values()) == {State.DONE}
    assert all(attempts(traces, f"case{n}") == 1 for n in range(40))


def test_no_worker_outlives_a_run(ledger, traces) -> None:
    """Processes are ended with the run, also one that hangs."""
    ledger.record([item("hang-1")])
    limits = RunLimits(workers=(1, 1), attempts=1, time_s=0.5)
    coordinator(ledger, traces, limits=limits).run()
    pid = int((traces / "hang-1").read_bytes().splitlines()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
