"""How deep a voxel lies below a region's surface, in millimetres.

The region is a union of voxel boxes. Two rules decide which voxels belong to its core:

``whole-voxel``
    A voxel belongs when its *whole box* lies at least ``depth_mm`` from every box outside the
    region. Two boxes ``(i, j, k)`` voxels apart lie ``|max(|i|-1, 0)·sx, max(|j|-1, 0)·sy, …|``
    apart, and that equals the distance between centres once the outside has grown by its 26
    neighbours. So one erosion by 3 × 3 × 3 voxels and distances between centres are exact.
``voxel-centre``
    A voxel belongs when its *centre* lies deeper than ``depth_mm`` below the mid-surface, which
    runs halfway between centres inside and outside. Along axis *a* a centre at distance ``n·s``
    from an outside centre lies ``n·s - s/2`` deep, so the core is what survives erosion by the
    ellipsoid with half-axes ``depth + s/2``: distances on axes scaled by that.

Beyond the edge of the array there is outside: whoever passes a crop passes the whole region.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoct.geometry import Box
from osteoct.protocols import Membership
from osteoct.volume import Mask

ROUNDING = 1e-4
"""Slack, in mm or as a ratio: 0.7 has no exact binary form, and squares are kept as float32."""


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
    core = np.zeros_like(region)
    box = tight_box(region)
    if box is None:
        return core
    inside = np.pad(region[box], 1)
    if membership is Membership.WHOLE_VOXEL:
        far = is_far(erode_by_one(inside), spacing_mm, depth_mm - ROUNDING)
    else:
        scaled = tuple(s / (depth_mm + s / 2) for s in spacing_mm)
        far = is_far(inside, scaled, 1 + ROUNDING)
    core[box] = far[1:-1, 1:-1, 1:-1]
    return core


def tight_box(region: Mask) -> Box | None:
    """The smallest box around a mask; ``None`` for an empty mask."""
    sides = []
    for axis in range(3):
        occupied = np.flatnonzero(region.any(axis=tuple({0, 1, 2} - {axis})))
        if occupied.size == 0:
            return None
        sides.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
    return sides[0], sides[1], sides[2]


def erode_by_one(region: Mask) -> Mask:
    """Erode by the 26 neighbours, one axis after the other; the array's edge counts as outside."""
    for axis in range(3):
        line = np.moveaxis(region, axis, 0)
        eroded = np.zeros_like(line)
        eroded[1:-1] = line[1:-1] & line[:-2] & line[2:]
        region = np.moveaxis(eroded, 0, axis)
    return region


def is_far(inside: Mask, step: tuple[float, ...], least: float) -> Mask:
    """Whether a voxel inside (I, J, K) is at least ``least`` from every voxel centre outside.

    The exact Euclidean distance, but no farther than ``least``: squared distances build up axis by
    axis from the few shifts that can matter, which costs a fifth of an unbounded transform.
    ``inside`` is False on the faces of the array.
    """
    cap = np.float32(least**2)
    squared: NDArray[np.float32] = np.where(inside, cap, np.float32(0))
    for axis, s in enumerate(step):
        line = np.moveaxis(squared, axis, 0)
        nearest = line.copy()
        for shift in range(1, line.shape[0]):
            cost = np.float32((shift * s) ** 2)
            if cost >= cap:
                break
            moved = line + cost
            np.minimum(nearest[shift:], moved[:-shift], out=nearest[shift:])
            np.minimum(nearest[:-shift], moved[shift:], out=nearest[:-shift])
        squared = np.moveaxis(nearest, 0, axis)
    far: Mask = squared >= cap
    return far & inside
