"""Rows of a manifest, CSV or Parquet, one after the other."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final, TypeAlias

from osteoct.errors import DependencyError, TableError, UnreadableInputError

COLUMNS: Final = ("ct", "masks", "body_masks", "tissues", "case_id", "series")
SUFFIXES: Final = (".csv", ".parquet")

BEYOND: Final = ""
"""Stands for cells to the right of the last column: a comma inside a path, most often."""

ManifestRow: TypeAlias = Mapping[str, str]
"""Cells by column; an empty cell is an empty string."""

_BATCH: Final = 10_000


def is_manifest(name: str) -> bool:
    """Whether a name is that of a manifest."""
    return name.lower().endswith(SUFFIXES)


def read_manifest(file: BinaryIO, name: str) -> Iterator[tuple[int, ManifestRow]]:
    """Number and cells of each row; the first row below the header is row 2, as in a spreadsheet.

    Raises
    ------
    TableError
        The column ``ct`` is absent, or there are columns of other names.
    UnreadableInputError
        It is no such table.
    """
    rows = _parquet(file, name) if name.lower().endswith(".parquet") else _csv(file, name)
    yield from enumerate(rows, start=2)


def _csv(file: BinaryIO, name: str) -> Iterator[ManifestRow]:
    """Rows of a CSV file, separated by commas or, where the header has none, semicolons."""
    try:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            header = text.readline()
            mark = "," if "," in header or ";" not in header else ";"
            columns = [c.strip() for c in next(csv.reader([header], delimiter=mark), [])]
            check_columns(columns, name)
            for cells in csv.reader(text, delimiter=mark, strict=True):
                padded = [*cells, *[""] * (len(columns) - len(cells))]
                row = dict(zip(columns, (cell.strip() for cell in padded), strict=False))
                yield {**row, BEYOND: "".join(cells[len(columns) :]).strip()}
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInputError(
            "is not a CSV file", where=name, found=type(error).__name__, wanted="UTF-8 text"
        ) from error


def _parquet(file: BinaryIO, name: str) -> Iterator[ManifestRow]:
    """Rows of a Parquet file, some thousand at a time."""
    try:
        from pyarrow import ArrowInvalid, parquet  # noqa: PLC0415 -- heavy, and for this alone
    except ImportError as error:
        raise DependencyError(
            "Parquet needs a package", found="no pyarrow", hint="pip install 'osteoct[cohort]'"
        ) from error
    try:
        table = parquet.ParquetFile(file)
    except ArrowInvalid as error:
        raise UnreadableInputError("is not a Parquet file", where=name) from error
    check_columns(table.schema_arrow.names, name)
    for batch in table.iter_batches(batch_size=_BATCH):
        for cells in batch.to_pylist():
            yield {k: "" if v is None else str(v).strip() for k, v in cells.items()}


def check_columns(columns: list[str], name: str) -> None:
    """Refuse a header without ``ct``, with a column twice, or with one that is not known.

    A misspelt ``body_masks`` would change every number without a word.
    """
    problems = [f"column {c!r} is unknown" for c in columns if c not in COLUMNS]
    problems += [f"column {c!r} comes twice" for c in sorted(set(columns)) if columns.count(c) > 1]
    problems += [] if "ct" in columns else ["column 'ct' is missing"]
    if problems:
        raise TableError(
            "the header cannot be right",
            where=name,
            problems=problems,
            hint="known columns: " + ", ".join(COLUMNS),
        )
