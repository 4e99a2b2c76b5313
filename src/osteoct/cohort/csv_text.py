"""Tables as CSV: RFC 4180, UTF-8, absent is empty, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

import pandas as pd

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""First signs at which spreadsheets take a text for a formula (OWASP, CSV injection)."""


def write_cell(value: object) -> str:
    """A value as its cell: numbers with all their digits, whole ones without a point.

    >>> write_cell(2.0), write_cell(0.1), write_cell(None), write_cell(True), write_cell("=1+1")
    ('2', '0.1', '', 'yes', "'=1+1")
    """
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 2**53
        return str(int(value)) if whole else repr(float(value))
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA_SIGNS) else text


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows under their header."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([write_cell(v) for v in row] for row in rows)
    return out.getvalue()


def table_csv(table: pd.DataFrame) -> str:
    """A data frame without its index."""
    plain = table.astype(object).where(table.notna(), None)
    return csv_text(list(table.columns), plain.itertuples(index=False, name=None))
