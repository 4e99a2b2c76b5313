"""The vertebra's own axes, from the shape of its body.

*Superior* is the bisector of the two end plates: planes are fitted to the upper and the lower face
of the body's middle part and their normals averaged. *Anterior* runs from the centre of the
posterior elements to the centre of the body, perpendicular to superior. *Right* completes a
right-handed frame. Nothing here uses principal axes, whose first one is the width of a lumbar body.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.endplates import sample_endplates
from osteoct.compartments.level import VertebraAxes
from osteoct.geometry import Geometry
from osteoct.volume import Mask

ENDPLATE_PART = 0.8
"""Share of the body's width and depth over which end plates are fitted: the rims curve away."""

MOST_ROUNDS = 12
"""Refits of the end plates at most: 2 to 5 are usual.

Three, as once, left the axis of phantoms tilted by 40 degrees 1.0 degrees off on 1 mm slices and up
to 1.8 on 3 mm; refitted until it settles it is off by 0.3 to 0.5.
"""

SETTLED_DEG = 0.05
"""Move of the superior axis below which a refit changes nothing that matters."""

COLUMNS = 17
"""Columns per direction through the middle part, about 2 mm apart."""

LEAST_FOUND = 0.5
"""Share of the columns that must meet the body."""

LARGEST_TILT_DEG = 60.0
"""No lumbar end plate of a lying patient is steeper; a larger angle means that the fit failed."""

MOST_POINTS = 60_000
"""Voxels used for fitting; all of 0.7 mm phantoms moved the axes by at most 0.06 degrees."""

ROUNDING_MM = 1e-6
"""Keeps every point where the fit is exact and the spread is zero."""

Points = NDArray[np.float64]


def vertebra_axes(body: Mask, posterior: Mask, geometry: Geometry) -> VertebraAxes | None:
    """Find the axes of a vertebra, or ``None`` where the shapes do not tell them.

    Parameters
    ----------
    body, posterior
        Masks (I, J, K) of the vertebral body and the posterior elements on ``geometry``. Without
        posterior elements the patient's front is taken as anterior.
    """
    points = mask_points(body, geometry)
    if len(points) == 0:
        return None
    origin = points.mean(axis=0)
    back = mask_points(posterior, geometry)
    towards_front = origin - back.mean(axis=0) if len(back) else np.array([0.0, 1.0, 0.0])
    superior = np.array([0.0, 0.0, 1.0])
    for _ in range(MOST_ROUNDS):
        frame = _frame(origin, superior, towards_front)
        refined = _bisector(body, geometry, frame, points)
        if refined is None:
            return None
        moved, superior = np.linalg.norm(refined - superior), refined
        if moved < np.radians(SETTLED_DEG):
            break
    axes = _frame(origin, superior, towards_front)
    return axes if axes.tilt_deg <= LARGEST_TILT_DEG else None


def mask_points(mask: Mask, geometry: Geometry) -> Points:
    """Patient coordinates (n, 3) of a mask's voxel centres, thinned to ``MOST_POINTS``."""
    return geometry.to_patient(thinned(np.argwhere(mask), MOST_POINTS))


def thinned(rows: NDArray[Any], most: int) -> NDArray[Any]:
    """At most ``most`` of the rows, spread without pattern and the same ones every time.

    Taking every n-th row would keep step with the rows of voxels and leave stripes.
    """
    if len(rows) <= most:
        return rows
    chosen = np.random.default_rng(0).choice(len(rows), most, replace=False, shuffle=False)
    return rows[np.sort(chosen)]


def in_frame(points_mm: Points, axes: VertebraAxes) -> Points:
    """Coordinates (n, 3) along right, anterior, superior, from the body's centre, in mm."""
    turned: Points = (points_mm - axes.origin_mm) @ axes.rotation
    return turned


def _frame(origin: Points, superior: Points, towards_front: Points) -> VertebraAxes:
    """A right-handed frame with the given superior axis and the front it is given."""
    superior = superior / np.linalg.norm(superior)
    anterior = towards_front - superior * (towards_front @ superior)
    anterior /= np.linalg.norm(anterior)
    return VertebraAxes(
        origin_mm=origin,
        right=np.cross(anterior, superior),
        anterior=anterior,
        superior=superior,
    )


def _bisector(body: Mask, geometry: Geometry, frame: VertebraAxes, points: Points) -> Points | None:
    """Mean normal of the planes through the upper and lower face of the body's middle part."""
    local = in_frame(points, frame)
    low, high = np.percentile(local[:, :2], [1, 99], axis=0)
    middle, half = (low + high) / 2, (high - low) / 2 * ENDPLATE_PART
    right, anterior = (
        np.linspace(m - h, m + h, COLUMNS) for m, h in zip(middle, half, strict=True)
    )
    plates = sample_endplates(body, geometry, frame, right_mm=right, anterior_mm=anterior)
    r, a = np.meshgrid(right, anterior, indexing="ij")
    found = np.isfinite(plates.top_mm)
    if found.sum() < found.size * LEAST_FOUND:
        return None
    normal = np.zeros(3)
    for face in (plates.top_mm, plates.bottom_mm):
        normal += _plane_normal(np.column_stack([r[found], a[found], face[found]]))
    turned: Points = frame.rotation @ (normal / np.linalg.norm(normal))
    return turned


def _plane_normal(points: Points) -> Points:
    """Unit normal, pointing up, of a plane through points; outliers are left out once."""
    keep = np.ones(len(points), dtype=bool)
    for _ in range(2):
        design = np.column_stack([np.ones(keep.sum()), points[keep, :2]])
        (offset, slope_r, slope_a), *_ = np.linalg.lstsq(design, points[keep, 2], rcond=None)
        residual = points[:, 2] - (offset + points[:, :2] @ np.array([slope_r, slope_a]))
        spread = 2.0 * np.std(residual[keep]) + ROUNDING_MM
        keep = np.abs(residual) <= spread
    normal = np.array([-slope_r, -slope_a, 1.0])
    unit: Points = normal / np.linalg.norm(normal)
    return unit
