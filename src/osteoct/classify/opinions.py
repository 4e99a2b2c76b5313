"""What each published cut-off says of a case: below, above, not applicable or indeterminate."""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.anatomy import name_levels
from osteoct.classify.doubts import (
    CONTRAST_MOVES_HU,
    LEAST_NUMBERING,
    is_below,
    is_contrast,
    question_case,
    question_distance,
    question_kvp,
    question_levels,
    question_numbering,
    question_phase,
)
from osteoct.classify.evidence import Evidence, gather_evidence
from osteoct.classify.rules import Rule, load_rules
from osteoct.records import Acquisition, Finding, LevelResult, Opinion, Summary, Verdict

RULES_NOTHING_OUT = "this does not rule out low bone density"


def form_opinions(
    *,
    levels: Sequence[LevelResult],
    summaries: Sequence[Summary],
    acquisition: Acquisition,
    findings: Sequence[Finding],
    rules: Sequence[Rule] | None = None,
) -> tuple[Opinion, ...]:
    """Compare a case with every rule; each verdict comes with its reason in plain words.

    Parameters
    ----------
    levels
        What was measured.
    summaries
        What was asked for: a rule whose protocol, region or levels are not among the summaries'
        does not apply.
    acquisition
        kVp and contrast phase of the scan; unknown is not the same as as-wanted.
    findings
        Blocking findings forbid conclusions about their level, or about the case.
    rules
        The shipped rules when ``None``.

    Returns
    -------
    tuple of Opinion
        One per rule, in the rules' order.
    """
    return tuple(
        _form_opinion(rule, levels, summaries, acquisition, findings)
        for rule in (load_rules() if rules is None else rules)
    )


def _form_opinion(
    rule: Rule,
    levels: Sequence[LevelResult],
    summaries: Sequence[Summary],
    acquisition: Acquisition,
    findings: Sequence[Finding],
) -> Opinion:
    """Apply one rule, or say why it is not applied."""
    obstacle = _find_obstacle(rule, summaries)
    if obstacle:
        return _make_opinion(rule, Verdict.NOT_APPLICABLE, obstacle)
    evidence = gather_evidence(rule, levels, findings)
    doubts = [
        question_case(findings),
        question_levels(rule, evidence),
        question_numbering(rule, levels),
        question_kvp(rule, acquisition),
        question_phase(rule, evidence, acquisition),
        question_distance(rule, evidence),
    ]
    reasons = [doubt for doubt in doubts if doubt]
    if reasons or evidence.value_hu is None:
        return _make_opinion(rule, Verdict.INDETERMINATE, "; ".join(reasons), evidence)
    return _conclude(rule, evidence.value_hu, evidence, acquisition)


def _find_obstacle(rule: Rule, summaries: Sequence[Summary]) -> str | None:
    """Why the rule is not for this case at all."""
    if rule.not_applicable_because:
        return rule.not_applicable_because
    if rule.protocol not in {s.protocol for s in summaries}:
        return f"protocol {rule.protocol} was not run"
    asked = {
        level
        for s in summaries
        if (s.protocol, s.region) == (rule.protocol, rule.region)
        for level in s.levels_asked
    }
    unasked = [level for level in rule.levels if level not in asked]
    if unasked:
        return f"the rule is for {name_levels(rule.levels)}; not asked for: {', '.join(unasked)}"
    return None


def _conclude(rule: Rule, value_hu: float, evidence: Evidence, acquisition: Acquisition) -> Opinion:
    """Say on which side of the cut-off an undoubted value lies, and what was taken for granted."""
    below = is_below(value_hu, rule.cutoff)
    side = rule.below_means if below else f"not {rule.below_means}"
    what = (
        f"{rule.statistic} {rule.region} HU of {name_levels(evidence.levels_used)} "
        f"({rule.protocol}) is {value_hu:.1f} HU against {rule.cutoff:g} HU: {side}"
    )
    reason = "; ".join([what, *_state_numbering(evidence), *_state_assumptions(acquisition)])
    if not below:
        reason = f"{reason}; {RULES_NOTHING_OUT}"
    return _make_opinion(rule, Verdict.BELOW if below else Verdict.ABOVE, reason, evidence)


def _state_numbering(evidence: Evidence) -> list[str]:
    """How sure the names of the levels are, where that is less than a conclusion takes it for."""
    sure = evidence.numbering_certainty
    if sure is None or sure >= LEAST_NUMBERING:
        return []
    unsure = [lv for lv, s in evidence.name_certainty.items() if s < LEAST_NUMBERING]
    who = "the levels" if len(unsure) == len(evidence.name_certainty) else name_levels(unsure)
    return [f"{who} may be others than their names say (certainty {sure:.2f})"]


def _state_assumptions(acquisition: Acquisition) -> list[str]:
    """What a conclusion rests on without knowing it."""
    notes = []
    if acquisition.kvp is None:
        notes.append("kVp not stated")
    if acquisition.phase is None:
        seen = acquisition.phase_pixels
        notes.append("phase not stated" + (f", {seen} by its pixels" if seen else ""))
    elif is_contrast(acquisition.phase):
        notes.append(f"phase {acquisition.phase}: {CONTRAST_MOVES_HU}, below stays below")
    return notes


def _make_opinion(
    rule: Rule, verdict: Verdict, reason: str, evidence: Evidence | None = None
) -> Opinion:
    """The record of one verdict."""
    return Opinion(
        rule=rule.id,
        verdict=verdict,
        reason=reason,
        value_hu=evidence.value_hu if evidence else None,
        cutoff=rule.cutoff,
        unit=rule.unit,
        levels_used=evidence.levels_used if evidence else (),
    )
