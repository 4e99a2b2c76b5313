"""Anterior, middle and posterior height of a vertebral body.

Measured between the end plates along the vertebra's own superior axis, in a band around its own
mid-sagittal plane and not in one slice. The end plates are those of the CT where it shows them
(:mod:`osteoct.measure.ct_faces`). Otherwise they are the mask's: then each face is read at a
position by a straight line through the columns beside it, so that the staircase of a tilted body
averages out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.endplates import sample_endplates
from osteoct.compartments.level import LevelCompartments
from osteoct.measure.ct_faces import Band, CtFaces, find_ct_faces
from osteoct.records import Heights, HeightSource, Reason
from osteoct.volume import CTVolume

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

MIDDLE_FIT = (0.3, 0.7)
"""Share of the depth over which a parabola is fitted for the middle height of the CT's plates."""

LEAST_MIDDLE_KNOTS = 4
"""Knots that the parabola is fitted to at least, the nearest to the middle: it has three unknowns,
and in small bodies on thick slices only two knots lie within ``MIDDLE_FIT``."""

CT_ERROR_MM, CT_ERROR_PER_MM = 0.5, 0.08
"""Error of heights from the CT: so many mm, and so many times the square of the slice distance.

Covers 95.3 % of the heights of ``benchmarks/height_accuracy.py``, whose table is in the
docs; the rest are dishes and noise on slices of 3 and 5 mm.
"""

MASK_ERROR_MM, MASK_ERROR_SLICES = 0.5, 1.0
"""The same for heights of the mask alone, which is up to a slice too high or too low."""

Floats = NDArray[np.float64]


def measure_heights(level: LevelCompartments, ct: CTVolume | None = None) -> Heights:
    """Measure the three heights of a level, or say why not.

    Heights of a level without a body or without axes are absent. ``source`` says whether the end
    plates were found in the CT or are the mask's.

    Parameters
    ----------
    ct
        The CT whose grid ``level.box`` indexes; without it only the mask is read.
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
    profile = np.where(np.isfinite(heights), heights, 0.0).mean(axis=0)
    full = _full_columns(profile)
    if full.stop - full.start < LEAST_COLUMNS:
        return Heights(reason=Reason.NOT_FOUND)
    slice_mm = level.geometry.spacing_mm[level.geometry.slice_axis]
    is_through = bool(np.isfinite(heights[:, full]).any(axis=0).all())
    if ct is None or not is_through:
        # without a CT, or where a gap between the walls leaves no plate to look beside
        return _heights_of_mask(profile[full], slice_mm)
    band = Band(
        half_mm=BAND_HALF_MM,
        anterior_mm=plates.anterior_mm[full],
        top_mm=np.nanmean(plates.top_mm[:, full], axis=0),
        bottom_mm=np.nanmean(plates.bottom_mm[:, full], axis=0),
    )
    faces = find_ct_faces(ct, level, band)
    if faces is None:
        return _heights_of_mask(profile[full], slice_mm)
    return _heights_of_ct(faces, band, slice_mm)


def _heights_of_ct(faces: CtFaces, band: Band, slice_mm: float) -> Heights:
    """Heights of the end plates found in the CT.

    The plates are known up to some millimetres from the walls; from there the heights go on with
    the slope of the whole body, which a raised rim or a dish does not bend.
    """
    heights = faces.top_mm - faces.bottom_mm
    back, depth = band.anterior_mm[0], band.anterior_mm[-1] - band.anterior_mm[0]
    share = (faces.anterior_mm - back) / depth
    slope = (heights[-1] - heights[0]) / (share[-1] - share[0])
    middle = _middle_knots(share)
    dish = np.polynomial.Polynomial.fit(share[middle], heights[middle], deg=2)
    return Heights(
        height_anterior_mm=float(heights[-1] + slope * (1 - share[-1])),
        height_middle_mm=float(dish(0.5)),
        height_posterior_mm=float(heights[0] - slope * share[0]),
        source=HeightSource.CT,
        uncertainty_mm=CT_ERROR_MM + CT_ERROR_PER_MM * slice_mm**2,
    )


def _middle_knots(share: Floats) -> NDArray[np.intp]:
    """Indices of the knots that the middle height is read from."""
    nearest = np.argsort(np.abs(share - 0.5), kind="stable")
    within = int(((share >= MIDDLE_FIT[0]) & (share <= MIDDLE_FIT[1])).sum())
    return nearest[: max(within, LEAST_MIDDLE_KNOTS)]


def _heights_of_mask(profile: Floats, slice_mm: float) -> Heights:
    """Heights of the mask's own staircase."""
    share = np.linspace(0, 1, profile.size)
    fit_part = min(max(FIT_MM, FIT_SLICES * slice_mm) / (profile.size * STEP_MM), 1 - EDGE_PART)
    middle = (share >= MIDDLE_PART[0]) & (share <= MIDDLE_PART[1])
    return Heights(
        height_anterior_mm=_edge_height(1 - share, profile, fit_part),
        height_middle_mm=float(profile[middle].mean()),
        height_posterior_mm=_edge_height(share, profile, fit_part),
        source=HeightSource.MASK,
        uncertainty_mm=MASK_ERROR_MM + MASK_ERROR_SLICES * slice_mm,
    )


def _full_columns(heights: Floats) -> slice:
    """The columns, back to front, from wall to wall."""
    inside = heights[heights > 0]
    if inside.size == 0:
        return slice(0, 0)
    high = np.flatnonzero(heights >= WALL_PART * np.percentile(inside, 75))
    return slice(int(high[0]), int(high[-1]) + 1)


def _edge_height(share: Floats, profile: Floats, fit_part: float) -> float:
    """Height just inside the edge at share 0, by a line through the columns beside it."""
    near = (share >= EDGE_PART) & (share <= fit_part)
    return float(np.polynomial.Polynomial.fit(share[near], profile[near], deg=1)(EDGE_PART))
