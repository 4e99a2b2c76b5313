"""The workers of a run and what each holds, as the coordinator knows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from osteoct.run.engines.interface import Engine, WorkerId, WorkerSpec
from osteoct.run.ledger.records import Claim


@dataclass(kw_only=True, eq=False)
class Worker:
    """One worker.

    Parameters
    ----------
    is_ready
        Whether it has loaded what it needs.
    held
        Its cases, the one it computes first.
    begun
        Cases that it said it took up.
    heard
        When it last gave a sign, or got something to do after having nothing (monotonic seconds).
    """

    name: WorkerId
    spec: WorkerSpec
    heard: float
    is_ready: bool = False
    held: list[Claim] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)

    def can_take(self, claim: Claim) -> bool:
        """Whether a case may be given to it: one that is to be alone shares with no other."""
        if not self.is_ready or len(self.held) >= self.spec.depth:
            return False
        return not (self.held and (claim.alone or self.held[0].alone))

    def take_off(self, case_id: str) -> Claim | None:
        """Forget a case that it is done with."""
        claim = next((c for c in self.held if c.item.case_id == case_id), None)
        if claim is not None:
            self.held.remove(claim)
            self.begun.discard(case_id)
        return claim


class Crew:
    """All workers, started on an engine and named apart."""

    def __init__(self, engine: Engine, specs: tuple[WorkerSpec, ...]) -> None:
        self._engine = engine
        self._specs = specs
        self._started = 0
        self._workers: dict[WorkerId, Worker] = {}

    def __iter__(self) -> Iterator[Worker]:
        """Every worker, in the order in which they were started."""
        return iter(tuple(self._workers.values()))

    def __len__(self) -> int:
        return len(self._workers)

    def find(self, name: WorkerId) -> Worker | None:
        """The worker of a name, or ``None`` once it has been let go."""
        return self._workers.get(name)

    def start(self, now: float) -> None:
        """Start one more; devices are used in turn, the least used first."""
        used = [worker.spec for worker in self._workers.values()]
        spec = min(self._specs, key=used.count)
        self._started += 1
        name = f"w{self._started}"
        self._workers[name] = Worker(name=name, spec=spec, heard=now)
        self._engine.start_worker(name, spec)

    def give(self, worker: Worker, claim: Claim, now: float) -> None:
        """Hand a case to a worker."""
        if not worker.held:
            worker.heard = now
        worker.held.append(claim)
        self._engine.give(worker.name, claim.item)

    def let_go(self, worker: Worker, *, at_once: bool = False, is_gone: bool = False) -> None:
        """Forget a worker, and end it unless it is gone by itself."""
        del self._workers[worker.name]
        if not is_gone:
            self._engine.stop_worker(worker.name, at_once=at_once)
