"""Analyse a cohort and write everything: tables, figures, page, PDF, workbook, results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import osteoct
from osteoct.cohort.columns import SYNTHETIC
from osteoct.cohort.csv_text import csv_text
from osteoct.cohort.figures.encoding import png_bytes, svg_bytes
from osteoct.cohort.figures.style import OUTCOME_WORDS
from osteoct.cohort.folder import Cohort
from osteoct.cohort.linking.flow import FLOW_COLUMNS
from osteoct.cohort.report.choices import ReportChoices
from osteoct.cohort.report.cohort_agreement import compare_repeats
from osteoct.cohort.report.content import (
    Content,
    Picture,
    draw_flow_picture,
    draw_pictures,
    make_cutoff_table,
)
from osteoct.cohort.report.page import render_page
from osteoct.cohort.report.pdf import render_pdf
from osteoct.cohort.report.suppression import (
    show_count,
    show_flow,
    suppress,
    suppress_counts,
)
from osteoct.cohort.report.table_one import make_table_one
from osteoct.cohort.report.tables import Table, make_tables
from osteoct.cohort.report.text import (
    DISCLAIMER,
    LIMITS,
    RECORDED,
    SYNTHETIC_BANNER,
    list_assumptions,
    say_headline,
    say_pair,
    write_methods,
)
from osteoct.cohort.report.workbook import render_workbook
from osteoct.cohort.statistics.analysis import analyze_table
from osteoct.cohort.statistics.choices import CohortStatistics
from osteoct.cohort.statistics.cohort_table import prepare_table

MARKER: Final = "results.json"
"""What makes a folder an analysis: only such a folder, or an empty one, is ever replaced."""

Plain = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Results:
    """Statistics with and without small cells, and what the report shows of them."""

    found: CohortStatistics
    plain: Plain
    content: Content
    tables: tuple[Table, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Every figure, the flow first."""
        agreement = self.content.agreement
        repeats = () if agreement is None else agreement.pictures
        return (self.content.flow, *self.content.pictures, *repeats)


def make_results(cohort: Cohort, choices: ReportChoices) -> Results:
    """Analyse a cohort and prepare all that is shown of it."""
    found = analyze_table(cohort.table, choices.statistics)
    prepared = prepare_table(cohort.table, choices.statistics).table
    least = choices.least
    plain = hide_small_cells(found, least)
    counts = plain["group_counts"] | {"all": show_count(found.n, least)}
    agreement = compare_repeats(cohort, choices)
    flow = draw_flow_picture(cohort.flow, counts, least=least, is_synthetic=cohort.is_synthetic)
    content = Content(
        title=f"Cohort of {counts['all']} patients",
        banner=SYNTHETIC_BANNER if cohort.is_synthetic else None,
        headline=say_headline(plain),
        disclaimer=DISCLAIMER,
        flow=flow,
        table_one=make_table_one(plain["description"], counts),
        pictures=draw_pictures(prepared, found, least=least, is_synthetic=cohort.is_synthetic),
        cutoffs=make_cutoff_table(plain),
        pairs=[f"{OUTCOME_WORDS[p['outcome']]}: {say_pair(p)}" for p in plain["roc_pairs"]],
        methods=write_methods(
            plain,
            choices,
            protocol=choices.statistics.protocol,
            sha256=cohort.sha256,
            linking=cohort.linking,
            repeats=agreement.section.methods if agreement.section else (agreement.absence,),
        ),
        agreement=agreement.section,
        limits=LIMITS,
        assumptions=list_assumptions() if cohort.is_synthetic else (),
    )
    tables = (*make_tables(plain), _tabulate_flow(cohort, least), content.table_one)
    tables = (*tables, *agreement.tables)
    if cohort.is_synthetic:
        tables = tuple(mark_table(t) for t in tables)
    if agreement.plain:
        plain["agreement"] = agreement.plain
    return Results(found=found, plain=plain, content=content, tables=tables)


def _tabulate_flow(cohort: Cohort, least: int) -> Table:
    """The flow's numbers as printed."""
    shown = show_flow(cohort.flow, least)
    rows = tuple((r.side, r.step, r.reason, n) for r, n in zip(cohort.flow, shown, strict=True))
    return Table(name="flow", columns=FLOW_COLUMNS, rows=rows)


def hide_small_cells(found: CohortStatistics, least: int) -> dict[str, Any]:
    """The statistics as plain data, small cells hidden."""
    raw = found.model_dump(mode="json")
    kept = {name: raw.pop(name) for name in ("choices", "n", "group_counts", "ignored")}
    plain = {name: suppress(value, least) for name, value in raw.items()}
    plain["ignored"] = {name: show_count(n, least) for name, n in kept["ignored"].items()}
    plain["group_counts"] = suppress_counts(kept["group_counts"], least)
    plain["n"] = (
        kept["n"] if show_count(kept["n"], least).isdigit() else show_count(kept["n"], least)
    )
    return {**plain, "choices": kept["choices"]}


def mark_table(table: Table) -> Table:
    """A last column that says SYNTHETIC, in its name and in every row."""
    rows = tuple((*row, SYNTHETIC) for row in table.rows)
    return replace(table, columns=(*table.columns, SYNTHETIC), rows=rows)


def write_results(results: Results, cohort: Cohort, choices: ReportChoices, folder: Path) -> None:
    """Write every file into an existing folder. No time of day is in any of them."""
    svgs = write_figures(results.pictures, folder / "figures", png=choices.png)
    (folder / "describe").mkdir()
    for table in results.tables:
        place = folder / "describe" if table.name == "table1" else folder
        _write(place / f"{table.name}.csv", csv_text(table.columns, table.rows))
    _write(folder / "cohort.html", render_page(results.content, svgs))
    _write(folder / "results.json", _results_json(results, cohort, choices))
    if choices.excel:
        notes = [*_notes(results.content), *results.content.methods]
        (folder / "workbook.xlsx").write_bytes(render_workbook(results.tables, notes))
    if choices.pdf:
        outlined = {p.name: svg_bytes(p.figure, with_outlines=True) for p in results.pictures}
        (folder / "cohort.pdf").write_bytes(render_pdf(results.content, outlined))


def _notes(content: Content) -> Sequence[str]:
    return [*([content.banner] if content.banner else []), *content.headline, content.disclaimer]


def write_figures(pictures: Sequence[Picture], folder: Path, *, png: bool) -> dict[str, bytes]:
    """Write each figure as SVG, and as PNG where asked for; the SVGs come back by name."""
    folder.mkdir()
    svgs = {picture.name: svg_bytes(picture.figure) for picture in pictures}
    for picture in pictures:
        (folder / f"{picture.name}.svg").write_bytes(svgs[picture.name])
        if png:
            (folder / f"{picture.name}.png").write_bytes(png_bytes(picture.figure))
    return svgs


def _results_json(results: Results, cohort: Cohort, choices: ReportChoices) -> str:
    document = {
        "schema": "osteoct.cohort-results/1",
        "data": SYNTHETIC if cohort.is_synthetic else "measured",
        "disclaimer": DISCLAIMER,
        "input_sha256": cohort.sha256,
        "versions": {"osteoct": osteoct.__version__, **{n: version(n) for n in RECORDED}},
        "configuration": choices.model_dump(mode="json"),
        "linking": cohort.linking,
        "flow": [
            {**r.model_dump(mode="json"), "n": n}
            for r, n in zip(cohort.flow, show_flow(cohort.flow, choices.least), strict=True)
        ],
        "results": {name: value for name, value in results.plain.items() if name != "choices"},
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
