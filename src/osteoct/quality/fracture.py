"""Findings about the height of a body: lower in front, in the middle, or than its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, sqrt
from typing import Any

from osteoct.anatomy import Level
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
    if not shape.grade or shape.height_loss_percent is None:
        return None
    common: dict[str, Any] = {
        "level": level.level,
        "certainty": _certainty(shape, GRADE_LIMITS_PERCENT[0]),
        "evidence": _list_evidence(shape),
    }
    if not _is_firm(shape):
        return Finding(
            code="height-loss-possible",
            severity=Severity.WARNING,
            message=f"Possible height loss of about {_describe(level.level, shape)}",
            **common,
        )
    return Finding(
        code="height-loss",
        severity=Severity.BLOCKING,
        message=f"Height loss of about {_describe(level.level, shape)}",
        **common,
    )


def _describe(level: Level, shape: Morphometry) -> str:
    """Loss, place and grade of a body in words."""
    spread = "" if shape.uncertainty_percent is None else f" ± {shape.uncertainty_percent:.0f}"
    where = "" if shape.deformity is None else f"{WHERE[shape.deformity]}; "
    return (
        f"{shape.height_loss_percent:.0f}{spread} % at {level} ({where}deformity grade "
        f"{shape.grade} by Genant's limits): its HU are doubtful."
    )


def _list_evidence(shape: Morphometry) -> dict[str, float | int | str | None]:
    """All ratios, and the limit that was reached."""
    grade = shape.grade or 1
    return {
        "height_loss_percent": shape.height_loss_percent,
        "uncertainty_percent": shape.uncertainty_percent,
        "grade": grade,
        "limit_percent": GRADE_LIMITS_PERCENT[grade - 1],
        "reading_points": READING_POINTS[grade - 1],
        "wedge_ratio": shape.wedge_ratio,
        "biconcave_ratio": shape.biconcave_ratio,
        "crush_ratio": shape.crush_ratio,
        "expected_height_mm": shape.expected_height_mm,
    }


def _is_firm(shape: Morphometry) -> bool:
    """Whether a loss is of grade 2 or 3, and of grade 1 at least if it was read too high."""
    if shape.grade is None or shape.height_loss_percent is None or shape.grade < LEAST_FIRM_GRADE:
        return False
    lowest = shape.height_loss_percent - (shape.uncertainty_percent or 0.0)
    return lowest >= GRADE_LIMITS_PERCENT[0]


def _certainty(shape: Morphometry, limit_percent: float) -> float | None:
    """Chance that the true loss reaches a limit, if errors are normal and 95 % are as stated."""
    if shape.height_loss_percent is None or not shape.uncertainty_percent:
        return None
    beyond = (shape.height_loss_percent - limit_percent) / (shape.uncertainty_percent / 1.96)
    return round(0.5 * (1 + erf(beyond / sqrt(2))), 3)
