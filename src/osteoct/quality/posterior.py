"""Posterior elements that the mask lacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteoct.compartments.level import LevelCompartments
from osteoct.quality.frontal import places_along_front_mm
from osteoct.quality.mask_sides import middle_mm
from osteoct.records import Finding, Reason, Severity

LEAST_REACH = 0.95
"""Length of the posterior elements behind the body, over the body's depth.

1.11 to 1.56 in fifteen lumbar vertebrae of three people, the project's real examples. Without a
tenth of their voxels, those farthest back, 0.52 to 0.81.
"""

OUTERMOST = (1.0, 99.0)
"""Percentiles of the body's places that count as its walls."""

HINDMOST = 0.5
"""Percentile of the vertebra's places that counts as its hindmost."""


def check_arches(levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """Find lumbar levels whose spinous process does not reach as far back as one does."""
    found = []
    for level in levels:
        reach = measure_reach(level)
        if reach is not None and reach < LEAST_REACH:
            found.append(_tell(level, reach))
    return tuple(found)


def measure_reach(level: LevelCompartments) -> float | None:
    """Posterior length over body depth, along the body's own axis; ``None`` where not told."""
    is_cut = Reason.CUT_BY_BORDER in level.reasons.values()
    if not level.level.is_lumbar or is_cut or level.body is None or level.axes is None:
        return None
    body = places_along_front_mm(level.body, level.geometry, level.axes)
    rest = level.vertebra & ~level.body
    if not rest.any():
        return 0.0
    back, front = np.percentile(body, OUTERMOST)
    behind = places_along_front_mm(rest, level.geometry, level.axes)
    hindmost = np.percentile(behind, HINDMOST)
    return float((back - hindmost) / (front - back))


def _tell(level: LevelCompartments, reach: float) -> Finding:
    """An arch that is too short."""
    return Finding(
        code="arch-cut",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"The posterior elements of {level.level} reach {reach:.2f} of the body's depth behind "
            f"it (wanted {LEAST_REACH:g}): part of them is not labelled, or counts as body. "
            "Whole-vertebra numbers depend on it."
        ),
        certainty=0.8,
        place_mm=middle_mm(level),
        evidence={"reach_of_depth": reach, "limit": LEAST_REACH},
    )
