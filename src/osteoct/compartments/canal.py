"""The vertebral canal as the hole in the vertebra seen along the spine.

Looked at along the canal's own direction, a vertebra is a ring: body in front, pedicles at the
sides, laminae behind. Seen from other directions the hole narrows. So the direction under which the
hole is largest is the canal's, whichever way the vertebra is tilted, and whether or not a single
axial slice shows a closed ring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.compartments.axes import mask_points, thinned
from osteoct.geometry import Geometry
from osteoct.volume import Mask

Points = NDArray[np.float64]

CANAL_AREA_MM2 = (60.0, 700.0)
"""Area of a hole that can be a lumbar canal; 11 × 11 mm in a stenosis, 30 × 25 mm at the widest."""

PITCH_DEG = (-50.0, 50.0)
"""Directions looked along, turned forwards and backwards about the left–right axis."""

ROLL_DEG = (-30.0, 30.0)
"""Directions looked along, turned sideways (scoliosis)."""

STEPS_DEG = (10.0, 4.0, 1.5)
"""Coarse, middle and fine search steps."""

LEAST_PIXEL_MM = 1.0
"""Pixel of the projection; the canal is 15 mm wide, so finer pixels tell nothing more."""

MOST_POINTS = 40_000
"""Points projected; with all of them the hole's area moved by up to 3 % on phantoms, and its front
wall, which decides where the body ends, by at most 0.06 mm."""

COARSE_POINTS = 10_000
"""Points projected in the coarse search …"""

COARSE_PIXEL_MM = 2.0
"""… and the pixel that leaves no gaps between so few."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Canal:
    """The hole in the vertebra.

    Parameters
    ----------
    direction
        Unit vector along the canal, towards the head, shape (3,), patient space.
    centre_mm
        A point on the canal's axis, patient space.
    right, anterior
        Unit vectors of the projection plane, patient space; right × anterior = direction.
    front_mm
        Coordinate along ``anterior`` (from ``centre_mm``) of the canal's front wall.
    area_mm2
        Area of the hole.
    pitch_deg, roll_deg
        The direction as turns forwards and sideways.
    """

    direction: Points
    centre_mm: Points
    right: Points
    anterior: Points
    front_mm: float
    area_mm2: float
    pitch_deg: float
    roll_deg: float


def find_canal(vertebra: Mask, geometry: Geometry) -> Canal | None:
    """Find the canal of a whole vertebra, or ``None`` where no plausible hole is seen.

    Parameters
    ----------
    vertebra
        Mask (I, J, K) of body and posterior elements on ``geometry``.
    """
    pixel = max(LEAST_PIXEL_MM, min(geometry.spacing_mm))
    points = _dense_points(vertebra, geometry, pixel)
    if len(points) == 0:
        return None
    best = _search(points, pixel)
    if best is None or not CANAL_AREA_MM2[0] <= best.area_mm2 <= CANAL_AREA_MM2[1]:
        return None
    return best


def _dense_points(vertebra: Mask, geometry: Geometry, pixel: float) -> Points:
    """Voxel centres, and points inside long voxels so that no projection has gaps."""
    steps = [max(1, int(np.ceil(s / pixel - 0.25))) for s in geometry.spacing_mm]
    offsets = np.stack(
        np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5 for n in steps], indexing="ij"), axis=-1
    ).reshape(-1, 3)
    shifts = offsets @ geometry.affine[:3, :3].T
    points = mask_points(vertebra, geometry)
    dense: Points = (points[:, None, :] + shifts[None, :, :]).reshape(-1, 3)
    return thinned(dense, MOST_POINTS)


def _search(points: Points, pixel: float) -> Canal | None:
    """Look along every coarse direction with few points, then refine the best one with all."""
    coarse = STEPS_DEG[0]
    pitches = np.arange(PITCH_DEG[0], PITCH_DEG[1] + coarse / 2, coarse)
    rolls = np.arange(ROLL_DEG[0], ROLL_DEG[1] + coarse / 2, coarse * 1.5)
    directions = [(float(p), float(r)) for p in pitches for r in rolls]
    few = thinned(points, COARSE_POINTS)
    best = _best_of(few, directions, max(pixel, COARSE_PIXEL_MM))
    for step in STEPS_DEG[1:]:
        if best is None:
            return None
        near = [-step, 0.0, step]
        around = [(best.pitch_deg + p, best.roll_deg + r) for p in near for r in near]
        best = _best_of(points, around, pixel)
    return best


def _best_of(
    points: Points, directions: Sequence[tuple[float, float]], pixel: float
) -> Canal | None:
    """The canal with the largest hole among directions; the first one where several are equal."""
    canals = [_look_along(points, pitch, roll, pixel) for pitch, roll in directions]
    return max((c for c in canals if c), key=lambda c: c.area_mm2, default=None)


def _plane(pitch_deg: float, roll_deg: float) -> tuple[Points, Points, Points]:
    """Right, anterior and direction after turning forwards by pitch and sideways by roll."""
    p, r = np.radians(pitch_deg), np.radians(roll_deg)
    direction = np.array([np.sin(r) * np.cos(p), np.sin(p), np.cos(r) * np.cos(p)])
    right = np.array([np.cos(r), 0.0, -np.sin(r)])
    return right, np.cross(direction, right), direction


def _look_along(points: Points, pitch: float, roll: float, pixel: float) -> Canal | None:
    """Project along one direction and measure the largest enclosed hole."""
    right, anterior, direction = _plane(pitch, roll)
    across, first = _in_pixels(points @ right, pixel)
    along, second = _in_pixels(points @ anterior, pixel)
    seen = np.zeros((across.max() + 2, along.max() + 2), dtype=bool)
    seen[across, along] = True
    gaps, _ = ndi.label(~seen)
    sizes = np.bincount(gaps.ravel())
    sizes[[0, gaps[0, 0]]] = 0  # the vertebra itself, and everything around it
    if sizes.max() == 0:
        return None
    hole = np.argwhere(gaps == sizes.argmax())
    middle = hole.mean(axis=0)
    centre_flat = np.array([first, second]) + (middle + 0.5) * pixel
    return Canal(
        direction=direction,
        centre_mm=right * centre_flat[0]
        + anterior * centre_flat[1]
        + direction * float((points @ direction).mean()),
        right=right,
        anterior=anterior,
        front_mm=float(_front_edge(hole, middle) * pixel),
        area_mm2=float(sizes.max() * pixel**2),
        pitch_deg=pitch,
        roll_deg=roll,
    )


def _in_pixels(along: Points, pixel: float) -> tuple[NDArray[np.intp], float]:
    """Pixel numbers of coordinates, one pixel free before the first; where pixel 0 begins."""
    start = float(along.min()) - 1.5 * pixel
    return ((along - start) / pixel).astype(np.intp), start


def _front_edge(hole: NDArray[np.int64], middle: Points) -> float:
    """Distance, in pixels, from the hole's centre to its front edge over its middle third."""
    width = np.ptp(hole[:, 0]) + 1
    near = hole[np.abs(hole[:, 0] - middle[0]) <= max(width / 6, 0.5)]
    columns = np.unique(near[:, 0])
    fronts = [near[near[:, 0] == c, 1].max() for c in columns]
    return float(np.median(fronts) + 0.5 - middle[1])
