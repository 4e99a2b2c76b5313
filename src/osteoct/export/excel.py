"""A case as Excel workbook: the tables of the result folder, opinions, and what columns mean.

Texts stay texts: nothing is written as a formula or a link. An absent number is an empty cell
beside its reason. The same result gives the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from osteoct.classify.rules import load_rules
from osteoct.export.documents_extra import check_documents_extra
from osteoct.export.tables import (
    AGREEMENT_COLUMNS,
    agreement_csv,
    findings_csv,
    heights_csv,
    levels_csv,
)
from osteoct.records import CaseResult, Opinion
from osteoct.report.conclusion import conclude
from osteoct.report.wording import DISCLAIMER, PARTIAL_VOLUME

FIXED_DATE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 -- the writer takes no time zone
"""Creation date in the file's properties: the day of writing would change the bytes."""

_WIDEST: Final = 60
"""Characters; a longer message is read in the line above the sheet."""

OPINION_COLUMNS: Final = (
    *("rule", "verdict", "value_hu", "cutoff", "unit", "levels_used", "reason", "title"),
    *("protocol", "citation", "doi"),
)

DICTIONARY: Final[Mapping[str, str]] = {
    "case_id": "pseudonym of the case",
    "level": "vertebra; empty in findings about the whole case",
    "protocol": "recipe that regions were made by",
    "region": "vertebra, body, trabecular (core deeper than the depth) or cortical (the rest)",
    "volume_cm3": "volume, cm³",
    "voxels": "voxels that HU were taken from",
    "mean_hu": "mean, HU",
    "median_hu": "median, HU",
    "sd_hu": "population standard deviation, HU",
    "p05_hu": "5th percentile, HU",
    "p25_hu": "25th percentile, HU",
    "p75_hu": "75th percentile, HU",
    "p95_hu": "95th percentile, HU",
    "reason": "why a number is absent; in opinions, why the verdict is what it is",
    "numbering_certainty": "0 to 1, how sure the level's name is",
    "masks_used": "original or repaired masks",
    "usability": "how far the level can be used",
    "usability_codes": "findings that limit its use",
    "numbering_reason": "what the level's name was counted from",
    "height_anterior_mm": "anterior height of the body, mm",
    "height_middle_mm": "middle height of the body, mm",
    "height_posterior_mm": "posterior height of the body, mm",
    "uncertainty_mm": "95 % of the errors of each height on phantoms, mm",
    "source": "whether heights come from the CT's end plates or the mask alone",
    "wedge_ratio": "anterior over posterior height",
    "biconcave_ratio": "middle over posterior height",
    "crush_ratio": "height over that of the neighbours",
    "expected_height_mm": "height of the neighbours, mm",
    "height_loss_percent": "largest loss of height, %",
    "uncertainty_percent": "what slice distance and source leave open of it, %",
    "deformity": "ratio that gave the loss",
    "grade": "deformity grade 0 to 3",
    "code": "finding; see the reference of findings",
    "severity": "info, warning or blocking",
    "message": "the finding in words",
    "effect": "what the policy lets it do",
    "rule": "published cut-off",
    "verdict": "below, above, indeterminate or not-applicable; never a diagnosis",
    "value_hu": "value that was compared, HU",
    "cutoff": "the cut-off",
    "unit": "its unit",
    "levels_used": "levels behind the value",
    "title": "what the rule is",
    "citation": "where the cut-off is from",
    "doi": "its DOI",
    "first": "segmenter whose numbers are used",
    "second": "segmenter that it is compared with",
    "dice": "overlap of the vertebra's masks, 0 to 1",
    "body_dice": "overlap of the body's masks, 0 to 1",
    "same_place": "level that the second has at this place",
    "same_place_dice": "overlap with that, 0 to 1",
    "first_volume_cm3": "volume by the first, cm³",
    "second_volume_cm3": "volume by the second, cm³",
    "first_hu": "mean by the first, HU",
    "second_hu": "mean by the second, HU",
    "difference_hu": "second less first, HU",
}
"""What each column of any sheet holds."""


@dataclass(frozen=True, kw_only=True)
class _Sheet:
    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | float | None]]


def render_case_workbook(result: CaseResult) -> bytes:
    """Write the workbook: about, levels, heights, findings, opinions, dictionary.

    A comparison of two segmenters has a sheet of its own. Numbers have the decimals of the CSV
    files; ``case.json`` keeps every digit.

    Raises
    ------
    DependencyError
        xlsxwriter is not installed.
    """
    check_documents_extra("a workbook", "xlsxwriter")
    import xlsxwriter  # noqa: PLC0415 -- an extra

    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"created": FIXED_DATE})
    _write_about(book, result)
    head = book.add_format({"bold": True, "bottom": 1})
    for sheet in _sheets(result):
        _write_sheet(book, sheet, head)
    book.close()
    return buffer.getvalue()


def _sheets(result: CaseResult) -> Iterator[_Sheet]:
    yield _from_csv("levels", levels_csv(result))
    yield _from_csv("heights", heights_csv(result))
    yield _from_csv("findings", findings_csv(result))
    yield _Sheet(
        name="opinions",
        columns=OPINION_COLUMNS,
        rows=[_opinion_row(opinion) for opinion in result.opinions],
    )
    if result.agreement is not None:
        yield _from_csv("agreement", agreement_csv(result))
    hidden = () if result.agreement is not None else set(AGREEMENT_COLUMNS) - _COMMON
    yield _Sheet(
        name="dictionary",
        columns=("column", "meaning"),
        rows=[(name, text) for name, text in DICTIONARY.items() if name not in hidden],
    )


_COMMON: Final = {"case_id", "level", "protocol", "region", "reason"}
"""Columns of the comparison that other sheets have as well."""

_TEXTS: Final = {"case_id", "level", "code", "message", "numbering_reason"}
"""Columns that stay text whatever they hold: a case may be called 007."""


def _from_csv(name: str, text: str) -> _Sheet:
    """A table of the result folder, its numbers as numbers."""
    columns, *rows = csv.reader(io.StringIO(text, newline=""))
    return _Sheet(
        name=name,
        columns=columns,
        rows=[[_value(c, cell) for c, cell in zip(columns, row, strict=True)] for row in rows],
    )


def _value(column: str, cell: str) -> str | float | None:
    if not cell:
        return None
    if column in _TEXTS:
        return cell.removeprefix("'")  # a guard of CSV; a workbook's texts are never run
    try:
        return float(cell)
    except ValueError:
        return cell


def _opinion_row(opinion: Opinion) -> list[str | float | None]:
    rule = next((r for r in load_rules() if r.id == opinion.rule), None)
    return [
        opinion.rule,
        opinion.verdict.value,
        opinion.value_hu,
        opinion.cutoff,
        opinion.unit,
        " ".join(opinion.levels_used),
        opinion.reason,
        *((None,) * 4 if rule is None else (rule.title, rule.protocol, rule.citation, rule.doi)),
    ]


def _write_about(
    book: Any,  # noqa: ANN401 -- written without annotations
    result: CaseResult,
) -> None:
    """What the workbook is, what is concluded, and what it cannot do."""
    conclusion = conclude(result, load_rules())
    lines = (
        f"osteoct {result.provenance.osteoct_version}, case {result.case_id}",
        conclusion.headline.text,
        *(sentence.text for sentence in conclusion.sentences),
        DISCLAIMER,
        f"{PARTIAL_VOLUME} An empty cell means that there is no number; its reason stands beside.",
    )
    sheet = book.add_worksheet("about")
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 110)
    for y, line in enumerate(lines):
        sheet.write_string(y, 0, line, wrapped)


def _write_sheet(
    book: Any,  # noqa: ANN401 -- written without annotations
    sheet: _Sheet,
    head: Any,  # noqa: ANN401
) -> None:
    page = book.add_worksheet(sheet.name)
    page.freeze_panes(1, 0)
    if sheet.rows:
        page.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)
    for x, column in enumerate(sheet.columns):
        page.write_string(0, x, column, head)
        longest = max((len(str(row[x] or "")) for row in sheet.rows), default=0)
        page.set_column(x, x, min(max(len(column), longest) + 2, _WIDEST))
        for y, row in enumerate(sheet.rows, start=1):
            cell = row[x]
            if isinstance(cell, str):
                page.write_string(y, x, cell)
            elif cell is not None:
                page.write_number(y, x, cell)
