"""Entering a plan: what is new, what changed, what was there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from osteoct.run.ledger.database import Database
from osteoct.run.ledger.packing import item_columns, refusal_columns
from osteoct.run.ledger.records import PlanCounts
from osteoct.run.ledger.tables import cases, meta
from osteoct.run.records import Refusal, WorkItem

Entry = WorkItem | Refusal

_BATCH: Final = 500
"""Entries of one transaction: enough that its cost does not count, few enough to hold in memory."""

_PLAN: Final = "plan"


def record_plan(database: Database, entries: Iterable[Entry]) -> PlanCounts:
    """Enter a stream of entries; see :meth:`osteoct.run.ledger.ledger.Ledger.record`."""
    plan = database.write(lambda c: _next_plan(database, c))
    counts: Counter[str] = Counter()
    for batch in _batches(entries):
        counts += database.write(partial(_enter, database, batch, plan))
    return PlanCounts(**counts)


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """A stream in pieces."""
    stream = iter(entries)
    while batch := list(islice(stream, _BATCH)):
        yield batch


def _next_plan(database: Database, connection: Connection) -> int:
    """Number of this plan, by which an entry that comes twice is known."""
    database.backend.lock_plan(connection)
    found = connection.scalar(select(meta.c.value).where(meta.c.key == _PLAN))
    number = int(found or 0) + 1
    if found is None:
        connection.execute(insert(meta).values(key=_PLAN, value=str(number)))
    else:
        connection.execute(update(meta).where(meta.c.key == _PLAN).values(value=str(number)))
    return number


def _enter(
    database: Database, batch: Sequence[Entry], plan: int, connection: Connection
) -> Counter[str]:
    """Enter one piece of the stream."""
    database.backend.lock_plan(connection)
    known = _known(database, connection, batch)
    counts: Counter[str] = Counter()
    new, changed = [], []
    for entry in batch:
        before = known.get(entry.case_id)
        if before is not None and before["plan"] == plan:
            counts["repeated"] += 1
            continue
        key = entry.key if isinstance(entry, WorkItem) else None
        known[entry.case_id] = {"plan": plan, "key": key}
        if before is None:
            kind = "new"
            new.append(_columns(entry))
        elif key is None or before["key"] != key:
            kind = "changed"
            changed.append({"id": before["seq"], **_columns(entry)})
        else:
            kind = "unchanged"
        counts["refused" if key is None else kind] += 1
    _write(database, connection, new, changed, plan)
    _mark(database, connection, batch, plan)
    return counts


def _known(
    database: Database, connection: Connection, batch: Sequence[Entry]
) -> dict[str, dict[str, Any]]:
    """What stands in the ledger of these cases."""
    names = database.backend.listed([entry.case_id for entry in batch])
    query = select(cases.c.seq, cases.c.case_id, cases.c.key, cases.c.plan).where(
        cases.c.case_id.in_(names)
    )
    return {row["case_id"]: dict(row) for row in connection.execute(query).mappings()}


def _columns(entry: Entry) -> dict[str, Any]:
    return item_columns(entry) if isinstance(entry, WorkItem) else refusal_columns(entry)


def _write(
    database: Database,
    connection: Connection,
    new: list[dict[str, Any]],
    changed: list[dict[str, Any]],
    plan: int,
) -> None:
    """Add new cases, and put changed ones back to their beginning."""
    now = connection.scalar(select(database.backend.clock()))
    stamp = {"plan": plan, "planned": now}
    if new:
        connection.execute(insert(cases), [{**row, **stamp, "interruptions": 0} for row in new])
    if changed:
        columns = [name for name in changed[0] if name not in {"id", "case_id"}]
        statement = (
            update(cases)
            .where(cases.c.seq == bindparam("id"))
            .values({name: bindparam(f"new_{name}") for name in [*columns, *stamp]})
        )
        rows = [{**row, **stamp} for row in changed]
        connection.execute(
            statement,
            [
                {"id": row["id"], **{f"new_{name}": row[name] for name in [*columns, *stamp]}}
                for row in rows
            ],
        )


def _mark(database: Database, connection: Connection, batch: Sequence[Entry], plan: int) -> None:
    """Remember that these cases stand in the plan."""
    names = database.backend.listed([entry.case_id for entry in batch])
    connection.execute(
        update(cases).where(cases.c.case_id.in_(names), cases.c.plan != plan).values(plan=plan)
    )
