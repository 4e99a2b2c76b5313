"""What the PDF says, as JSON for the template: the same sentences and tables as the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from osteoct.classify.rules import load_rules
from osteoct.export.pdf.pictures import SPINE_CAPTION, CasePicture
from osteoct.io.dicom.source import SourceSeries
from osteoct.records import CaseResult, Severity
from osteoct.report.conclusion import Sentence, conclude
from osteoct.report.facts import (
    Fact,
    describe_acquisition,
    describe_policy,
    describe_protocols,
    describe_provenance,
)
from osteoct.report.figures.pens import PENS
from osteoct.report.figures.section import Outline
from osteoct.report.finding_list import CHECKED, Doubt, list_doubts
from osteoct.report.level_table import Cell, LevelTable, Row, make_level_table
from osteoct.report.opinion_table import OpinionTable, make_opinion_table
from osteoct.report.wording import DISCLAIMER, PARTIAL_VOLUME, tell_usability

MOST_FINDINGS: Final = 12
"""More push the table of levels off the first sheets. Those left out are counted, and none of them
is blocking or leaves anything out unless there are more than that of those."""


MOST_BESIDE_CHART: Final = 4
"""Findings that leave room for the chart beside the picture."""

_OUTLINES: Final = (Outline.VERTEBRA, Outline.BODY, Outline.CORE, Outline.VERTEBRA_CORE)
"""What the picture of the spine outlines in most cases; the page names every line that occurs."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a page shows of where it comes from.

    Parameters
    ----------
    case
        What the case is called in place of its own name.
    has_origin
        Whether it says when the case was analysed, and of which files, by their hashes.
    """

    case: str | None = None
    has_origin: bool = True


def what_is_shown(source: SourceSeries | None) -> Shown:
    """Without identifiers a page has neither the user's name of the case nor dates and hashes."""
    if source is None or not source.is_deidentified:
        return Shown()
    return Shown(case=str(source.head.PatientID), has_origin=False)


def make_content(
    result: CaseResult,
    pictures: Sequence[CasePicture],
    panels: Sequence[CasePicture],
    *,
    shown: Shown,
) -> dict[str, Any]:
    """Put together what the template sets."""
    rules = load_rules()
    conclusion = conclude(result, rules)
    usability = result.usability
    doubts = list_doubts(result)
    return {
        "case": shown.case or result.case_id,
        "disclaimer": DISCLAIMER,
        "headline": _sentence(conclusion.headline),
        "also": [_sentence(s) for s in conclusion.sentences],
        "usability": "" if usability is None else tell_usability(usability, result.usability_codes),
        "certainty": _tell_numbering(result),
        "doubts": [_doubt(d) for d in doubts[:MOST_FINDINGS]],
        "left_out": tell_left_out(doubts[MOST_FINDINGS:]),
        "checked": CHECKED,
        "pictures": [
            {"file": p.name, "caption": p.caption, "is_spine": p.caption == SPINE_CAPTION}
            for p in pictures
        ],
        # beside many findings there is no room, and the table says the same
        "panels": [{"file": p.name, "caption": p.caption} for p in panels]
        if len(doubts) <= MOST_BESIDE_CHART
        else [],
        "pens": [
            {"colour": pen.colour, "dashed": bool(pen.dashes), "words": pen.words}
            for pen in (PENS[outline] for outline in _OUTLINES)
        ],
        "table": _table(make_level_table(result)),
        "partial_volume": PARTIAL_VOLUME,
        "opinions": _opinions(make_opinion_table(result, rules)),
        "facts": [
            ["Protocols", _facts(describe_protocols(result))],
            ["Scan", _facts(describe_acquisition(result))],
            ["Software", _facts(_software(result, shown))],
        ],
    }


def tell_left_out(doubts: Sequence[Doubt]) -> str:
    """Say how many findings are not listed, by severity; nothing where all are."""
    counts = {severity: sum(d.severity == severity for d in doubts) for severity in Severity}
    words = {Severity.BLOCKING: "blocking", Severity.WARNING: "warning", Severity.INFO: "note"}
    plural = {s: "" if s is Severity.BLOCKING or counts[s] == 1 else "s" for s in words}
    told = [f"{counts[s]} {word}{plural[s]}" for s, word in words.items() if counts[s]]
    return f"Not listed here: {', '.join(told)}; see findings.csv." if told else ""


def _software(result: CaseResult, shown: Shown) -> tuple[Fact, ...]:
    """Versions, inputs and policy; packages and times stand in the page and in the run file."""
    made = [f for f in describe_provenance(result.provenance) if f.term not in ("Packages", "Time")]
    if not shown.has_origin:
        made = [f for f in made if f.term == "osteoct"]
    segmenter = result.provenance.segmenter
    masks = "brought by the user" if segmenter is None else f"{segmenter.name} {segmenter.version}"
    return (Fact(term="Masks", text=masks), *describe_policy(result.policy), *made)


def _tell_numbering(result: CaseResult) -> str:
    """How sure the least sure name is."""
    numbering = result.numbering
    if numbering is None:
        return "not judged"
    return f"{numbering.certainty:.2f} of 1"


def _sentence(sentence: Sentence) -> dict[str, str]:
    return {
        "tone": sentence.tone.value,
        "subject": sentence.subject,
        "protocol": sentence.protocol,
        "predicate": sentence.predicate,
    }


def _doubt(doubt: Doubt) -> dict[str, str]:
    return {
        "severity": str(doubt.severity),
        "words": doubt.severity_words,
        "place": doubt.place,
        "message": doubt.message,
        "code": doubt.code,
        "effect": doubt.effect,
    }


def _table(table: LevelTable) -> dict[str, Any]:
    return {
        "groups": [[name, width] for name, width in table.groups],
        "columns": [[c.title, c.note] for c in table.columns],
        "rows": [_row(row) for row in table.rows],
        "summary": [_cell(cell) for cell in table.summary_cells],
        "counted": table.common_levels,
        "summary_levels": list(table.summary_levels),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "level": str(row.level),
        "usability": row.usability,
        "words": row.usability_words,
        "absent": row.absent,
        "cells": [_cell(cell) for cell in row.cells],
        "notes": f"{'. '.join(row.notes)}." if row.notes else "",
    }


def _cell(cell: Cell) -> str:
    return cell.text


def _opinions(table: OpinionTable) -> dict[str, Any]:
    return {
        "rows": [
            {
                "verdict": str(row.verdict),
                "words": row.verdict_words,
                "title": row.title,
                "by": row.measured_by,
                "value": row.value,
                "cutoff": row.cutoff,
                "reason": row.reason,
                "source": 0 if row.source is None else row.source,
            }
            for row in table.rows
        ],
        "sources": [f"{s.citation}. doi:{s.doi}" if s.doi else s.citation for s in table.sources],
    }


def _facts(facts: Sequence[Fact]) -> list[list[str]]:
    return [[fact.term, fact.text] for fact in facts]
