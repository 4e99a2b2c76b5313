"""The one who hands out work: claims cases, gives them to workers, judges what comes back.

It is the only writer of the ledger, so a worker may die at any moment without leaving it wrong, and
the coordinator may: what it had claimed is given out again, what lies in the store is kept.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from osteoct.errors import OutputError, RunError
from osteoct.run.breaker import Breaker
from osteoct.run.crew import Crew, Worker
from osteoct.run.engines.interface import (
    Engine,
    Event,
    Finished,
    Lost,
    Ready,
    Started,
    WorkerSpec,
)
from osteoct.run.judging import ATTEMPTS, judge
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.ledger.records import Claim
from osteoct.run.progress import Pace, RunProgress
from osteoct.run.records import Cause, Outcome, State, WorkItem
from osteoct.run.tally import Tally

LEASE_S: Final = 300.0
"""A coordinator that gives no sign for so long is taken for dead; a pause of the machine is not."""

_RENEW_S: Final = LEASE_S / 5
_WAIT_S: Final = 0.5
"""Longest wait for an event: how late a time limit, a stop or a progress line may come."""

_TELL_S: Final = 0.5
_FAILED_STARTS: Final = 3
"""Workers that end before they are ready, one after the other, before the run gives up."""


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """What a run may do.

    Parameters
    ----------
    workers
        Fewest and most workers.
    attempts
        Attempts per case.
    time_s
        Longest time for one case; ``None`` for as long as it takes.
    cases
        Cases to give out in this run; ``None`` for all.
    only
        Ids of the cases to give out; ``None`` for all.
    """

    workers: tuple[int, int] = (1, 1)
    attempts: int = ATTEMPTS
    time_s: float | None = None
    cases: int | None = None
    only: Collection[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What a run asks and tells others.

    Parameters
    ----------
    watch
        Told how far the run is, now and then.
    check_store
        Raises where nothing can be written any more: then no further case is tried.
    expected_mib
        Estimate of a case's memory; ``None`` where it is not known.
    awaits_more
        Whether somebody else goes on planning: the run then waits for it where nothing is left.
    """

    watch: Callable[[RunProgress], None] = lambda _: None
    check_store: Callable[[], None] = lambda: None
    expected_mib: Callable[[WorkItem], float | None] = lambda _: None
    awaits_more: Callable[[], bool] = lambda: False


class Coordinator:
    """Runs the pending cases of a ledger on an engine until none is left.

    Parameters
    ----------
    owner
        Name of this coordinator in the ledger, unlike that of every other one.
    specs
        What workers are made from: one per device.
    """

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        specs: tuple[WorkerSpec, ...],
        *,
        owner: str,
        limits: RunLimits | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._owner = owner
        self._limits = limits or RunLimits()
        self._hooks = hooks or Hooks()
        self._specs = specs
        self._crew = Crew(engine, specs)
        self._tally = Tally()
        self._breaker = Breaker()
        self._counts: Counter[State] = Counter()
        self._is_stopping = False
        now = time.monotonic()
        self._pace = Pace(now)
        self._renewed = self._told = now

    def request_stop(self) -> None:
        """Give out nothing more; the cases that workers hold are finished first."""
        self._is_stopping = True

    def run(self) -> RunProgress:
        """Work until nothing is left, and return how it ended.

        Raises
        ------
        RunError
            Workers do not start, every case fails for the machine's sake, the store cannot be
            written, or the engine is gone. What was claimed has been given back.
        """
        self._counts = Counter(self._ledger.counts())
        try:
            while self._go_on():
                for event in self._engine.wait(_WAIT_S):
                    self._hear(event)
                self._end_hanging()
                self._renew()
                self._tell()
        finally:
            self._give_everything_back()
            self._engine.close()
        return self.progress()

    def progress(self) -> RunProgress:
        """How far the run is at this moment."""
        now = time.monotonic()
        rate = self._pace.rate(now)
        moment = RunProgress(
            counts=dict(self._counts),
            finished=self._pace.finished,
            running={w.name: w.held[0].item.case_id for w in self._crew if w.held},
            workers=len(self._crew),
            elapsed_s=round(self._pace.elapsed(now), 3),
            rate_per_s=rate,
            dashboard=self._engine.dashboard,
        )
        left = None if rate is None else moment.left / rate
        return moment.model_copy(update={"seconds_left": left})

    # what goes out

    def _go_on(self) -> bool:
        """Give out what can be given; whether there is anything to wait for."""
        self._tally.is_dry = self._is_stopping
        self._claim()
        self._staff()
        self._hand_out()
        if self._tally.waiting or any(worker.held for worker in self._crew):
            return True
        if self._is_stopping or not self._hooks.awaits_more():
            return False
        if not len(self._crew):  # an engine without workers answers at once
            time.sleep(_WAIT_S)
        return True

    def _claim(self) -> None:
        """Have as many cases at hand as workers could take, and no more: others may work too."""
        if self._is_stopping:
            return
        rooms = sum(w.spec.depth - len(w.held) for w in self._crew)
        missing = max(self._limits.workers[1] - len(self._crew), 0)
        wanted = rooms + missing - len(self._tally.waiting)
        if self._limits.cases is not None:
            wanted = min(wanted, self._limits.cases - self._tally.given)
        if wanted < 1:
            return
        claims = self._ledger.claim(self._owner, wanted, lease_s=LEASE_S, only=self._limits.only)
        self._tally.is_dry = len(claims) < wanted
        self._tally.given += len(claims)
        self._count(State.PENDING, -len(claims))
        self._count(State.RUNNING, len(claims))
        self._tally.waiting.extend(claims)

    def _staff(self) -> None:
        """As many workers as there is work for, within the limits."""
        now = time.monotonic()
        fewest, most = self._limits.workers
        free = sum(1 for w in self._crew if not w.held)
        while len(self._crew) < most and free < len(self._tally.waiting):
            self._crew.start(now)
            free += 1
        if not self._tally.is_dry or self._tally.waiting:
            return
        for worker in self._crew:
            if len(self._crew) > fewest and not worker.held:
                # one that is not ready yet would go on asking a cluster for a place
                self._crew.let_go(worker, at_once=not worker.is_ready)

    def _hand_out(self) -> None:
        """Give waiting cases to workers with room."""
        for _ in range(len(self._tally.waiting)):
            claim = self._tally.waiting.popleft()
            if self._is_refused(claim):
                continue
            worker = self._worker_for(claim)
            if worker is None:
                self._tally.waiting.append(claim)
            else:
                self._crew.give(worker, claim, time.monotonic())

    def _worker_for(self, claim: Claim) -> Worker | None:
        """The least busy worker that may take a case."""
        able = [worker for worker in self._crew if worker.can_take(claim)]
        return min(able, key=lambda w: len(w.held), default=None)

    def _is_refused(self, claim: Claim) -> bool:
        """Refuse a case that no worker could hold in memory, before it ends one."""
        most = max(spec.memory_mib or 0 for spec in self._specs)
        needed = self._hooks.expected_mib(claim.item)
        if not most or needed is None or needed <= most:
            return False
        words = (
            f"would need about {needed:.0f} MiB; found {most} MiB per worker; "
            "use fewer workers or --memory"
        )
        outcome = Outcome.failed(claim.item, Cause.MEMORY, "TooLarge", words)
        self._close(outcome, State.REFUSED, worker="")
        return True

    # what comes back

    def _hear(self, event: Event) -> None:
        """Take in one event; what a worker tells that was let go is over already."""
        worker = self._crew.find(event.worker)
        if worker is None:
            return
        worker.heard = time.monotonic()
        match event:
            case Ready():
                worker.is_ready = True
                self._tally.failed_starts = 0
            case Started(case_id=case_id):
                self._begin(worker, case_id)
            case Finished(outcome=outcome):
                self._finish(worker, outcome)
            case Lost():
                self._lose(worker, event)

    def _begin(self, worker: Worker, case_id: str) -> None:
        """A worker took up a case: an attempt begins."""
        if case_id not in worker.begun:
            worker.begun.add(case_id)
            self._ledger.begin(self._owner, case_id, worker=worker.name)

    def _finish(self, worker: Worker, outcome: Outcome) -> None:
        """An attempt ended, well or not."""
        claim = worker.take_off(outcome.case_id)
        if claim is None:
            return
        cause = None if outcome.failure is None else outcome.failure.cause
        if cause is Cause.OUTPUT:
            self._check_store(claim)
        state = judge(outcome, attempt=claim.attempt, attempts=self._limits.attempts)
        self._close(outcome, state, worker=worker.name)
        self._tally.spared = self._breaker.note(outcome)
        if self._tally.spared:
            raise RunError(
                "every case fails for the machine's sake",
                found=f"{outcome.failure.message if outcome.failure else ''}"
                f" ({len(self._tally.spared)} cases one after the other)",
                hint="mend it and go on with --resume; these cases were not counted as tried",
            )

    def _check_store(self, claim: Claim) -> None:
        """Where nothing can be written the run ends, and the case has not been tried."""
        try:
            self._hooks.check_store()
        except OutputError as error:
            self._ledger.give_back(self._owner, [claim.item.case_id])
            raise RunError(
                "results cannot be written any more",
                found=error.line,
                hint="free some space and go on with --resume",
            ) from error

    def _lose(self, worker: Worker, event: Lost) -> None:
        """A worker is gone. Of two cases it is not known which one ended it: both go alone."""
        self._crew.let_go(worker, is_gone=True)
        if not worker.is_ready:
            self._count_failed_start(event.why)
        if len(worker.held) == 1:
            cause = Cause.MEMORY if event.is_out_of_memory else Cause.CRASH
            self._charge(worker, worker.held[0], cause, "WorkerLost", event.why)
        elif worker.held:
            self._give_back(worker.held, alone=True)

    def _count_failed_start(self, why: str) -> None:
        """Give up where workers end before they are ready, again and again."""
        self._tally.failed_starts += 1
        if self._tally.failed_starts >= _FAILED_STARTS:
            raise RunError("workers do not start", found=why, wanted="one that is ready")

    def _end_hanging(self) -> None:
        """End workers whose case takes longer than it may."""
        if self._limits.time_s is None:
            return
        now = time.monotonic()
        for worker in self._crew:
            if not worker.held or now - worker.heard <= self._limits.time_s:
                continue
            self._crew.let_go(worker, at_once=True)
            hung, *others = worker.held
            self._charge(
                worker, hung, Cause.TIME, "TimeLimit", f"took more than {self._limits.time_s:g} s"
            )
            self._give_back(others, alone=False)

    def _charge(self, worker: Worker, claim: Claim, cause: Cause, kind: str, why: str) -> None:
        """An attempt that ended with its worker."""
        self._begin(worker, claim.item.case_id)
        outcome = Outcome.failed(claim.item, cause, kind, why)
        state = judge(outcome, attempt=claim.attempt, attempts=self._limits.attempts)
        self._close(outcome, state, worker=worker.name)

    def _close(self, outcome: Outcome, state: State, *, worker: str) -> None:
        """Write down what became of an attempt."""
        self._ledger.finish(self._owner, outcome, state=state, worker=worker)
        self._count(State.RUNNING, -1)
        self._count(state, 1)
        if state.is_over:
            self._pace.count(time.monotonic())
        else:
            self._tally.given -= 1

    def _give_back(self, claims: Collection[Claim], *, alone: bool) -> None:
        """Return cases that nothing is known against."""
        if not claims:
            return
        self._ledger.give_back(self._owner, [c.item.case_id for c in claims], alone=alone)
        self._tally.given -= len(claims)
        self._count(State.RUNNING, -len(claims))
        self._count(State.PENDING, len(claims))

    def _give_everything_back(self) -> None:
        """Return what is claimed and not done, whatever ended the run."""
        held = [claim for worker in self._crew for claim in worker.held]
        self._give_back((*held, *self._tally.waiting), alone=False)
        self._tally.waiting.clear()
        for worker in self._crew:
            worker.held.clear()
        if self._tally.spared:  # one of them may have been tried again until now
            self._ledger.reset(states=None, case_ids=self._tally.spared)

    # time

    def _renew(self) -> None:
        now = time.monotonic()
        if now - self._renewed >= _RENEW_S:
            self._ledger.renew(self._owner, lease_s=LEASE_S)
            self._renewed = now

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told >= _TELL_S:
            if self._hooks.awaits_more():  # another one plans: only the ledger knows
                self._counts = Counter(self._ledger.counts())
            self._hooks.watch(self.progress())
            self._told = now

    def _count(self, state: State, change: int) -> None:
        self._counts[state] += change
