"""How deep a voxel lies below a region's surface, in millimetres.

The region is a union of voxel boxes. Two rules decide which voxels belong to its core:

``whole-voxel``
    A voxel belongs when its *whole box* lies at least ``depth_mm`` from every box outside the
    region. Two boxes ``(i, j, k)`` voxels apart lie ``|max(|i|-1, 0)·sx, max(|j|-1, 0)·sy, …|``
    apart, and that equals the distance between centres once the outside has grown by its 26
    neighbours. So one erosion by 3 × 3 × 3 voxels and one Euclidean distance transform are exact.
``voxel-centre``
    A voxel belongs when its *centre* lies deeper than ``depth_mm`` below the mid-surface, which
    runs halfway between centres inside and outside. Along axis *a* a centre at distance ``n·s``
    from an outside centre lies ``n·s - s/2`` deep, so the core is what survives erosion by the
    ellipsoid with half-axes ``depth + s/2``: one distance transform on axes scaled by that.

Beyond the edge of the array there is outside: whoever passes a crop passes the whole region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.protocols import Membership
from osteoct.volume import Mask

ROUNDING = 1e-6
"""Slack, in mm or as a ratio, for decimals such as 0.7 that binary numbers cannot hold."""


def core_of(
    region: Mask,
    spacing_mm: tuple[float, float, float],
    *,
    depth_mm: float,
    membership: Membership,
) -> Mask:
    """Return the part of ``region`` deeper than ``depth_mm``, under a membership rule.

    Parameters
    ----------
    region
        Mask (I, J, K) that holds the region whole.
    spacing_mm
        Distance of voxel centres along each axis.

    Returns
    -------
    Mask
        Same shape; a subset of ``region``, possibly empty.

    Examples
    --------
    >>> cube = np.ones((11, 11, 11), dtype=bool)
    >>> core = core_of(cube, (1, 1, 1), depth_mm=4, membership=Membership.WHOLE_VOXEL)
    >>> int(core.sum())
    27
    """
    if membership is Membership.WHOLE_VOXEL:
        return whole_voxel_depth_mm(region, spacing_mm) >= max(depth_mm - ROUNDING, ROUNDING)
    return _centre_core(region, spacing_mm, depth_mm)


def whole_voxel_depth_mm(
    region: Mask, spacing_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return the least depth of any point of each voxel's box, in mm; 0 outside and at the surface.

    >>> block = np.ones((21, 21, 7), dtype=bool)
    >>> whole_voxel_depth_mm(block, (1, 1, 2.5))[10, 10].tolist()
    [0.0, 2.5, 5.0, 7.5, 5.0, 2.5, 0.0]
    """
    inner = np.pad(erode_by_one(region), 1)
    depth: NDArray[np.float64] = ndi.distance_transform_edt(inner, sampling=spacing_mm)
    return depth[1:-1, 1:-1, 1:-1]


def erode_by_one(region: Mask) -> Mask:
    """Erode by the 26 neighbours, one axis after the other; the array's edge counts as outside."""
    for axis in range(3):
        line = np.moveaxis(region, axis, 0)
        eroded = np.zeros_like(line)
        eroded[1:-1] = line[1:-1] & line[:-2] & line[2:]
        region = np.moveaxis(eroded, 0, axis)
    return region


def _centre_core(region: Mask, spacing_mm: tuple[float, float, float], depth_mm: float) -> Mask:
    """Erode by the ellipsoid with half-axes ``depth + spacing/2``."""
    sampling = [s / (depth_mm + s / 2) for s in spacing_mm]
    distance = ndi.distance_transform_edt(np.pad(region, 1), sampling=sampling)
    core: Mask = distance[1:-1, 1:-1, 1:-1] > 1 + ROUNDING
    return core
