"""One side of a comparison from a table: numbers measured by anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from osteoct.cohort.agree.side import UNITS, Quantity, Scan, Side, find_quantity
from osteoct.cohort.columns import SYNTHETIC
from osteoct.cohort.dxa.cells import is_absent, parse_date, parse_number
from osteoct.cohort.dxa.sheet import Cell, Sheet, read_sheet
from osteoct.errors import TableError
from osteoct.io.hashing import sha256_of

NAMES: Final = {"case": ("case", "case_id"), "patient": ("patient", "patient_id", "id")}
COUNT: Final = "days_from_first_ct"
DATE: Final = "ct_date"

_SAFE_NAME: Final = re.compile(rf"p-[a-z2-7]{{16}}|{SYNTHETIC}-\d+")
"""Names that say nothing about a person; others may be hospital numbers and are not written."""


def read_table_side(path: Path, *, protocol: str | None, repeats: bool) -> Side:
    """Read a table with a column ``case`` or ``patient`` and columns such as ``trabecular_hu``.

    Parameters
    ----------
    repeats
        Several rows of one patient are wanted, not a mistake.

    Raises
    ------
    UnreadableInputError
        Missing, or no table.
    TableError
        No name, no quantity, cells that are no numbers, two rows of one name: all at once.
    """
    sheet = read_sheet(path)
    columns = {name.strip().lower(): i for i, name in enumerate(sheet.header)}
    quantities = {q: i for name, i in columns.items() if (q := find_quantity(name)) is not None}
    _check_columns(path, sheet, columns, quantities)
    problems: list[str] = []
    if not repeats:
        columns.pop(COUNT, None)  # counts of two tables begin on days of their own
    scans = [
        _read_row(number, cells, columns, quantities, problems) for number, cells in sheet.rows
    ]
    if not repeats:
        problems += _find_duplicates(scans)
    if problems:
        raise TableError(
            "cells that cannot be right",
            where=str(path),
            problems=problems,
            hint="" if repeats else "rows of one patient are compared by --repeats",
        )
    return Side(
        scans=tuple(scans),
        left=(),
        protocol=protocol,
        is_synthetic=any(s.shown.startswith(SYNTHETIC) for s in scans),
        sha256=sha256_of(path),
    )


def _check_columns(
    path: Path, sheet: Sheet, columns: dict[str, int], quantities: dict[Quantity, int]
) -> None:
    problems = []
    if not any(name in columns for names in NAMES.values() for name in names):
        problems.append("no column 'case' or 'patient'")
    if not quantities:
        problems.append("no column of numbers with their unit, such as 'trabecular_hu'")
    if problems:
        raise TableError(
            "columns are missing",
            where=str(path),
            problems=problems,
            hint=f"found {', '.join(sheet.header)}; units are the ends _{', _'.join(UNITS)}, "
            "levels follow as in trabecular_hu_l1",
        )


def _read_row(
    number: int,
    cells: Sequence[Cell],
    columns: dict[str, int],
    quantities: dict[Quantity, int],
    problems: list[str],
) -> Scan:
    def text(names: Sequence[str]) -> str | None:
        found = [cells[columns[n]] for n in names if n in columns]
        return next((str(c).strip() for c in found if not is_absent(c)), None)

    def read(name: str, index: int, how: Any = parse_number) -> Any:  # noqa: ANN401 - number or day
        cell = cells[index]
        if is_absent(cell):
            return None
        try:
            return how(cell)
        except ValueError as error:
            problems.append(f"row {number}, column {name!r}: {error}")
            return None

    names = {index: name for name, index in columns.items()}
    values = {q: read(names[i], i) for q, i in quantities.items()}
    case, patient = text(NAMES["case"]), text(NAMES["patient"])
    if case is None and patient is None:
        problems.append(f"row {number}: neither case nor patient")
    day = read(COUNT, columns[COUNT]) if COUNT in columns else None
    if day is None and DATE in columns:
        day = read(DATE, columns[DATE], lambda cell: parse_date(cell, None).toordinal())
    return Scan(
        case=case,
        patient=patient,
        shown=next((n for n in (patient, case) if n and _SAFE_NAME.fullmatch(n)), ""),
        row=number,
        day=None if day is None else int(day),
        kvp=read("kvp", columns["kvp"]) if "kvp" in columns else None,
        phase=text(["phase"]),
        values={q: v for q, v in values.items() if v is not None},
    )


def _find_duplicates(scans: Sequence[Scan]) -> list[str]:
    """Rows that name what an upper row names; the name itself is never told."""
    seen: dict[str, int | None] = {}
    problems = []
    for scan in scans:
        name = scan.case or scan.patient
        if name is None:
            continue
        if name in seen:
            problems.append(f"row {scan.row}: the same name as row {seen[name]}")
        seen.setdefault(name, scan.row)
    return problems
