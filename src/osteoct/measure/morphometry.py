"""Ratios of a body's heights, against itself and against its neighbours.

Wedge is anterior over posterior, biconcave middle over posterior. Crush is the mean of anterior and
posterior over that of the neighbours: the posterior height alone falls from L4 to L5 in everybody
(the anterior one of L5 is 1.15 times the posterior one: Cook and Baker, Int J Spine Surg 2021,
15:1072, table 6), the mean hardly does. Grades follow Genant's semiquantitative limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from osteoct.records import Deformity, Heights, LevelResult, Morphometry

GRADE_LIMITS_PERCENT: Final = (20.0, 25.0, 40.0)
"""Height loss from which a body has deformity grade 1, 2, 3: "approximately 20 to 25 %", "25 to
40 %", "40 % or greater".

Source: ACR/RSNA common data element RDES150 "Genant classification" (radelement.org; read in the
repository hoodcm/oifm-definitions, ``genant_classification.md``); the same limits in Wáng, Quant
Imaging Med Surg 2019, 10.21037/qims.2019.02.04 (qims.amegroups.com/article/view/24006).
"""

READING_POINTS: Final = (0.0, 2.0, 2.0)
"""How far below its limit, in percentage points, a loss still has grade 1, 2, 3.

The source's limits are approximate, and a loss ordered at 25 % is read as 23.7 to 35 % on
phantoms with slices up to 3 mm (``benchmarks/height_accuracy.py``). Grade 1, "possible" anyway,
needs no such help.
"""

NEIGHBOURS: Final = 2
"""Levels above and below that count as neighbours; the median bears one of them being low too."""

FARTHEST: Final = 3
"""Steps in the order of levels that a neighbour may be away; between T12 and L1 lies T13."""

COMPARED: Final = ("T", "L")
"""First letters of levels whose heights change little from one to the next."""

LEAST_NEIGHBOURS: Final = 2
"""Measured neighbours below which nothing is expected of a level."""


def measure_morphometry(levels: Sequence[LevelResult]) -> tuple[LevelResult, ...]:
    """Add to every level the ratios of its heights and its loss of height.

    A level without heights has no ratios, and the reason is that of its heights.
    """
    column = sorted(
        (lv for lv in levels if lv.level.value[0] in COMPARED and lv.heights.reason is None),
        key=lambda lv: lv.level.order,
    )
    return tuple(
        level.model_copy(
            update={"morphometry": compare_heights(level.heights, _around(level, column))}
        )
        for level in levels
    )


def compare_heights(own: Heights, neighbours: Sequence[Heights] = ()) -> Morphometry:
    """Ratios and loss of height of one body.

    Parameters
    ----------
    neighbours
        Heights of the levels around it, whichever were measured.

    >>> own = Heights(height_anterior_mm=18, height_middle_mm=23, height_posterior_mm=27)
    >>> round(compare_heights(own).height_loss_percent, 1)
    33.3
    """
    front, middle, back = (
        own.height_anterior_mm,
        own.height_middle_mm,
        own.height_posterior_mm,
    )
    if front is None or middle is None or back is None or back <= 0:
        return Morphometry(reason=own.reason)
    whole, expected = (front + back) / 2, _expect_height(neighbours)
    ratios = {Deformity.WEDGE: front / back, Deformity.BICONCAVE: middle / back}
    if expected is not None:
        ratios[Deformity.CRUSH] = whole / expected
    lowest = min(ratios, key=lambda name: ratios[name])
    below = expected if lowest is Deformity.CRUSH and expected is not None else back
    loss = max(0.0, 100 * (1 - ratios[lowest]))
    return Morphometry(
        wedge_ratio=ratios[Deformity.WEDGE],
        biconcave_ratio=ratios[Deformity.BICONCAVE],
        crush_ratio=ratios.get(Deformity.CRUSH),
        expected_height_mm=expected,
        height_loss_percent=loss,
        uncertainty_percent=_spread_of(ratios[lowest], own.uncertainty_mm, below),
        deformity=lowest if loss > 0 else None,
        grade=grade_loss(loss),
    )


def grade_loss(loss_percent: float) -> int:
    """Deformity grade 0 … 3 of a loss of height.

    >>> [grade_loss(p) for p in (12.0, 22.0, 30.0, 45.0)]
    [0, 1, 2, 3]
    """
    limits = zip(GRADE_LIMITS_PERCENT, READING_POINTS, strict=True)
    return sum(loss_percent >= limit - points for limit, points in limits)


def _around(level: LevelResult, column: Sequence[LevelResult]) -> list[Heights]:
    """Heights of the levels next to one, itself left out."""
    above = [lv for lv in column if 0 < level.level.order - lv.level.order <= FARTHEST]
    below = [lv for lv in column if 0 < lv.level.order - level.level.order <= FARTHEST]
    return [lv.heights for lv in (*above[-NEIGHBOURS:], *below[:NEIGHBOURS])]


def _expect_height(neighbours: Sequence[Heights]) -> float | None:
    """Median over the neighbours of the mean of anterior and posterior height, in mm."""
    found = [
        (h.height_anterior_mm + h.height_posterior_mm) / 2
        for h in neighbours
        if h.height_anterior_mm is not None and h.height_posterior_mm is not None
    ]
    return float(np.median(found)) if len(found) >= LEAST_NEIGHBOURS else None


def _spread_of(ratio: float, uncertainty_mm: float | None, below_mm: float) -> float | None:
    """What the error of both heights makes of their ratio, in percentage points."""
    if uncertainty_mm is None:
        return None
    return float(100 * uncertainty_mm / below_mm * np.hypot(1.0, ratio))
