"""Worst first: the order in which a person looks at cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from osteoct.policy.judging import effect_of
from osteoct.records import CaseResult, Effect, Usability
from osteoct.report.place_pictures import gravity
from osteoct.review.folders import ReviewedCase

_RANKS: Final = (Usability.NOT_USABLE, Usability.USABLE_WITH_WARNING, Usability.USABLE)


def order_cases(cases: Iterable[ReviewedCase]) -> tuple[ReviewedCase, ...]:
    """Sort by usability, then by how many findings leave something out, then by those that warn.

    Findings count by their certainty: three that are half sure come before one that is sure.
    """
    return tuple(sorted(cases, key=lambda case: _badness(case.result)))


def usability_of_case(result: CaseResult) -> Usability:
    """A case's usability; in results older than that, by its levels and findings."""
    if result.usability is not None:
        return result.usability
    if not any(level.usable for level in result.levels):
        return Usability.NOT_USABLE
    warns = any(effect_of(finding) is not Effect.IGNORE for finding in result.findings)
    return Usability.USABLE_WITH_WARNING if warns else Usability.USABLE


def _badness(result: CaseResult) -> tuple[int, float, float, str]:
    """Smaller is worse; the name decides between equals, so that the order is always the same."""
    stopping = warning = 0.0
    for finding in result.findings:
        effect, certainty = gravity(finding)
        if effect >= Effect.EXCLUDE.order:
            stopping += certainty
        elif effect == Effect.WARN.order:
            warning += certainty
    rank = _RANKS.index(usability_of_case(result))
    return rank, -round(stopping, 6), -round(warning, 6), result.case_id
