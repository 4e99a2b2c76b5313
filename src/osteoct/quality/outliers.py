"""A level whose trabecular HU depart from those of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from osteoct.measure.core import Core
from osteoct.measure.tissues import MAD_TO_SD
from osteoct.quality.foci import YOUNG_SD_HU
from osteoct.records import Finding, Severity

DEPARTURE_LIMIT_HU = YOUNG_SD_HU
"""One SD of young adults, which is also one T-score equivalent (derived)."""

NEIGHBOURS = 4
"""Nearest levels that a level is compared with: HU change along the spine."""

LEAST_NEIGHBOURS = 2
"""Fewer do not say which of two levels departs; of two, the nearer in HU is compared with."""

FIRM_NEIGHBOURS = 3
FIRM_SPREADS = 2.0
"""A departure is firm where it exceeds the limit by twice the spread of at least three levels."""

LEAST_SPREAD_HU = 10.0
"""Chosen: neighbours of a sound spine differ by about as much, and three may be alike by chance."""


def check_outliers(cores: Sequence[Core]) -> tuple[Finding, ...]:
    """Find levels that depart from the median of their neighbours by more than the limit.

    A firm departure blocks, which leaves the level out of the summary; any other is a warning.
    """
    means = {core: float(core.values_hu.mean(dtype="float64")) for core in cores}
    findings = []
    for core in cores:
        others = sorted(
            (other for other in cores if other is not core),
            key=lambda other: abs(other.level.level.order - core.level.level.order),
        )[:NEIGHBOURS]
        near = [means[other] for other in others]
        if len(near) >= LEAST_NEIGHBOURS:
            findings.append(compare_with_neighbours(core, means[core], near))
    return tuple(finding for finding in findings if finding is not None)


def compare_with_neighbours(core: Core, mean_hu: float, near_hu: list[float]) -> Finding | None:
    """Compare the mean of a core with those of at least two neighbours."""
    expected = _expect(mean_hu, near_hu)
    departure = mean_hu - expected
    if abs(departure) <= DEPARTURE_LIMIT_HU:
        return None
    spread = median(abs(hu - expected) for hu in near_hu) * MAD_TO_SD
    firm = DEPARTURE_LIMIT_HU + FIRM_SPREADS * max(spread, LEAST_SPREAD_HU)
    is_firm = abs(departure) > firm and len(near_hu) >= FIRM_NEIGHBOURS
    level, side = core.level.level, "above" if departure > 0 else "below"
    return Finding(
        code="level-outlier",
        severity=Severity.BLOCKING if is_firm else Severity.WARNING,
        level=level,
        message=(
            f"The core of {level} has {mean_hu:.0f} HU, {abs(departure):.0f} {side} what its "
            f"neighbours have ({expected:.0f} HU)."
        ),
        certainty=0.95 if is_firm else 0.6,
        place_mm=core.centre_mm,
        evidence={
            "mean_hu": mean_hu,
            "neighbours_hu": expected,
            "departure_hu": departure,
            "limit_hu": DEPARTURE_LIMIT_HU,
            "firm_limit_hu": firm,
            "neighbours": len(near_hu),
            "t_score_equivalent": departure / YOUNG_SD_HU,
        },
    )


def _expect(mean_hu: float, near_hu: list[float]) -> float:
    """The median of neighbours; of two, one of which may depart itself, the nearer in HU."""
    if len(near_hu) >= FIRM_NEIGHBOURS:
        return median(near_hu)
    return min(near_hu, key=lambda hu: abs(hu - mean_hu))
