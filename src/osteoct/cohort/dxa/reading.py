"""Read a DXA table: columns mapped, cells checked, every problem told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from osteoct.cohort.dxa.mapping import LONG_FIELDS, DxaMap, assign_columns
from osteoct.cohort.dxa.rows import RowReader
from osteoct.cohort.dxa.scan import DxaScan, Person, Problem
from osteoct.cohort.dxa.sheet import Sheet, read_sheet
from osteoct.errors import TableError


@dataclass(frozen=True, kw_only=True)
class DxaTable:
    """A table that was read.

    Parameters
    ----------
    scans
        Examinations in the order of their first rows.
    columns
        Field to the name of its column, as said or guessed.
    passed_over
        Rows about sites that are not used, such as the forearm.
    """

    scans: tuple[DxaScan, ...]
    columns: Mapping[str, str]
    n_rows: int
    passed_over: int = 0


def read_dxa(path: Path, *, asked: DxaMap | None = None, today: date | None = None) -> DxaTable:
    """Read a DXA table.

    A column per site and a row per site are both understood; rows of one patient and day are one
    examination.

    Parameters
    ----------
    asked
        What the user says of the table; guessed where absent.
    today
        Dates after it are in the future.

    Raises
    ------
    TableError
        Columns are missing or cells cannot be right; all are named, with row and column.
    UnreadableInputError
        The file cannot be read.
    """
    asked = asked or DxaMap()
    sheet = read_sheet(path, sheet=asked.sheet)
    columns = assign_columns(sheet.header, asked)
    problems = check_columns(sheet, columns, asked)
    if problems:
        raise make_table_error(path, problems)
    reader = RowReader(
        sheet=sheet,
        columns=columns,
        asked=asked,
        today=today or date.today(),  # noqa: DTZ011 - the user's day
    )
    found = reader.read()
    scans, repeated = join_rows(found)
    problems = sorted([*reader.problems, *repeated], key=lambda p: p.row or 0)
    if problems:
        raise make_table_error(path, problems)
    return DxaTable(
        scans=tuple(s for s in scans if s.measures or "site" not in columns),
        columns={name: sheet.header[i] for name, i in columns.items()},
        n_rows=len(sheet.rows),
        passed_over=reader.passed_over,
    )


def make_table_error(path: Path, problems: Sequence[Problem]) -> TableError:
    """The failure that names every problem."""
    return TableError(
        f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the table",
        where=str(path),
        problems=[p.line for p in problems],
        hint="mend the cells, or say in a map (--map) what they mean",
    )


def check_columns(sheet: Sheet, columns: Mapping[str, int], asked: DxaMap) -> list[Problem]:
    """Name the columns that are needed or were asked for and are not there."""
    found = "found " + ", ".join(repr(name) for name in sheet.header if name)
    problems = [
        Problem(column=name, what=f"asked for in the map as {field} and not there; {found}")
        for field, name in asked.columns.items()
        if name not in sheet.header
    ]
    is_long = "site" in columns
    scores = [c for c in columns if (c in LONG_FIELDS if is_long else c.startswith("t_"))]
    needed = {
        "patient": "patient" in columns,
        "dxa_date": "dxa_date" in columns,
        "a T-score": "t" in scores if is_long else bool(scores),
    }
    problems += [
        Problem(what=f"no column for {name}; {found}")
        for name, is_there in needed.items()
        if not is_there
    ]
    repeated = {n for n in sheet.header if n and sheet.header.count(n) > 1}
    used = {sheet.header[i] for i in columns.values()}
    problems += [
        Problem(column=name, what="two columns of this name") for name in sorted(repeated & used)
    ]
    return problems


def join_rows(scans: Sequence[DxaScan]) -> tuple[list[DxaScan], list[Problem]]:
    """Make rows of one patient and day one examination; a site told twice is a problem."""
    joined: dict[tuple[str, date], DxaScan] = {}
    problems = []
    for scan in scans:
        key = (scan.patient, scan.dxa_date)
        earlier = joined.get(key)
        if earlier is None:
            joined[key] = scan
            continue
        known = {(m.site, m.side) for m in earlier.measures}
        if any((m.site, m.side) in known for m in scan.measures) or not scan.measures:
            if scan.measures:
                problems.append(
                    Problem(
                        row=scan.row, what=f"the same patient, day and site as row {earlier.row}"
                    )
                )
            continue
        if _differ(earlier.person, scan.person):
            problems.append(
                Problem(row=scan.row, what=f"age, sex or size other than in row {earlier.row}")
            )
        joined[key] = earlier.model_copy(
            update={
                "measures": (*earlier.measures, *scan.measures),
                "person": _fill(earlier.person, scan.person),
                "ct_date": earlier.ct_date or scan.ct_date,
            }
        )
    return list(joined.values()), problems


def _differ(first: Person, second: Person) -> bool:
    """Whether two rows contradict each other about a person."""
    pairs = [(getattr(first, name), getattr(second, name)) for name in Person.model_fields]
    return any(a is not None and b is not None and a != b for a, b in pairs)


def _fill(first: Person, second: Person) -> Person:
    """The first row's facts, and the second's where the first has none."""
    missing = {
        name: getattr(second, name) for name in Person.model_fields if getattr(first, name) is None
    }
    return first.model_copy(update=missing)
