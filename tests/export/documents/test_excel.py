"""The workbook holds the result's numbers as numbers, as openpyxl reads it."""

from __future__ import annotations

import openpyxl
import pytest

from osteoct.export.excel import DICTIONARY, render_case_workbook
from osteoct.export.tables import AGREEMENT_COLUMNS
from osteoct.protocols import Region

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


@pytest.fixture(scope="module")
def book(sent):
    return openpyxl.load_workbook(sent / "case.xlsx")


def rows_of(sheet):
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_numbers_are_those_of_the_result(laid, book):
    """A number that became text, or lost its place, would be computed with wrongly."""
    rows = rows_of(book["levels"])
    for level in laid.case.result.levels:
        for measure in level.regions:
            row = next(
                r
                for r in rows
                if (r["level"], r["protocol"], r["region"])
                == (level.level, measure.protocol, measure.region)
            )
            if measure.hu is None:
                assert (row["mean_hu"], row["reason"]) == (None, measure.reason)
            else:
                assert row["mean_hu"] == pytest.approx(measure.hu.mean_hu, abs=5e-4)
    heights = {r["level"]: r for r in rows_of(book["heights"])}
    assert heights["L1"]["height_anterior_mm"] is None
    assert heights["L1"]["reason"]
    assert any(r["region"] == Region.TRABECULAR for r in rows)


def test_every_column_is_explained_and_no_text_is_run(laid, book):
    """A dictionary with holes is none; a case named like a formula stays a name."""
    explained = {r["column"] for r in rows_of(book["dictionary"])}
    sheets = [n for n in book.sheetnames if n not in {"about", "dictionary"}]
    assert sheets == ["levels", "heights", "findings", "opinions"]
    for name in sheets:
        assert {cell.value for cell in book[name][1]} <= explained
        assert not [c for row in book[name] for c in row if c.data_type == "f"]
    assert book["levels"]["A2"].value == "=cmd|phantom"
    assert set(AGREEMENT_COLUMNS) <= set(DICTIONARY)  # of a sheet that this case has not
    opinions = {r["rule"]: r["verdict"] for r in rows_of(book["opinions"])}
    assert opinions == {o.rule: o.verdict for o in laid.case.result.opinions}


def test_the_same_case_gives_the_same_bytes(laid, sent):
    """No date of writing is in it."""
    assert render_case_workbook(laid.case.result) == (sent / "case.xlsx").read_bytes()
