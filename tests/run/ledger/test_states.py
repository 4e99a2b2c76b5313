"""Any order of planning, claiming, finishing, dying and resuming: no case lost, none twice."""

from __future__ import annotations

import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from osteoct.run.ledger.address import sqlite_address
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.records import Cause, Failure, Inputs, Outcome, State, WorkItem

MEMORY = Path("/dev/shm")  # noqa: S108 -- a thousand transactions that need no disk
NAMES = [f"c{n}" for n in range(6)]
OWNERS = ["one", "two"]
FAILURE = Failure(cause=Cause.CRASH, kind="WorkerLost", message="signal 9")

some = st.sets(st.sampled_from(NAMES), min_size=1)
owners = st.sampled_from(OWNERS)
names = st.sampled_from(NAMES)
ends = st.sampled_from([s for s in State if s is not State.RUNNING])


class Batch(RuleBasedStateMachine):
    """The ledger beside a model of it: a dictionary of who has what."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.address = sqlite_address(Path(self.folder.name) / "ledger.sqlite")
        self.ledger = Ledger.open(self.address, create=True)
        self.key: dict[str, str] = {}
        self.state: dict[str, State] = {}
        self.owner: dict[str, str] = {}
        self.begun: set[str] = set()
        self.attempts: dict[str, int] = {}

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    @rule(cases=some, version=st.integers(1, 2))
    def plan(self, cases: set[str], version: int) -> None:
        key = f"k{version}"
        counts = self.ledger.record([item(name, key) for name in sorted(cases)])
        known = [name for name in cases if name in self.key]
        changed = [name for name in known if self.key[name] != key]
        assert counts.new == len(cases) - len(known)
        assert counts.changed == len(changed)
        for name in {*(cases - set(known)), *changed}:
            self.key[name], self.attempts[name] = key, 0
            self.free(name, State.PENDING)

    @rule(owner=owners, limit=st.integers(0, 3), only=st.none() | some)
    def claim(self, owner: str, limit: int, only: set[str] | None) -> None:
        claims = self.ledger.claim(owner, limit, lease_s=3600, only=only)
        free = [n for n, s in self.state.items() if s is State.PENDING and n in (only or NAMES)]
        assert len(claims) == min(limit, len(free))
        for got in claims:
            name = got.item.case_id
            assert name in free
            assert got.item.key == self.key[name]
            assert got.attempt == self.attempts[name] + 1
            self.state[name], self.owner[name] = State.RUNNING, owner

    @rule(owner=owners, name=names)
    def start(self, owner: str, name: str) -> None:
        mine = self.owner.get(name) == owner
        assert self.ledger.begin(owner, name, worker="w") is mine
        if mine:
            self.begun.add(name)

    @rule(owner=owners, name=names, state=ends, version=st.integers(1, 2))
    def finish(self, owner: str, name: str, state: State, version: int) -> None:
        outcome = Outcome(
            case_id=name, key=f"k{version}", failure=None if state is State.DONE else FAILURE
        )
        right = self.owner.get(name) == owner and self.key.get(name) == outcome.key
        assert self.ledger.finish(owner, outcome, state=state, worker="w") is right
        if right:
            self.attempts[name] += name in self.begun
            self.free(name, state)

    @rule(owner=owners, cases=some)
    def give_back(self, owner: str, cases: set[str]) -> None:
        self.ledger.give_back(owner, cases)
        for name in [n for n in cases if self.owner.get(n) == owner]:
            self.free(name, State.PENDING)

    @rule(dead=owners)
    def recover(self, dead: str) -> None:
        lost = self.ledger.recover(is_dead=lambda owner: owner == dead)
        held = {name for name, owner in self.owner.items() if owner == dead}
        assert {claim.item.case_id for claim in lost} == held
        for name in held:
            self.free(name, State.PENDING)

    @rule(name=names, version=st.integers(1, 2))
    def adopt(self, name: str, version: int) -> None:
        key = f"k{version}"
        right = self.state.get(name) is State.PENDING and self.key[name] == key
        assert self.ledger.adopt(Outcome(case_id=name, key=key)) is right
        if right:
            self.free(name, State.DONE)

    @rule(states=st.none() | st.sets(ends), cases=st.none() | some)
    def reset(self, states: set[State] | None, cases: set[str] | None) -> None:
        chosen = [
            name
            for name, state in self.state.items()
            if state is not State.RUNNING
            and (states is None or state in states)
            and (cases is None or name in cases)
        ]
        assert self.ledger.reset(states=states, case_ids=cases) == len(chosen)
        for name in chosen:
            self.attempts[name] = 0
            self.free(name, State.PENDING)

    @rule()
    def open_again(self) -> None:
        self.ledger.close()
        self.ledger = Ledger.open(self.address, create=False)

    @invariant()
    def agrees(self) -> None:
        rows = {row.case_id: row for row in self.ledger.rows()}
        assert {name: row.state for name, row in rows.items()} == self.state
        assert {name: row.attempts for name, row in rows.items()} == self.attempts
        running = {n: row.owner for n, row in rows.items() if row.state is State.RUNNING}
        assert running == self.owner
        assert sum(self.ledger.counts().values()) == len(self.key)

    def free(self, name: str, state: State) -> None:
        """Nobody has the case any more."""
        self.state[name] = state
        self.owner.pop(name, None)
        self.begun.discard(name)


def item(name: str, key: str) -> WorkItem:
    """A case to measure."""
    return WorkItem(case_id=name, key=key, inputs=Inputs(ct=("/x",)), bytes_in=0)


TestBatch = Batch.TestCase
TestBatch.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
