"""Findings about the height of a body: lower in front, in the middle, or than its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, sqrt

from osteoct.compartments.level import LevelCompartments
from osteoct.measure.morphometry import GRADE_LIMITS_PERCENT, READING_POINTS
from osteoct.records import Deformity, Finding, LevelResult, Morphometry, Severity

LEAST_FIRM_GRADE = 2
"""Grade from which a loss counts as firm: readers and programs disagree about grade 1."""

WHERE = {
    Deformity.WEDGE: "front",
    Deformity.BICONCAVE: "middle",
    Deformity.CRUSH: "whole body, against its neighbours",
}
"""Where the height is missing, in words."""


def check_heights(
    levels: Sequence[LevelResult], compartments: Sequence[LevelCompartments]
) -> tuple[Finding, ...]:
    """Check every measured level for a loss of height."""
    places = {lv.level: lv.axes.origin_mm for lv in compartments if lv.axes is not None}
    findings = []
    for level in levels:
        finding = check_height_loss(level)
        if finding is not None and level.level in places:
            x, y, z = (float(v) for v in places[level.level])
            finding = finding.model_copy(update={"place_mm": (x, y, z)})
        findings.append(finding)
    return tuple(finding for finding in findings if finding is not None)


def check_height_loss(level: LevelResult) -> Finding | None:
    """Find a body that lost height.

    Firm (blocking: the HU of a compressed body are not those of its bone) from grade 2 on where the
    error of the heights leaves grade 1 at least; everything else is possible (warning).
    """
    shape = level.morphometry
    if not shape.grade or shape.height_loss_percent is None or shape.deformity is None:
        return None
    is_firm = _is_firm(shape)
    loss, limit = shape.height_loss_percent, GRADE_LIMITS_PERCENT[shape.grade - 1]
    open_points = "" if shape.uncertainty_percent is None else f" ± {shape.uncertainty_percent:.0f}"
    return Finding(
        code="height-loss" if is_firm else "height-loss-possible",
        severity=Severity.BLOCKING if is_firm else Severity.WARNING,
        level=level.level,
        message=(
            f"{'Height' if is_firm else 'Possible height'} loss of about {loss:.0f}{open_points} % "
            f"at {level.level} ({WHERE[shape.deformity]}; deformity grade {shape.grade} by "
            "Genant's limits): its HU are doubtful."
        ),
        certainty=_certainty(shape, GRADE_LIMITS_PERCENT[0]),
        evidence={
            "height_loss_percent": loss,
            "uncertainty_percent": shape.uncertainty_percent,
            "grade": shape.grade,
            "limit_percent": limit,
            "reading_points": READING_POINTS,
            "wedge_ratio": shape.wedge_ratio,
            "biconcave_ratio": shape.biconcave_ratio,
            "crush_ratio": shape.crush_ratio,
            "expected_posterior_mm": shape.expected_posterior_mm,
        },
    )


def _is_firm(shape: Morphometry) -> bool:
    """Whether a loss is of grade 2 or 3, and of grade 1 at least if it was read too high."""
    if shape.grade is None or shape.height_loss_percent is None or shape.grade < LEAST_FIRM_GRADE:
        return False
    lowest = shape.height_loss_percent - (shape.uncertainty_percent or 0.0)
    return lowest >= GRADE_LIMITS_PERCENT[0] - READING_POINTS


def _certainty(shape: Morphometry, limit_percent: float) -> float | None:
    """Chance that the true loss reaches a limit, if errors are normal and 95 % are as stated."""
    if shape.height_loss_percent is None or not shape.uncertainty_percent:
        return None
    beyond = (shape.height_loss_percent - limit_percent) / (shape.uncertainty_percent / 1.96)
    return round(0.5 * (1 + erf(beyond / sqrt(2))), 3)
