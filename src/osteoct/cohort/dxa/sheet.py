"""A table as its file holds it: names of columns, cells, and the row each stands in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from osteoct.cohort.extra import EXCEL_IN, PARQUET, check_extra
from osteoct.errors import TableError, UnreadableInputError

Cell = Any
"""Text, number, date or ``None``, as the file stores it."""

SEPARATORS: Final = (";", "\t", "|", ",")
"""The one that occurs most in the header counts; a comma last, for it may be a decimal sign."""

EXCEL: Final = (".xlsx", ".xlsm")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Cells below a header; ``rows`` holds the row's number in the file (the header is row 1).

    Nothing of it shows in ``repr``: cells name patients.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]

    def __repr__(self) -> str:
        return f"Sheet({len(self.header)} columns, {len(self.rows)} rows)"


def read_sheet(path: Path, *, sheet: str | None = None) -> Sheet:
    """Read CSV, Excel or Parquet.

    CSV may be UTF-8, UTF-16 (with its mark) or Windows-1252, separated by any of ``SEPARATORS``.
    Lines above the header (titles of an export) are passed over: the header is the first row with
    at least two names in it.

    Raises
    ------
    UnreadableInputError
        Missing, not what its name says, or without a header.
    DependencyError
        Excel without openpyxl, Parquet without pyarrow.
    """
    kind = path.suffix.lower()
    try:
        if kind in EXCEL:
            rows = _read_excel(path, sheet)
        elif kind == ".parquet":
            rows = _read_parquet(path)
        else:
            rows = _read_csv(path)
    except OSError as error:
        raise UnreadableInputError(
            "cannot be read", where=str(path), found=error.strerror or "not its format"
        ) from error
    return _below_header(path, rows)


def _read_excel(path: Path, sheet: str | None) -> list[Sequence[Cell]]:
    check_extra("reading Excel", EXCEL_IN)
    from zipfile import BadZipFile  # noqa: PLC0415 - beside the package it belongs to

    from openpyxl import load_workbook  # noqa: PLC0415 - an extra

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError) as error:
        raise UnreadableInputError("is no Excel workbook", where=str(path)) from error
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise UnreadableInputError(
                "has no such sheet", where=str(path), found=", ".join(book.sheetnames), wanted=sheet
            )
        chosen = book[sheet or book.sheetnames[0]]
        return [tuple(row) for row in chosen.iter_rows(values_only=True)]
    finally:
        book.close()


def _read_parquet(path: Path) -> list[Sequence[Cell]]:
    check_extra("reading Parquet", PARQUET)
    import pyarrow as pa  # noqa: PLC0415 - an extra
    import pyarrow.parquet as pq  # noqa: PLC0415 - an extra

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise UnreadableInputError("is no Parquet file", where=str(path)) from error
    columns = [column.to_pylist() for column in table.columns]
    return [tuple(table.column_names), *zip(*columns, strict=True)]


def _read_csv(path: Path) -> list[Sequence[Cell]]:
    text = _decode(path.read_bytes())
    first = max(text.splitlines()[:10], key=_count_separators, default="")
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return list(reader)
    except csv.Error as error:
        raise UnreadableInputError("is no CSV", where=str(path), found=str(error)) from error


def _count_separators(line: str) -> int:
    return max(line.count(sign) for sign in SEPARATORS)


def _decode(data: bytes) -> str:
    """Text of a CSV: what is no UTF-8 comes from a Western Windows."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _below_header(path: Path, rows: Iterable[Sequence[Cell]]) -> Sheet:
    """Find the header; leave out rows without any cell."""
    numbered = [
        (i, row) for i, row in enumerate(rows, start=1) if any(not _is_empty(c) for c in row)
    ]
    least = 2
    start = next(
        (n for n, (_, row) in enumerate(numbered) if sum(not _is_empty(c) for c in row) >= least),
        None,
    )
    if start is None:
        raise TableError(
            "holds no table",
            where=str(path),
            problems=["no row with two names"],
            hint="add a header",
        )
    header = tuple("" if c is None else str(c).strip() for c in numbered[start][1])
    width = len(header)
    body = tuple(
        (number, (*row, *(None,) * (width - len(row)))[:width])
        for number, row in numbered[start + 1 :]
    )
    return Sheet(header=header, rows=body)


def _is_empty(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
