"""What a case offers a rule: the value to compare, the levels behind it, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from osteoct.anatomy import Level
from osteoct.classify.rules import Rule
from osteoct.policy.judging import effect_of
from osteoct.records import Effect, Finding, HuStatistics, LevelResult, RegionMeasure


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The measured side of a comparison.

    Parameters
    ----------
    value_hu
        Unweighted mean over ``levels_used``; ``None`` with fewer levels than the rule needs.
    missing
        For each level of the rule that does not count, its name and why.
    name_certainty
        For each level used how sure its name is, where that was judged.
    """

    value_hu: float | None
    levels_used: tuple[Level, ...]
    missing: tuple[str, ...]
    name_certainty: Mapping[Level, float] = field(default_factory=dict)

    @property
    def numbering_certainty(self) -> float | None:
        """How sure the names of the levels used are: that of the least sure."""
        return min(self.name_certainty.values(), default=None)


def gather_evidence(
    rule: Rule, levels: Sequence[LevelResult], findings: Sequence[Finding]
) -> Evidence:
    """Take the rule's statistic from each level of the rule that counts, and name the others."""
    results = {result.level: result for result in levels}
    values: dict[Level, float] = {}
    missing: list[str] = []
    for level in rule.levels:
        measured = _measure_of(rule, results.get(level))
        doubts = _doubts_of(level, results.get(level), measured, findings)
        if measured is not None and measured.hu is not None and not doubts:
            values[level] = _statistic_of(rule, measured.hu)
        else:
            missing.append(f"{level} ({', '.join(doubts) or 'not measured'})")
    enough = len(values) >= rule.minimum_levels
    return Evidence(
        value_hu=fmean(values.values()) if values and enough else None,
        levels_used=tuple(values),
        missing=tuple(missing),
        name_certainty={
            lv: s for lv in values if (s := results[lv].numbering_certainty) is not None
        },
    )


def _measure_of(rule: Rule, result: LevelResult | None) -> RegionMeasure | None:
    """The rule's region under the rule's protocol at one level."""
    if result is None or rule.protocol is None or rule.region is None:
        return None
    return result.region(rule.protocol, rule.region)


def _statistic_of(rule: Rule, hu: HuStatistics) -> float:
    """The statistic the rule compares."""
    return hu.median_hu if rule.statistic == "median" else hu.mean_hu


def _doubts_of(
    level: Level,
    result: LevelResult | None,
    measured: RegionMeasure | None,
    findings: Sequence[Finding],
) -> list[str]:
    """Why a level does not count, as codes; empty where it does."""
    codes = [
        f.code
        for f in findings
        if f.level == level and effect_of(f) in (Effect.EXCLUDE, Effect.BLOCK)
    ]
    if measured is not None and measured.reason is not None:
        codes.append(measured.reason.value)
    if result is not None and not result.usable and not codes:
        codes.append("not usable")
    return list(dict.fromkeys(codes))
