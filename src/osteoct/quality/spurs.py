"""Bone beside the front and the sides of a body, outside its mask: a spur, or a mask too small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from osteoct.anatomy import Level
from osteoct.compartments.extent import extent_mm
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.geometry import Geometry
from osteoct.quality.surroundings import Floats, look_up_hu
from osteoct.records import Acquisition, Finding, Phase, Severity
from osteoct.volume import CTVolume, Mask

SPUR_HU = 200.0
"""Chosen: muscle has 65 HU, blood in the portal venous phase 165, blurred bone at a mask's edge
less than 150; spurs are of dense bone."""

OUT_MM = (1.5, 2.25, 3.0)
"""How far outside the mask it is looked: beyond the blur of its own cortex, nearer than the aorta's
middle (chosen)."""

LEAST_AREA_MM2 = 120.0
"""Area of the wall behind which bone lies. Chosen between what noise of 25 HU and 5 mm slices leave
on clean phantoms (up to 73 mm²) and a spur of 3.5 mm along the front rim (192 mm²)."""

MOST_SHARE = 0.35
"""Chosen: with more of the wall dense the mask is too small or lies beside, which others tell."""

TURN_DEG = 75.0
"""How far to either side of the front: beyond lie the pedicles."""

STEP_DEG = 4.0
STEP_MM = 1.0
INSET_MM = 1.0
"""Below and above the end plates: discs are not the wall."""

REACH_MM = 45.0
REACH_STEP_MM = 0.5
"""How far from its axis a body's surface is looked for, and how finely."""

HALF = 0.5
"""Half covered is where a surface lies."""

BRIGHT_BLOOD = (Phase.ARTERIAL, Phase.CONTRAST)
"""Phases in which the aorta, which lies on the bodies, may be as bright as bone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Wall:
    """HU just outside a body, over angle from the front (rows) and height (columns).

    Parameters
    ----------
    points_mm
        Places (T, H, 3) in patient space.
    hu
        Mean HU (T, H) behind each; NaN where nothing was measured.
    area_mm2
        Area (T, H) of the body's surface that each stands for.
    """

    points_mm: Floats
    hu: Floats
    area_mm2: Floats


def check_spurs(
    ct: CTVolume, levels: Sequence[LevelCompartments], acquisition: Acquisition
) -> tuple[Finding, ...]:
    """Find bone outside lumbar bodies; ribs lie beside the others.

    Info: it lies outside the mask and moves no number. Where contrast may make blood as bright as
    bone, and beside metal, nothing is looked for.

    Parameters
    ----------
    ct
        The CT whose grid the levels' boxes index, in canonical orientation.
    """
    if {acquisition.phase, acquisition.phase_pixels} & set(BRIGHT_BLOOD):
        return ()
    walls = [
        (level, wall)
        for level in levels
        if level.level.is_lumbar and not level.excluded.any()
        if (wall := measure_wall(ct, level)) is not None
    ]
    return tuple(f for level, wall in walls if (f := judge_wall(level.level, wall)) is not None)


def judge_wall(level: Level, wall: Wall) -> Finding | None:
    """Judge what lies outside one body by the largest dense part."""
    area = np.nan_to_num(wall.area_mm2)
    dense = np.nan_to_num(wall.hu, nan=-1000.0) >= SPUR_HU
    parts, count = ndi.label(dense)
    if not count or area[dense].sum() > MOST_SHARE * area.sum():
        return None
    sizes = ndi.sum_labels(area, parts, range(1, count + 1))
    largest = float(sizes.max())
    if largest < LEAST_AREA_MM2:
        return None
    part = parts == int(sizes.argmax()) + 1
    x, y, z = (float(c) for c in wall.points_mm[part].mean(axis=0))
    hu = float(wall.hu[part].mean())
    return Finding(
        code="bone-spur",
        severity=Severity.INFO,
        level=level,
        message=(
            f"Bone ({hu:.0f} HU) lies outside the mask of {level} over {largest:.0f} mm² of its "
            "wall: a spur, lime, or a mask that misses part of the body."
        ),
        certainty=0.6,
        place_mm=(x, y, z),
        evidence={
            "area_mm2": largest,
            "limit_area_mm2": LEAST_AREA_MM2,
            "spur_hu": hu,
            "limit_hu": SPUR_HU,
        },
    )


def measure_wall(ct: CTVolume, level: LevelCompartments) -> Wall | None:
    """Look up HU just outside a body's front and sides; ``None`` without a body and its axes."""
    axes = level.axes
    if level.body is None or axes is None:
        return None
    low, high = extent_mm(level.body, level.geometry, axes, percent=2)
    heights = np.arange(low[2] + INSET_MM, high[2] - INSET_MM + STEP_MM / 2, STEP_MM)
    turns = np.radians(np.arange(-TURN_DEG, TURN_DEG + STEP_DEG / 2, STEP_DEG))
    ways = np.column_stack([np.sin(turns), np.cos(turns), np.zeros(len(turns))])
    radius = _radius_mm(level.body, level.geometry, axes, ways, heights)
    if not np.isfinite(radius).any():
        return None
    out = radius[..., None] + np.array(OUT_MM)
    at = ways[:, None, None, :] * out[..., None]
    at[..., 2] = heights[None, :, None]
    points = at @ axes.rotation.T + axes.origin_mm
    hu = look_up_hu(ct, points).mean(axis=-1)
    return Wall(points_mm=points[:, :, 1], hu=hu, area_mm2=radius * np.radians(STEP_DEG) * STEP_MM)


def _radius_mm(
    body: Mask, geometry: Geometry, axes: VertebraAxes, ways: Floats, heights: Floats
) -> Floats:
    """Distance from the body's axis to its surface (T, H); NaN where it is not met."""
    along = np.arange(0.0, REACH_MM, REACH_STEP_MM)
    at = ways[:, None, None, :] * along[None, None, :, None]
    at = np.broadcast_to(at, (len(ways), len(heights), len(along), 3)).copy()
    at[..., 2] = heights[None, :, None]
    index = geometry.to_index(at @ axes.rotation.T + axes.origin_mm)
    covered = ndi.map_coordinates(
        body.astype(np.float32), np.moveaxis(index, -1, 0), order=1, mode="constant"
    )
    inside = covered >= HALF
    last = inside.shape[-1] - 1 - inside[..., ::-1].argmax(axis=-1)
    return np.where(inside.any(axis=-1), along[last] + REACH_STEP_MM / 2, np.nan)
