"""A comparison written out: tables, figures, page, PDF, workbook, results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import osteoct
from osteoct.cohort.agree.analysis import Kind, analyze_groups
from osteoct.cohort.agree.choices import AgreeChoices
from osteoct.cohort.agree.pairing import Grouped
from osteoct.cohort.agree.side import UNPAIRED_WORDS, Left, Side, Unpaired
from osteoct.cohort.columns import SYNTHETIC
from osteoct.cohort.csv_text import csv_text
from osteoct.cohort.figures.encoding import svg_bytes
from osteoct.cohort.linking.reasons import WORDS, Unlinked
from osteoct.cohort.report.agreement_section import make_section
from osteoct.cohort.report.agreement_tables import (
    make_agreement_tables,
    make_pair_table,
    make_repeat_table,
    make_unpaired_table,
)
from osteoct.cohort.report.content import AgreementSection
from osteoct.cohort.report.page import render_page
from osteoct.cohort.report.pdf import plain_section, set_pdf
from osteoct.cohort.report.suppression import show_count, suppress
from osteoct.cohort.report.tables import Table
from osteoct.cohort.report.text import DISCLAIMER, RECORDED, SYNTHETIC_BANNER
from osteoct.cohort.report.workbook import render_workbook
from osteoct.cohort.report.write import mark_table, write_figures

MARKER: Final = "results.json"


@dataclass(frozen=True, kw_only=True)
class AgreementReport:
    """Everything that is written of a comparison."""

    title: str
    banner: str | None
    disclaimer: str
    section: AgreementSection
    counts: Sequence[str]
    methods: Sequence[str]
    tables: Sequence[Table]
    plain: Sequence[Mapping[str, Any]]


def make_agreement_report(
    sides: Sequence[Side], grouped: Grouped, kind: Kind, choices: AgreeChoices
) -> AgreementReport:
    """Compare, hide small cells, and prepare all that is shown.

    Pairs are listed one by one only where there are enough of them.

    Raises
    ------
    LinkageError
        The sides share no number.
    """
    groups, least = grouped.groups, choices.least
    rows = analyze_groups(groups, kind)
    plain = [suppress(row.model_dump(mode="json"), least) for row in rows]
    is_synthetic = any(side.is_synthetic for side in sides)
    section = make_section(rows, plain, groups, choices, is_synthetic=is_synthetic)
    shown = show_count(len(groups), least)
    noun, rest = ("patient", " with repeats") if kind == "repeats" else ("pair", "")
    title = f"{shown} {noun}{'' if shown == '1' else 's'}{rest}"
    tables = _make_tables(plain, grouped, kind, choices)
    return AgreementReport(
        title=title,
        banner=SYNTHETIC_BANNER if is_synthetic else None,
        disclaimer=DISCLAIMER,
        section=section,
        counts=[title, *count_left(grouped.left, _name_sources(kind, choices), least)],
        methods=[*section.methods, *_write_sources(sides, kind, choices)],
        tables=[mark_table(t) for t in tables] if is_synthetic else tables,
        plain=plain,
    )


def _name_sources(kind: Kind, choices: AgreeChoices) -> tuple[str, str]:
    return choices.labels if kind == "methods" else ("results", "results")


def _make_tables(
    plain: Sequence[Mapping[str, Any]], grouped: Grouped, kind: Kind, choices: AgreeChoices
) -> list[Table]:
    """Statistics, who is left, and the single values where there are enough of them."""
    unpaired = make_unpaired_table(grouped.left, _name_sources(kind, choices))
    tables: list[Table] = [*make_agreement_tables(plain), unpaired]
    if len(grouped.groups) >= choices.least:
        tables += [make_pair_table(grouped.groups), *make_repeat_table(grouped.groups, kind)]
    return tables


def _write_sources(sides: Sequence[Side], kind: Kind, choices: AgreeChoices) -> list[str]:
    """What the numbers are, and what made them."""
    versions = ", ".join(f"{name} {version(name)}" for name in RECORDED)
    told = [side.protocol or "a protocol that the table does not tell" for side in sides]
    protocols = told[0]
    if kind == "methods":
        protocols = "; ".join(f"{p} ({n})" for p, n in zip(told, choices.labels, strict=True))
    return [
        f"Numbers were measured under {protocols}.",
        (
            f"Made by osteoct {osteoct.__version__} ({versions}) from data with SHA-256 "
            f"{' and '.join(side.sha256 for side in sides)}."
        ),
    ]


def count_left(left: Sequence[Left], labels: tuple[str, str], least: int) -> list[str]:
    """Who is compared with nobody, by side and reason."""
    counts = Counter((one.side, one.reason) for one in left)
    return [
        f"not compared, {labels[side]}: {show_count(n, least)} ({_say(reason)})"
        for (side, reason), n in sorted(counts.items())
    ]


def _say(reason: str) -> str:
    if reason in set(Unpaired):
        return UNPAIRED_WORDS[Unpaired(reason)]
    return WORDS[Unlinked(reason)]


def write_agreement(
    report: AgreementReport, sides: Sequence[Side], choices: AgreeChoices, folder: Path
) -> None:
    """Write every file into an existing folder. No time of day is in any of them."""
    pictures = report.section.pictures
    svgs = write_figures(pictures, folder / "figures", png=choices.png)
    for table in report.tables:
        _write(folder / f"{table.name}.csv", csv_text(table.columns, table.rows))
    _write(folder / "agreement.html", render_page(report, svgs, template="agreement"))
    _write(folder / MARKER, _results_json(report, sides, choices))
    if choices.excel:
        notes = [report.banner] if report.banner else []
        notes += [*report.section.headline, report.disclaimer, *report.counts, *report.methods]
        (folder / "workbook.xlsx").write_bytes(render_workbook(report.tables, notes))
    if choices.pdf:
        outlined = {p.name: svg_bytes(p.figure, with_outlines=True) for p in pictures}
        plain = {
            "title": report.title,
            "banner": report.banner,
            "headline": list(report.section.headline),
            "disclaimer": report.disclaimer,
            "section": plain_section(report.section),
            "counts": list(report.counts),
            "methods": list(report.methods),
        }
        (folder / "agreement.pdf").write_bytes(set_pdf("agreement", plain, outlined))


def _results_json(report: AgreementReport, sides: Sequence[Side], choices: AgreeChoices) -> str:
    document = {
        "schema": "osteoct.agreement-results/1",
        "data": SYNTHETIC if report.banner else "measured",
        "disclaimer": DISCLAIMER,
        "inputs_sha256": [side.sha256 for side in sides],
        "protocols": [side.protocol for side in sides],
        "versions": {"osteoct": osteoct.__version__, **{n: version(n) for n in RECORDED}},
        "configuration": choices.model_dump(mode="json"),
        "counts": list(report.counts),
        "results": report.plain,
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
