"""The tables as an Excel workbook, a sheet for each; the same tables give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Final

from osteoct.cohort.extra import EXCEL_OUT, check_extra
from osteoct.cohort.report.tables import Table

FIXED_DATE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - the writer takes no time zone
"""Creation date in the file's properties: the day of writing would change the bytes."""

_WIDEST = 48


def render_workbook(tables: Sequence[Table], notes: Sequence[str]) -> bytes:
    """Write the workbook; ``notes`` stand on a first sheet of their own.

    Texts stay texts: nothing is written as a formula or a link.

    Raises
    ------
    DependencyError
        xlsxwriter is not installed.
    """
    check_extra("the workbook of a cohort", EXCEL_OUT)
    import xlsxwriter  # noqa: PLC0415 - an extra

    buffer = BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    book.set_properties({"created": FIXED_DATE})
    head = book.add_format({"bold": True, "bottom": 1})
    first = book.add_worksheet("about")
    first.set_column(0, 0, 110)
    for i, note in enumerate(notes):
        first.write_string(i, 0, note)
    for table in tables:
        sheet = book.add_worksheet(table.name[:31])
        sheet.freeze_panes(1, 0)
        for x, column in enumerate(table.columns):
            sheet.write_string(0, x, column, head)
            longest = max((len(str(row[x])) for row in table.rows), default=0)
            sheet.set_column(x, x, min(max(len(column), longest) + 2, _WIDEST))
        for y, row in enumerate(table.rows, start=1):
            for x, cell in enumerate(row):
                if isinstance(cell, bool):
                    sheet.write_string(y, x, "yes" if cell else "no")
                elif isinstance(cell, (int, float)):
                    sheet.write_number(y, x, cell)
                elif cell is not None:
                    sheet.write_string(y, x, str(cell))
    book.close()
    return buffer.getvalue()
