"""From a store to a table: the cases in the order of their names, read one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import CaseResult
from osteoct.run.collect.changes import CHANGE_COLUMNS, collect_changes
from osteoct.run.collect.columns import (
    COLUMNS,
    Column,
    Rows,
    Subject,
    Value,
    subjects,
    summary_columns,
)
from osteoct.run.ledger.records import Row
from osteoct.run.records import Cause, Failure, State

DAMAGED: Final = "its result cannot be read"


def columns_of(rows: Rows) -> tuple[Column[Any], ...]:
    """The columns of a table, the same for every store."""
    if rows is Rows.CHANGES:
        return CHANGE_COLUMNS
    if rows is not Rows.CASES:
        return COLUMNS[rows]
    regions = tuple(str(region) for region in Region)
    return (*COLUMNS[rows], *summary_columns(tuple(PROTOCOLS), regions))


def collect_rows(
    cases: Iterable[Row], read: Callable[[Row], CaseResult | None], rows: Rows
) -> Iterator[Sequence[Value]]:
    """Yield the rows of every case; one whose result is damaged is a failed one.

    Parameters
    ----------
    read
        The result of a finished case; ``None`` where it is missing or damaged.
    """
    if rows is Rows.CHANGES:
        yield from collect_changes(cases, read)
        return
    columns = columns_of(rows)
    for row in cases:
        for subject in _subjects(row, read, rows):
            yield [column.value(subject) for column in columns]


def _subjects(row: Row, read: Callable[[Row], CaseResult | None], rows: Rows) -> Iterator[Subject]:
    """What the rows of one case are about."""
    result = read(row) if row.state is State.DONE else None
    if row.state is State.DONE and result is None:
        failure = Failure(cause=Cause.OUTPUT, kind="DamagedResult", message=DAMAGED)
        row = replace(row, state=State.FAILED, failure=failure)
    yield from subjects(row, result, rows)
