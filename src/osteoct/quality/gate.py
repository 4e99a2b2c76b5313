"""The gate: what findings allow, per level and for the case, by the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from osteoct.anatomy import Level
from osteoct.policy.entries import load_entries
from osteoct.policy.judging import Policy, make_policy
from osteoct.records import Finding, LevelResult, Severity
from osteoct.usability_records import Effect, Usability

MOST_LEFT_OUT = 0.5
"""Chosen: where one cause in all masks leaves out more than half of the levels, it lies in the rest
too, below its limit."""

LEAST_SPREAD = 2
"""One level left out says nothing about all masks."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the policy made of a case.

    Parameters
    ----------
    levels
        The same numbers, each level with its usability and the codes behind it.
    findings
        The same findings, each with its effect.
    usability, codes
        Of the case, and the codes behind it, the gravest first.
    """

    levels: tuple[LevelResult, ...]
    findings: tuple[Finding, ...]
    usability: Usability
    codes: tuple[str, ...]


def judge_case(
    levels: Sequence[LevelResult], findings: Sequence[Finding], policy: Policy | None = None
) -> Judgement:
    """Decide how far each level and the case can be used.

    Numbers stay where they are: only summaries and conclusions leave levels out. A finding that
    blocks the case takes every level out, and so does one whose cause lies in all masks where it
    leaves out most levels; a level that was not measured is never usable.

    Parameters
    ----------
    policy
        The shipped policy when ``None``.
    """
    policy = policy or make_policy()
    told = (*findings, *_tell_risks(policy))
    judged = tuple(f.model_copy(update={"effect": policy.judge(f)}) for f in told)
    spread = _find_spread(levels, judged)
    graded = tuple(_grade_level(level, judged, spread) for level in levels)
    usability, codes = _grade_case(graded, judged, spread)
    return Judgement(levels=graded, findings=judged, usability=usability, codes=codes)


def _find_spread(levels: Sequence[LevelResult], findings: Sequence[Finding]) -> tuple[str, ...]:
    """Codes of causes in all masks that leave out most of the levels that were measured."""
    measured = {level.level for level in levels if level.usable}
    entries = load_entries()
    left_out: dict[str, set[Level]] = {}
    for f in findings:
        is_wide = f.code in entries and entries[f.code].image_wide
        if is_wide and f.effect is Effect.EXCLUDE and f.level is not None and f.level in measured:
            left_out.setdefault(f.code, set()).add(f.level)
    return tuple(
        code
        for code, mine in left_out.items()
        if len(mine) >= LEAST_SPREAD and len(mine) > MOST_LEFT_OUT * len(measured)
    )


def _grade_level(
    level: LevelResult, findings: Sequence[Finding], spread: Sequence[str]
) -> LevelResult:
    """One level with its usability; the level's own reasons come before those of the case."""
    own = [f for f in findings if f.level == level.level]
    stopping = [*_codes(own, Effect.EXCLUDE), *_codes(findings, Effect.BLOCK), *spread]
    if stopping or not level.usable:
        usability, codes = Usability.NOT_USABLE, stopping
    else:
        codes = _codes(own, Effect.WARN)
        usability = Usability.USABLE_WITH_WARNING if codes else Usability.USABLE
    return level.model_copy(
        update={
            "usable": usability is not Usability.NOT_USABLE,
            "usability": usability,
            "usability_codes": tuple(dict.fromkeys(codes)),
        }
    )


def _grade_case(
    levels: Sequence[LevelResult], findings: Sequence[Finding], spread: Sequence[str]
) -> tuple[Usability, tuple[str, ...]]:
    """The case's usability: without one usable level there is nothing to use."""
    blocking = [*_codes(findings, Effect.BLOCK), *spread]
    if blocking or not any(level.usable for level in levels):
        codes = blocking or [code for level in levels for code in level.usability_codes]
        return Usability.NOT_USABLE, tuple(dict.fromkeys(codes))
    codes = _codes(findings, Effect.WARN)
    return (Usability.USABLE_WITH_WARNING if codes else Usability.USABLE), tuple(codes)


def _codes(findings: Sequence[Finding], least: Effect) -> list[str]:
    """Codes of findings that do at least so much, the gravest first, each once."""
    reaching = [f for f in findings if f.effect is not None and f.effect.order >= least.order]
    reaching.sort(key=_gravity, reverse=True)
    return list(dict.fromkeys(f.code for f in reaching))


def _gravity(finding: Finding) -> int:
    return 0 if finding.effect is None else finding.effect.order


def _tell_risks(policy: Policy) -> tuple[Finding, ...]:
    """What the user let through, so that every reader of the result knows."""
    risks = policy.accepted_risks
    if not risks:
        return ()
    return (
        Finding(
            code="risk-accepted",
            severity=Severity.WARNING,
            message=(
                "By the user's policy numbers count that the shipped policy keeps out: "
                f"{', '.join(risks)}."
            ),
            evidence={"codes": " ".join(risks)},
        ),
    )
