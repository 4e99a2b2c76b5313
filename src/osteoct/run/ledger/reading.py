"""What a ledger tells: counts for a status, rows for a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, func, select

from osteoct.records import Usability
from osteoct.run.ledger.database import Database
from osteoct.run.ledger.packing import unpack_failure, unpack_numbers, unpack_severities
from osteoct.run.ledger.records import Attempt, FailureCount, FindingCount, Row
from osteoct.run.ledger.tables import attempts, cases
from osteoct.run.records import Cause, State

_PIECE: Final = 1000
"""Rows read at once: held in memory, and in a transaction that lets nobody tidy up meanwhile."""

_OVER: Final = tuple(state.value for state in State if state.is_over)


def count_states(connection: Connection) -> dict[State, int]:
    """Return the number of cases in each state."""
    query = select(cases.c.state, func.count()).group_by(cases.c.state)
    found = {row[0]: int(row[1]) for row in connection.execute(query)}
    return {state: found.get(state.value, 0) for state in State}


def count_failures(connection: Connection) -> list[FailureCount]:
    """Return reasons with number of cases and the first case of each."""
    groups = (
        select(
            cases.c.cause,
            cases.c.kind,
            func.count().label("number"),
            func.min(cases.c.case_id).label("example"),
        )
        .where(cases.c.state.in_([s for s in _OVER if s != State.DONE.value]))
        .group_by(cases.c.cause, cases.c.kind)
        .subquery()
    )
    query = (
        select(groups, cases.c.message)
        .join(cases, cases.c.case_id == groups.c.example)
        .order_by(groups.c.number.desc(), groups.c.example)
    )
    return [
        FailureCount(
            cause=Cause(row.cause),
            kind=row.kind,
            cases=row.number,
            example_case_id=row.example,
            example_message=row.message,
        )
        for row in connection.execute(query)
    ]


def count_findings(connection: Connection, limit: int) -> list[FindingCount]:
    """Return the gravest findings with number of cases."""
    number = func.count().label("number")
    query = (
        select(cases.c.worst, number)
        .where(cases.c.worst.is_not(None), cases.c.state == State.DONE.value)
        .group_by(cases.c.worst)
        .order_by(number.desc(), cases.c.worst)
        .limit(limit)
    )
    return [FindingCount(code=code, cases=count) for code, count in connection.execute(query)]


def count_finished_since(connection: Connection, since: float) -> int:
    """Return how many cases are over since a time."""
    query = select(func.count()).where(cases.c.ended >= since, cases.c.state.in_(_OVER))
    return connection.scalar(query) or 0


def count_to_segment(connection: Connection) -> int:
    """Return how many pending cases need masks to be made."""
    query = select(func.count()).where(
        cases.c.state == State.PENDING.value, cases.c.segment_key.is_not(None)
    )
    return connection.scalar(query) or 0


def read_rows(database: Database) -> Iterator[Row]:
    """Yield all rows by name, piece by piece."""
    query = select(cases).order_by(cases.c.case_id).limit(_PIECE)
    piece = database.read(partial(_fetch, query))
    while piece:
        yield from map(_row, piece)
        after = query.where(cases.c.case_id > piece[-1]["case_id"])
        piece = database.read(partial(_fetch, after))


def read_row(connection: Connection, case_id: str) -> Row | None:
    """Return the row of one case, or ``None``."""
    found = connection.execute(select(cases).where(cases.c.case_id == case_id)).mappings().first()
    return None if found is None else _row(found)


def read_attempts(connection: Connection, case_id: str) -> list[Attempt]:
    """Return the attempts of a case, in order."""
    query = (
        select(attempts)
        .join(cases, cases.c.seq == attempts.c.seq)
        .where(cases.c.case_id == case_id)
        .order_by(attempts.c.id)
    )
    return [
        Attempt(
            number=row["number"],
            owner=row["owner"],
            worker=row["worker"],
            began=_moment(row["began"]),
            ended=_moment(row["ended"]),
            end=row["end"],
            failure=unpack_failure(row),
            peak_mib=row["peak_mib"],
        )
        for row in connection.execute(query).mappings()
    ]


def _fetch(query: Select[Any], connection: Connection) -> list[RowMapping]:
    return list(connection.execute(query).mappings())


def _row(row: RowMapping) -> Row:
    """A row of the table as a record."""
    return Row(
        **{name: row[name] for name in _AS_THEY_ARE},
        state=State(row["state"]),
        planned=_moment(row["planned"]),
        began=None if row["began"] is None else _moment(row["began"]),
        ended=None if row["ended"] is None else _moment(row["ended"]),
        failure=unpack_failure(row),
        seconds=unpack_numbers(row["seconds"]),
        findings=unpack_severities(row["findings"]),
        usability=None if row["usability"] is None else Usability(row["usability"]),
        packed_inputs=row["inputs"],
    )


_AS_THEY_ARE: Final = (
    "case_id",
    "patient",
    "key",
    "segment_key",
    "bytes_in",
    "voxels",
    "attempts",
    "alone",
    "interruptions",
    "owner",
    "worker",
    "peak_mib",
    "worst",
    "is_measured",
    "place",
)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
