"""A table row by row into CSV, Parquet or Excel: whole or not at all, in flat memory."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

from osteoct.errors import ConfigError, DependencyError, OutputError
from osteoct.io.output import write_text, written_file
from osteoct.run.collect.columns import Column, Value

Table: TypeAlias = Iterable[Sequence[Value]]

_BATCH: Final = 20_000
"""Rows in memory at once."""

_EXCEL_ROWS: Final = 1_048_576
"""Of one sheet, the header included (Excel's own limit)."""

_ARROW: Final = {"string": "string", "number": "float64", "integer": "int64", "boolean": "bool_"}
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


def write_table(path: Path, columns: Sequence[Column[Any]], rows: Table) -> int:
    """Write a table in the format that its name ends in, and its dictionary beside it.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    ConfigError
        The name ends in nothing that is known.
    DependencyError
        The package for the format is missing.
    OutputError
        It cannot be written, or has more rows than a sheet of Excel holds.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ConfigError(
            "unknown format of a table",
            where=str(path),
            found=path.suffix or "no suffix",
            wanted=", ".join(_WRITERS),
        )
    counted = _Counted(rows)
    with written_file(path) as file:
        writer(file, columns, counted)
    write_text(dictionary_path(path), render_dictionary(columns, counted.count))
    return counted.count


def dictionary_path(path: Path) -> Path:
    """Where the dictionary of a table lies: that of ``t.csv`` is ``t.csv.schema.json``."""
    return path.with_name(path.name + ".schema.json")


def render_dictionary(columns: Sequence[Column[Any]], rows: int) -> str:
    """The data dictionary as a Frictionless Table Schema, with units."""
    fields = [
        {
            "name": column.name,
            "type": column.kind,
            "description": column.about,
            **({} if column.unit is None else {"unit": column.unit}),
        }
        for column in columns
    ]
    return json.dumps({"fields": fields, "missingValues": [""], "rows": rows}, indent=2) + "\n"


class _Counted:
    """Rows, counted as they pass."""

    def __init__(self, rows: Table) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Value]]:
        for row in self._rows:
            self.count += 1
            yield row


def _write_csv(file: BinaryIO, columns: Sequence[Column[Any]], rows: Table) -> None:
    """RFC 4180, UTF-8; an absent value is an empty cell, a number has every digit it needs."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow([column.name for column in columns])
        writer.writerows([_cell(value) for value in row] for row in rows)
    finally:
        text.detach()  # the file is its maker's to close


def _cell(value: Value) -> str | float | int:
    """A value for a text cell; a text that a spreadsheet would take for a formula is quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA_SIGNS):
        return "'" + value
    return value


def _write_parquet(file: BinaryIO, columns: Sequence[Column[Any]], rows: Table) -> None:
    with _package("Parquet", "pyarrow"):
        import pyarrow as pa  # noqa: PLC0415 -- Parquet alone needs it
        import pyarrow.parquet as pq  # noqa: PLC0415
    schema = pa.schema(
        [pa.field(c.name, getattr(pa, _ARROW[c.kind])(), metadata=_metadata(c)) for c in columns]
    )
    remaining = iter(rows)
    with pq.ParquetWriter(file, schema) as writer:
        while batch := list(islice(remaining, _BATCH)):
            arrays = [
                pa.array(values, type=field.type)
                for values, field in zip(zip(*batch, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _metadata(column: Column[Any]) -> dict[str, str]:
    return {"description": column.about, **({"unit": column.unit} if column.unit else {})}


def _write_excel(file: BinaryIO, columns: Sequence[Column[Any]], rows: Table) -> None:
    with _package("Excel", "xlsxwriter"):
        import xlsxwriter  # noqa: PLC0415 -- Excel alone needs it
    with tempfile.TemporaryDirectory(prefix="osteoct-") as folder:
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False}
        book = xlsxwriter.Workbook(file, options)
        sheet = book.add_worksheet("results")
        sheet.freeze_panes(1, 1)
        bold = book.add_format({"bold": True})
        for number, column in enumerate(columns):
            sheet.write_string(0, number, column.name, bold)
        for place, row in enumerate(rows, start=1):
            if place >= _EXCEL_ROWS:
                raise OutputError(
                    "has more rows than a sheet of Excel holds",
                    wanted=f"at most {_EXCEL_ROWS - 1}",
                    hint="write .parquet or .csv",
                )
            for number, value in enumerate(row):
                if value is not None:
                    sheet.write(place, number, value)
        _describe(book, columns)
        book.close()


def _describe(book: Any, columns: Sequence[Column[Any]]) -> None:  # noqa: ANN401 - xlsxwriter has no types
    """The dictionary as a sheet of its own: whoever has the file has its meaning."""
    sheet = book.add_worksheet("dictionary")
    for number, word in enumerate(("column", "type", "unit", "meaning")):
        sheet.write_string(0, number, word)
    for place, column in enumerate(columns, start=1):
        for number, word in enumerate((column.name, column.kind, column.unit or "", column.about)):
            sheet.write_string(place, number, word)


@contextmanager
def _package(what: str, name: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise DependencyError(
            f"{what} needs a package", found=f"no {name}", hint="pip install 'osteoct[cohort]'"
        ) from error


_WRITERS: Final[dict[str, Callable[[BinaryIO, Sequence[Column[Any]], Table], None]]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".xlsx": _write_excel,
}
