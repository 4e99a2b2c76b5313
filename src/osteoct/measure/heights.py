"""Anterior, middle and posterior height of a vertebral body.

Measured between the end plates along the vertebra's own superior axis, in a band around its own
mid-sagittal plane and not in one slice. Each face is read at a position by a straight-line or
parabola fit over the columns around it, so that a rounded corner does not shorten the edges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.endplates import sample_endplates
from osteoct.compartments.level import LevelCompartments
from osteoct.records import Heights, Reason

BAND_HALF_MM = 5.0
"""Half the width of the mid-sagittal band: a third of a body's half-width, where it is flat."""

STEP_MM = 0.5
"""Step between columns from back to front."""

REACH_MM = 35.0
"""How far in front of and behind the body's centre columns are looked for (depth is 30–38 mm)."""

EDGE_PART = 0.06
"""Share of the depth at either end that is left out of fits: corners are rounded (about 2 mm)."""

FIT_PART = 0.5
"""Share of the depth, from either edge, that the parabola for that edge is fitted over."""

MIDDLE_PART = (0.4, 0.6)
"""Share of the depth over which the middle height is averaged."""

LEAST_COLUMNS = 12
"""Columns from back to front below which nothing is fitted: a body of 6 mm."""

Floats = NDArray[np.float64]


def measure_heights(level: LevelCompartments) -> Heights:
    """Measure the three heights of a level, or say why not.

    Heights of a level without a body or without axes are absent.
    """
    if level.body is None or level.axes is None:
        return Heights(reason=Reason.NO_BODY if level.body is None else Reason.NOT_FOUND)
    plates = sample_endplates(
        level.body,
        level.geometry,
        level.axes,
        right_mm=np.arange(-BAND_HALF_MM, BAND_HALF_MM + STEP_MM, 2 * STEP_MM),
        anterior_mm=np.arange(-REACH_MM, REACH_MM + STEP_MM, STEP_MM),
    )
    heights = plates.top_mm - plates.bottom_mm
    columns = np.isfinite(heights).mean(axis=0) >= 0.5  # noqa: PLR2004 - most of the band's columns
    if columns.sum() < LEAST_COLUMNS:
        return Heights(reason=Reason.NOT_FOUND)
    forward = plates.anterior_mm[columns]
    share = (forward - forward[0]) / (forward[-1] - forward[0])
    profile = np.nanmean(heights[:, columns], axis=0)
    middle = (share >= MIDDLE_PART[0]) & (share <= MIDDLE_PART[1])
    return Heights(
        height_anterior_mm=_edge_height(1 - share, profile),
        height_middle_mm=float(profile[middle].mean()),
        height_posterior_mm=_edge_height(share, profile),
    )


def _edge_height(share: Floats, profile: Floats) -> float:
    """Height at share 0 by a parabola over the near half of the profile, corner left out."""
    near = (share >= EDGE_PART) & (share <= FIT_PART)
    return float(np.polynomial.Polynomial.fit(share[near], profile[near], deg=2)(0.0))
