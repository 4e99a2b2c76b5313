"""Every opinion, rule by rule: those that decide first, those that do not apply last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from osteoct.classify.rules import Rule
from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import CaseResult, GridRecord, Opinion, Verdict
from osteoct.report.wording import VERDICTS, explain_depth, format_number

_ORDER = {
    Verdict.BELOW: 0,
    Verdict.ABOVE: 0,
    Verdict.INDETERMINATE: 1,
    Verdict.NOT_APPLICABLE: 2,
}

_UNITS = {"HU": "HU", "mg/cm3": "mg/cm³"}


@dataclass(frozen=True, kw_only=True)
class OpinionRow:
    """One rule and what it says, as text."""

    verdict: str
    """The verdict's own name, for the style sheet."""
    verdict_words: str
    title: str
    measured_by: str
    """Protocol, and for a shell the depth and voxel size its HU depends on."""
    value: str
    cutoff: str
    reason: str
    source: int | None
    """Number of the source in the list below the table; none for a rule that is not known."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where rules come from."""

    citation: str
    doi: str


@dataclass(frozen=True, kw_only=True)
class OpinionTable:
    """All opinions and their sources, each source once."""

    rows: tuple[OpinionRow, ...]
    sources: tuple[Source, ...]


def make_opinion_table(result: CaseResult, rules: Sequence[Rule]) -> OpinionTable:
    """Lay out all opinions of a case; a rule this release does not know keeps its id as title."""
    known = {rule.id: rule for rule in rules}
    ordered = sorted(result.opinions, key=lambda o: _ORDER[o.verdict])
    used = [known[o.rule] for o in ordered if o.rule in known]
    sources = tuple(dict.fromkeys(_source_of(rule) for rule in used))
    numbers = {rule.id: sources.index(_source_of(rule)) + 1 for rule in used}
    return OpinionTable(
        rows=tuple(
            _make_row(o, known.get(o.rule), numbers.get(o.rule), result.grid) for o in ordered
        ),
        sources=sources,
    )


def _source_of(rule: Rule) -> Source:
    return Source(citation=rule.citation, doi=rule.doi or "")


def _make_row(
    opinion: Opinion, rule: Rule | None, source: int | None, grid: GridRecord
) -> OpinionRow:
    """One opinion under its rule's title."""
    return OpinionRow(
        verdict=opinion.verdict,
        verdict_words=VERDICTS[opinion.verdict],
        title=rule.title if rule else opinion.rule,
        measured_by=_name_protocol(rule, grid) if rule else "",
        value=format_number(opinion.value_hu),
        cutoff=f"{opinion.cutoff:g} {_UNITS[opinion.unit]}",
        reason=opinion.reason,
        source=source,
    )


def _name_protocol(rule: Rule, grid: GridRecord) -> str:
    """The protocol a rule belongs to."""
    if rule.protocol is None:
        return ""
    if rule.region is Region.CORTICAL and rule.protocol in PROTOCOLS:
        return f"{rule.protocol} ({explain_depth(PROTOCOLS[rule.protocol], grid)})"
    return rule.protocol
