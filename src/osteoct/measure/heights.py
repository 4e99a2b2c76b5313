"""Anterior, middle and posterior height of a vertebral body.

Measured between the end plates along the vertebra's own superior axis, in a band around its own
mid-sagittal plane and not in one slice. Each face is read at a position by a straight line
through the columns beside it, so that the staircase of a tilted body averages out.
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
"""Where the edge heights are read, as a share of the depth from either edge.

Corners are rounded over about 2 mm of a body's 34 mm, in anatomy and more so in masks of 1.5 or
3 mm. Reading 6 % inside the edge shortens a wedge of 25 % by 0.4 mm; a line drawn on through the
rounded corner would lengthen edges with a raised rim by several millimetres.
"""

FIT_MM = 7.5
"""Length, from an edge inwards, over which the line for its height is fitted, on thin slices.

Short enough that the dish of an end plate does not bend the line.
"""

FIT_SLICES = 6.0
"""The same as a number of slice distances, on thick slices.

A body tilted by 10 degrees on 5 mm slices has one step of 5 mm every 28 mm, which only a long line
averages out; 4 and 5 slice distances left errors of 1.5 to 1.8 times half a slice on phantoms.
"""

MIDDLE_PART = (0.4, 0.6)
"""Share of the depth over which the middle height is averaged."""

WALL_PART = 0.4
"""Share of the body's height that a column must have to lie behind the front or rear wall.

Low enough for a wedge that has lost half its front, high enough to leave out the slivers that a
leaning wall or a coarse mask adds in front of it.
"""

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
    profile = _full_profile(np.where(np.isfinite(heights), heights, 0.0).mean(axis=0))
    if profile.size < LEAST_COLUMNS:
        return Heights(reason=Reason.NOT_FOUND)
    share = np.linspace(0, 1, profile.size)
    slice_mm = level.geometry.spacing_mm[level.geometry.slice_axis]
    fit_part = min(max(FIT_MM, FIT_SLICES * slice_mm) / (profile.size * STEP_MM), 1 - EDGE_PART)
    middle = (share >= MIDDLE_PART[0]) & (share <= MIDDLE_PART[1])
    return Heights(
        height_anterior_mm=_edge_height(1 - share, profile, fit_part),
        height_middle_mm=float(profile[middle].mean()),
        height_posterior_mm=_edge_height(share, profile, fit_part),
    )


def _full_profile(heights: Floats) -> Floats:
    """The run of columns, back to front, that reach from wall to wall."""
    inside = heights[heights > 0]
    if inside.size == 0:
        return inside
    high = np.flatnonzero(heights >= WALL_PART * np.percentile(inside, 75))
    return heights[high[0] : high[-1] + 1]


def _edge_height(share: Floats, profile: Floats, fit_part: float) -> float:
    """Height just inside the edge at share 0, by a line through the columns beside it."""
    near = (share >= EDGE_PART) & (share <= fit_part)
    return float(np.polynomial.Polynomial.fit(share[near], profile[near], deg=1)(EDGE_PART))
