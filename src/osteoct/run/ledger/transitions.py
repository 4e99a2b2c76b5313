"""Steps that several transactions of a ledger share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select, update

from osteoct.run.ledger.packing import unpack_item
from osteoct.run.ledger.records import Claim
from osteoct.run.ledger.tables import attempts, cases
from osteoct.run.records import State

INTERRUPTED: Final = "interrupted"
GIVEN_BACK: Final = "given-back"
"""How an attempt ends that is charged to nobody."""

RELEASED: Final[dict[str, Any]] = {
    "state": State.PENDING.value,
    "lease_until": None,
    "began": None,
    "token": None,
}
"""A case that nobody has."""


def held_by(owner: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the condition that a case is being worked on by this owner."""
    return cases.c.state == State.RUNNING.value, cases.c.owner == owner


def claims_of(rows: Sequence[RowMapping]) -> list[Claim]:
    """Return rows as claims, the longest planned first."""
    return [
        Claim(item=unpack_item(row), attempt=row["attempts"] + 1, alone=row["alone"])
        for row in sorted(rows, key=lambda row: row["seq"])
    ]


def release(
    connection: Connection,
    which: Sequence[ColumnElement[bool]],
    end: str,
    *,
    now: ColumnElement[float],
    **values: object,
) -> Sequence[RowMapping]:
    """Make cases pending again, and return them as they were; a begun attempt is written down."""
    rows = connection.execute(select(cases).where(*which).with_for_update()).mappings().all()
    chosen = [row["seq"] for row in rows]
    connection.execute(update(cases).where(cases.c.seq.in_(chosen)).values(**RELEASED, **values))
    close_attempts(connection, rows, end=end, ended=connection.scalar(select(now)))
    return rows


def close_attempts(
    connection: Connection,
    rows: Sequence[RowMapping],
    *,
    end: str,
    number: int | None = None,
    ended: float | None = None,
) -> None:
    """Write down attempts that are over.

    Parameters
    ----------
    ended
        When, for attempts without an outcome; with one, the row says when and how.
    """
    begun = [row for row in rows if row["began"] is not None]
    if not begun:
        return
    how = ("cause", "kind", "message", "peak_mib")
    connection.execute(
        insert(attempts),
        [
            {
                **{name: row[name] for name in ("seq", "owner", "worker", "began")},
                **{name: row[name] if ended is None else None for name in how},
                "number": row["attempts"] + 1 if number is None else number,
                "ended": row["ended"] if ended is None else ended,
                "end": end,
            }
            for row in begun
        ],
    )
