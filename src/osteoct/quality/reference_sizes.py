"""How large lumbar vertebrae are and how far apart they lie, by a published sample.

The morphable model of Clouthier 2023 (10.1016/j.jbiomech.2022.111421, data at
github.com/aclouthier/morphable-lumbar-model) gives the mean shape of L2 to L5 of 87 patients, 30 to
90 years old, half of them women, a quarter with spondylolisthesis, and the mean and the extremes of
their dimensions. Volumes and distances of the mean shape were computed from its closed surfaces;
the ranges below are derived from them and from the extremes. They are wide on purpose: what lies
outside is unusual, or the masks or the lengths in the header are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from osteoct.anatomy import Level

SOURCE = "derived from Clouthier 2023, 10.1016/j.jbiomech.2022.111421"


@dataclass(frozen=True, kw_only=True)
class Extent:
    """A dimension of the sample: mean over L2 to L5 of a patient, in mm.

    Parameters
    ----------
    mean, least, most
        Over the 87 patients.
    """

    mean: float
    least: float
    most: float


BODY_HEIGHT = Extent(mean=27.750, least=23.521, most=32.310)
BODY_DEPTH = Extent(mean=35.043, least=29.543, most=41.952)
BODY_WIDTH = Extent(mean=46.676, least=39.350, most=58.798)
DISC_HEIGHT = Extent(mean=7.0871, least=3.080, most=11.368)

MEAN_VOLUME_CM3: Mapping[Level, float] = {
    Level.L2: 57.3,
    Level.L3: 63.3,
    Level.L4: 63.1,
    Level.L5: 62.6,
}
"""Whole vertebrae of the mean shape."""

L1_OVER_L2 = 0.906
"""Derived: L2 over L3 of the mean shape, once more. The sample has no L1; bodies grow from L1 to L4
(10.1007/s00276-015-1552-2)."""

SURFACE_SHARE = 0.12
"""Derived: half a millimetre more or less all around the mean shape (139 to 149 cm² of surface), as
masks of one bone by two hands differ."""

LEAST_MEAN_STEP_MM = 30.9
"""Distance of the centres of L4 and L5 in the mean shape, the least of the three: there lordosis
brings the arches closest."""


@dataclass(frozen=True, kw_only=True)
class SizeRange:
    """A range whose ends belong to it."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value lies inside."""
        return self.low <= value <= self.high


def volume_range_cm3(level: Level) -> SizeRange | None:
    """Range of the volume of a whole vertebra; ``None`` where the source has nothing to say.

    The mean volume times the least, or the largest, height, depth and width together, half a
    millimetre left for where a mask's surface is drawn.

    >>> volume_range_cm3(Level.L3)
    SizeRange(low=33.6, high=124.5)
    >>> volume_range_cm3(Level.T12) is None
    True
    """
    upper = MEAN_VOLUME_CM3.get(Level.L2 if level is Level.L1 else level)
    if upper is None:
        return None
    lower = upper * L1_OVER_L2 if level is Level.L1 else upper
    least = most = 1.0
    for extent in (BODY_HEIGHT, BODY_DEPTH, BODY_WIDTH):
        least *= extent.least / extent.mean
        most *= extent.most / extent.mean
    return SizeRange(
        low=round(lower * least * (1 - SURFACE_SHARE), 1),
        high=round(upper * most * (1 + SURFACE_SHARE), 1),
    )


def step_range_mm() -> SizeRange:
    """Range of the distance of the centres of two neighbouring lumbar vertebrae.

    At most the highest body and the highest disc; at least the nearest pair of the mean shape with
    the lowest body and the lowest disc in place of the mean ones.

    >>> step_range_mm()
    SizeRange(low=23.6, high=43.7)
    """
    mean = BODY_HEIGHT.mean + DISC_HEIGHT.mean
    least = BODY_HEIGHT.least + DISC_HEIGHT.least
    return SizeRange(
        low=round(LEAST_MEAN_STEP_MM * least / mean, 1),
        high=round(BODY_HEIGHT.most + DISC_HEIGHT.most, 1),
    )
