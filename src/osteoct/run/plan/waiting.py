"""Cases that wait until every other one is known: of two with one name neither is taken."""

from __future__ import annotations

from collections.abc import Iterator

from osteoct.run.plan.interface import Entry, Found
from osteoct.run.plan.spool import Row, Spool
from osteoct.run.records import Cause, Refusal


def waiting_row(entry: Entry, *, place: str = "") -> Row:
    """An entry as a row; names that differ in case alone are one, as some file systems have it."""
    kind = b"F" if isinstance(entry, Found) else b"R"
    payload = kind + entry.model_dump_json().encode()
    return Row(entry.case_id.casefold(), place=place, payload=payload)


def waiting_entry(row: Row) -> Entry:
    """The entry of a row."""
    kind = Found if row.payload[:1] == b"F" else Refusal
    return kind.model_validate_json(row.payload[1:])


def entries_once(spool: Spool) -> Iterator[Entry]:
    """Every entry in the order of names; those that share one become one refusal."""
    for name, count in spool.groups():
        rows = spool.rows(name)
        if count == 1:
            yield waiting_entry(next(rows))
            continue
        for case_id in sorted({waiting_entry(row).case_id for row in rows}):
            yield Refusal(
                case_id=case_id,
                cause=Cause.CONFIGURATION,
                message=f"{count} cases have this name (upper and lower case count as one); "
                "none of them was taken",
            )
