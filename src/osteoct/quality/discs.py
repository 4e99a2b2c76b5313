"""Discs as dense as bone: lime, leaked cement, a bridge of bone, or masks in the wrong place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from osteoct.compartments.anchors import steps_apart
from osteoct.compartments.endplates import sample_endplates
from osteoct.compartments.extent import extent_mm
from osteoct.compartments.level import LevelCompartments
from osteoct.quality.surroundings import Floats, look_up_hu
from osteoct.records import Finding, Severity
from osteoct.volume import CTVolume

DENSE_DISC_HU = 150.0
"""Chosen between a clean disc under 5 mm slices (up to 122 HU on phantoms, 63 to 73 on the real
example) and the weakest dense one of the catalogue (177 of 180 HU)."""

LEAST_GAP_MM = 4.0
LEAST_GAP_SLICES = 1.6
"""Lower discs are not looked at: their middle shows the end plates as well (chosen; 1.6 slices are
left between the end plates of the clean phantoms with the thickest slices)."""

PART = 0.5
"""Share of the width and depth of the bodies over which it is looked at: spurs sit at the rims."""

COLUMNS = 9
MIDDLE = (0.4, 0.45, 0.5, 0.55, 0.6)
"""Places from the upper to the lower end plate: farthest from both."""

LEAST_FOUND = 0.7
"""Share of the columns that must meet both bodies."""

LOW_PERCENTILE = 25.0
"""Three quarters of the middle must be dense: a nucleus of lime or a slanting plate is not."""


@dataclass(frozen=True, kw_only=True)
class Disc:
    """The middle of the space between two bodies.

    Parameters
    ----------
    hu
        Lower quartile of its HU.
    gap_mm
        Median distance of the end plates.
    """

    upper: LevelCompartments
    lower: LevelCompartments
    hu: float
    gap_mm: float
    place_mm: tuple[float, float, float]


def check_discs(ct: CTVolume, levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """Find discs as dense as bone.

    Parameters
    ----------
    ct
        The CT whose grid the levels' boxes index, in canonical orientation.
    """
    least = least_gap_mm(ct)
    return tuple(
        _tell(disc)
        for disc in measure_discs(ct, levels)
        if disc.gap_mm >= least and disc.hu >= DENSE_DISC_HU
    )


def least_gap_mm(ct: CTVolume) -> float:
    """The lowest disc of which the middle is seen apart from the end plates."""
    return max(LEAST_GAP_MM, LEAST_GAP_SLICES * ct.geometry.spacing_mm[2])


def _tell(disc: Disc) -> Finding:
    """The finding on a dense disc; it stands on the vertebra above."""
    upper, lower = disc.upper.level, disc.lower.level
    return Finding(
        code="dense-disc",
        severity=Severity.WARNING,
        level=upper,
        message=(
            f"Between {upper} and {lower} there is something as dense as bone ({disc.hu:.0f} HU): "
            "a disc of lime, cement or bone, or masks that miss part of the bodies."
        ),
        certainty=0.7,
        place_mm=disc.place_mm,
        evidence={
            "lower_level": lower.value,
            "disc_hu": disc.hu,
            "limit_hu": DENSE_DISC_HU,
            "gap_mm": disc.gap_mm,
        },
    )


def measure_discs(ct: CTVolume, levels: Sequence[LevelCompartments]) -> tuple[Disc, ...]:
    """Measure every disc between two neighbours that both have a body."""
    ordered = sorted(levels, key=lambda level: level.level.order)
    discs = (
        _measure_disc(ct, upper, lower)
        for upper, lower in pairwise(ordered)
        if steps_apart(upper.level, lower.level) == 1
    )
    return tuple(disc for disc in discs if disc is not None)


def _measure_disc(ct: CTVolume, upper: LevelCompartments, lower: LevelCompartments) -> Disc | None:
    """Measure one disc; nothing where too little of the end plates face each other."""
    above, below = _face(upper, is_top=False), _face(lower, is_top=True)
    if above is None or below is None:
        return None
    gap = np.linalg.norm(above - below, axis=1)
    found = np.isfinite(gap)
    if found.mean() < LEAST_FOUND:
        return None
    shares = np.array(MIDDLE)[:, None, None]
    points = above[found] * (1 - shares) + below[found] * shares
    hu = look_up_hu(ct, points)
    if not np.isfinite(hu).any():
        return None
    x, y, z = (float(c) for c in points.mean(axis=(0, 1)))
    return Disc(
        upper=upper,
        lower=lower,
        hu=float(np.nanpercentile(hu, LOW_PERCENTILE)),
        gap_mm=float(np.median(gap[found])),
        place_mm=(x, y, z),
    )


def _face(level: LevelCompartments, *, is_top: bool) -> Floats | None:
    """Points (N, 3) of an end plate in patient space; NaN where a column misses the body."""
    if level.body is None or level.axes is None:
        return None
    low, high = extent_mm(level.body, level.geometry, level.axes, percent=1)
    right, front = (np.linspace(-PART * h, PART * h, COLUMNS) for h in (high - low)[:2] / 2)
    plates = sample_endplates(
        level.body, level.geometry, level.axes, right_mm=right, anterior_mm=front
    )
    r, a = np.meshgrid(right, front, indexing="ij")
    face = plates.top_mm if is_top else plates.bottom_mm
    local = np.stack([r, a, face], axis=-1).reshape(-1, 3)
    return local @ level.axes.rotation.T + level.axes.origin_mm
