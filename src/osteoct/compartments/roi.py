"""The axial region of interest: what a radiologist draws by hand, drawn by rule.

An ellipse in the slab through the middle of the body, across the vertebra's own superior axis. It
keeps ``depth_mm`` from the body's surface (cortex), and stays in front of the basivertebral vein,
which enters from behind and ends near the middle of the body.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.axes import in_frame
from osteoct.compartments.level import VertebraAxes
from osteoct.geometry import Geometry
from osteoct.volume import Mask

SLAB_HALF_MM = 2.5
"""Half the slab's thickness: a 5 mm slice, as in the studies; at least half a slice of the CT."""

VEIN_PART = 0.55
"""Share of the depth, from behind, left to the basivertebral vein: to just past the middle."""

WIDTH_PART = 0.6
"""Width of the ellipse as a share of the body's width."""

LEAST_AREA_MM2 = 60.0
"""An ellipse below this holds too few voxels of trabecular bone for a mean (9 mm across)."""


def axial_ellipse(
    body: Mask, core: Mask, axes: VertebraAxes, geometry: Geometry, *, depth_mm: float
) -> Mask | None:
    """Return the region of interest of a body, or ``None`` where no ellipse fits.

    Parameters
    ----------
    body
        Mask (I, J, K) of the vertebral body, whole.
    core
        The part of the body deeper than ``depth_mm``; the region of interest stays inside it.
    depth_mm
        Distance that the front of the ellipse keeps from the body's front wall.
    """
    slab_half = max(SLAB_HALF_MM, geometry.spacing_mm[geometry.slice_axis] / 2)
    index = np.argwhere(body)
    local = in_frame(geometry.to_patient(index), axes)
    slab = np.abs(local[:, 2]) <= slab_half
    if not slab.any():
        return None
    ellipse = _fit_ellipse(local[slab, :2], depth_mm)
    if ellipse is None:
        return None
    centre, half = ellipse
    within = (((local[:, :2] - centre) / half) ** 2).sum(axis=1) <= 1
    region = np.zeros_like(body)
    region[tuple(index[slab & within].T)] = True
    region &= core
    return region if region.any() else None


def _fit_ellipse(
    slab: NDArray[np.float64], depth_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Centre and half-axes (right, anterior) of the ellipse inside a slab of the body."""
    (left, back), (right, front) = np.percentile(slab, [0.5, 99.5], axis=0)
    rear = back + (front - back) * VEIN_PART
    half = np.array([(right - left) / 2 * WIDTH_PART, (front - depth_mm - rear) / 2])
    if half.min() <= 0 or np.pi * half.prod() < LEAST_AREA_MM2:
        return None
    return np.array([(left + right) / 2, (rear + front - depth_mm) / 2]), half
