"""The ledger of a batch."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, Self

from sqlalchemy import (
    Connection,
    case,
    insert,
    or_,
    select,
    update,
)

from osteoct.run.ledger.database import Database
from osteoct.run.ledger.opening import open_database
from osteoct.run.ledger.packing import (
    BLANK,
    outcome_columns,
)
from osteoct.run.ledger.planning import record_plan
from osteoct.run.ledger.reading import (
    count_failures,
    count_findings,
    count_finished_since,
    count_states,
    count_to_segment,
    read_attempts,
    read_row,
    read_rows,
)
from osteoct.run.ledger.records import (
    Attempt,
    Claim,
    FailureCount,
    FindingCount,
    PlanCounts,
    Row,
)
from osteoct.run.ledger.tables import cases, meta
from osteoct.run.ledger.transitions import (
    GIVEN_BACK,
    INTERRUPTED,
    RELEASED,
    claims_of,
    close_attempts,
    held_by,
    release,
)
from osteoct.run.records import Outcome, Refusal, State, WorkItem

_RUNNING: Final = State.RUNNING.value
_PENDING: Final = State.PENDING.value


class Ledger:
    """What is known of each case; every method is one transaction, whole or not at all.

    A case belongs to the owner that claimed it until it is finished, given back, or its lease has
    passed; what a former owner says after that is not heard.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str, *, create: bool) -> Self:
        """Open a ledger, or make one where there is none.

        Parameters
        ----------
        url
            ``sqlite:///PATH`` or ``postgresql://[USER@]HOST[:PORT]/DATABASE``.
        create
            Whether an absent ledger is made; otherwise that is an error.

        Raises
        ------
        LedgerError
            It is absent, of a newer osteoct, no ledger, locked or cannot be reached.
        DependencyError
            The package for PostgreSQL is missing.
        """
        return cls(open_database(url, create=create))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def note(self, key: str, value: str) -> None:
        """Remember a word about the batch as a whole; a later one replaces it."""

        def work(c: Connection) -> None:
            changed = c.execute(update(meta).where(meta.c.key == key).values(value=value))
            if changed.rowcount == 0:
                c.execute(insert(meta).values(key=key, value=value))

        self._database.write(work)

    def noted(self, key: str) -> str | None:
        """Return what was noted, or ``None``."""
        return self._database.read(
            lambda c: c.scalar(select(meta.c.value).where(meta.c.key == key))
        )

    def record(self, entries: Iterable[WorkItem | Refusal]) -> PlanCounts:
        """Enter a plan, as a stream: it is never held in memory.

        A case with the key it had stays as it is, done or not. With another key it is to be done
        anew, and what a coordinator that has it just now brings is not heard. An entry that cannot
        be measured is a row with its reason. What an earlier plan had and this one lacks stays.
        """
        return record_plan(self._database, entries)

    def claim(
        self, owner: str, limit: int, *, lease_s: float, only: Collection[str] | None = None
    ) -> list[Claim]:
        """Give pending cases to an owner, the longest planned first; nobody else gets them.

        Parameters
        ----------
        owner
            Name of a coordinator, never used by another one.
        lease_s
            Seconds until the cases may be taken away unless :meth:`renew` was called.
        only
            Cases to choose from; ``None`` for all.
        """
        token = uuid.uuid4().hex
        backend = self._database.backend

        def work(c: Connection) -> list[Claim]:
            free = select(cases.c.seq).where(cases.c.state == _PENDING)
            if only is not None:
                free = free.where(cases.c.case_id.in_(backend.listed(only)))
            free = free.order_by(cases.c.seq).limit(limit).with_for_update(skip_locked=True)
            chosen = c.scalars(free).all()
            rows = c.execute(
                update(cases)
                .where(cases.c.seq.in_(chosen))
                .values(
                    state=_RUNNING,
                    owner=owner,
                    worker=None,
                    token=token,
                    began=None,
                    lease_until=backend.clock() + lease_s,
                )
                .returning(cases)
            )
            return claims_of(rows.mappings().all())

        def verify(c: Connection) -> list[Claim] | None:
            query = select(cases).where(cases.c.token == token, cases.c.state == _RUNNING)
            return claims_of(c.execute(query).mappings().all()) or None

        return self._database.write(work, durable=False, verify=verify)

    def renew(self, owner: str, *, lease_s: float) -> None:
        """Keep every case of an owner for so many seconds from now."""
        until = self._database.backend.clock() + lease_s
        self._database.write(
            lambda c: c.execute(update(cases).where(*held_by(owner)).values(lease_until=until)),
            durable=False,
        )

    def begin(self, owner: str, case_id: str, *, worker: str) -> bool:
        """Say that computing began: from now on an end is charged to this case.

        Returns
        -------
        bool
            ``False`` where the case is no longer the owner's; nothing is written then.
        """
        now = self._database.backend.clock()

        def work(c: Connection) -> bool:
            mine = (*held_by(owner), cases.c.case_id == case_id)
            found = c.execute(update(cases).where(*mine).values(began=now, worker=worker))
            return found.rowcount == 1

        return self._database.write(work, durable=False)

    def finish(self, owner: str, outcome: Outcome, *, state: State, worker: str) -> bool:
        """Say what became of a case; a case that was begun is charged one attempt.

        Parameters
        ----------
        state
            What follows from it: over, or ``PENDING`` to be tried again.

        Returns
        -------
        bool
            ``False`` where the case is no longer the owner's or was planned anew with another key;
            nothing is written then.
        """
        if state is State.RUNNING:
            raise ValueError(f"{state} is no end of an attempt")
        begun = case((cases.c.began.is_not(None), 1), else_=0)
        values = {
            **outcome_columns(outcome),
            "state": state.value,
            "attempts": cases.c.attempts + begun,
            "lease_until": None,
            "worker": worker,
            "ended": self._database.backend.clock(),
        }

        def work(c: Connection) -> bool:
            mine = (*held_by(owner), cases.c.case_id == outcome.case_id, cases.c.key == outcome.key)
            row = (
                c.execute(update(cases).where(*mine).values(values).returning(cases))
                .mappings()
                .one_or_none()
            )
            if row is None:
                return False
            close_attempts(c, [row], end=state.value, number=row["attempts"])
            return True

        def verify(c: Connection) -> bool | None:
            row = c.execute(select(cases).where(cases.c.case_id == outcome.case_id)).one()
            found = (row.owner, row.key, row.state, row.worker)
            return True if found == (owner, outcome.key, state.value, worker) else None

        return self._database.write(work, verify=verify)

    def give_back(self, owner: str, case_ids: Collection[str], *, alone: bool = False) -> None:
        """Return cases unfinished, at no charge.

        Parameters
        ----------
        alone
            Whether each of them must have a worker of its own next time.
        """
        backend = self._database.backend

        def work(c: Connection) -> None:
            which = (*held_by(owner), cases.c.case_id.in_(backend.listed(case_ids)))
            release(c, which, GIVEN_BACK, now=backend.clock(), **({"alone": True} if alone else {}))

        self._database.write(work, durable=False)

    def recover(self, *, is_dead: Callable[[str], bool]) -> list[Claim]:
        """Take cases away from owners that are dead or whose lease has passed.

        Returns
        -------
        list of Claim
            The cases, pending again at no charge: results of them may lie in the store.
        """
        backend = self._database.backend
        running = select(cases.c.owner).where(cases.c.state == _RUNNING).distinct()
        owners = self._database.read(lambda c: c.scalars(running).all())
        dead = [owner for owner in owners if owner is not None and is_dead(owner)]

        def work(c: Connection) -> list[Claim]:
            lost = or_(cases.c.lease_until < backend.clock(), cases.c.owner.in_(dead))
            which = (cases.c.state == _RUNNING, lost)
            more = cases.c.interruptions + 1
            return claims_of(
                release(c, which, INTERRUPTED, now=backend.clock(), interruptions=more)
            )

        return self._database.write(work)

    def adopt(self, outcome: Outcome) -> bool:
        """Take a result found in the store for a pending case, if it has the case's key."""
        values = {**outcome_columns(outcome), "state": State.DONE.value, "lease_until": None}
        which = (
            cases.c.case_id == outcome.case_id,
            cases.c.key == outcome.key,
            cases.c.state == _PENDING,
        )
        values["ended"] = self._database.backend.clock()
        return self._database.write(
            lambda c: c.execute(update(cases).where(*which).values(values)).rowcount == 1
        )

    def reset(self, *, states: Collection[State] | None, case_ids: Collection[str] | None) -> int:
        """Put cases back to their beginning; what is being worked on stays, and refusals of a plan.

        Parameters
        ----------
        states
            Of which; ``None`` for any.
        case_ids
            Which; ``None`` for all.

        Returns
        -------
        int
            Number of cases that are pending now and have no attempts.
        """
        which = [cases.c.state != _RUNNING, cases.c.inputs.is_not(None)]
        if states is not None:
            which.append(cases.c.state.in_([state.value for state in states]))
        if case_ids is not None:
            which.append(cases.c.case_id.in_(self._database.backend.listed(case_ids)))
        values = {**RELEASED, **BLANK, "attempts": 0, "alone": False, "ended": None}
        return self._database.write(
            lambda c: c.execute(update(cases).where(*which).values(values)).rowcount
        )

    def counts(self) -> dict[State, int]:
        """Return the number of cases in each state, every state named."""
        return self._database.read(count_states)

    def failures(self) -> list[FailureCount]:
        """Return why cases have no result and never will unless reset, the most frequent first."""
        return self._database.read(count_failures)

    def findings(self, limit: int) -> list[FindingCount]:
        """Return the most frequent of the gravest findings."""
        return self._database.read(lambda c: count_findings(c, limit))

    def rows(self) -> Iterator[Row]:
        """Yield all cases by name, in pieces: a run that writes meanwhile is not held up."""
        return read_rows(self._database)

    def row(self, case_id: str) -> Row | None:
        """Return what is known of one case; ``None`` where there is none of that name."""
        return self._database.read(lambda c: read_row(c, case_id))

    def attempts(self, case_id: str) -> list[Attempt]:
        """Return what was tried with a case, in order."""
        return self._database.read(lambda c: read_attempts(c, case_id))

    def to_segment(self) -> int:
        """Return how many pending cases bring no masks."""
        return self._database.read(count_to_segment)

    def finished_since(self, t: datetime) -> int:
        """Return how many cases are over since a time."""
        return self._database.read(lambda c: count_finished_since(c, t.astimezone(UTC).timestamp()))
