"""Where two labelled bones meet: how far apart they lie, and over what area they touch.

Between two vertebrae lies a disc: their labels touch at the facet joints at most. Labels that share
a large flat face were cut through one bone.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from osteoct.geometry import Box, Geometry, grown
from osteoct.volume import LabelVolume, Mask

STEP_MM = 2.0
"""Distances are looked up on about this grid: half a slice of 4 mm, and a tenth of a disc's
distance from the middle of a body."""


def contact_area_cm2(labels: LabelVolume, first: int, others: Collection[int], box: Box) -> float:
    """Area of the voxel faces that one label shares with others.

    Parameters
    ----------
    labels
        Label volume of any orientation.
    first, others
        Integers of the two sides.
    box
        Tightest box around ``first``.

    Returns
    -------
    float
        cm². Faces of an oblique cut are counted as stairs: up to 1.7 times the cut's own area.
    """
    wide = grown(box, (1, 1, 1), labels.geometry.shape)
    array = labels.array[wide]
    one, other = array == first, np.isin(array, list(others))
    spacing = labels.geometry.spacing_mm
    total = 0.0
    for axis in range(3):
        face_mm2 = float(np.prod(spacing)) / spacing[axis]
        low, high = _shifted(axis, -1), _shifted(axis, 1)
        faces = np.count_nonzero(one[low] & other[high]) + np.count_nonzero(one[high] & other[low])
        total += faces * face_mm2
    return total / 100


def _shifted(axis: int, step: int) -> tuple[slice, ...]:
    """All voxels but the last (step -1) or first (step 1) along an axis."""
    cut = slice(None, -1) if step < 0 else slice(1, None)
    return tuple(cut if a == axis else slice(None) for a in range(3))


def distance_to_mm(points_mm: NDArray[np.float64], mask: Mask, geometry: Geometry) -> float:
    """Distance from a point (3,) to the nearest voxel of a mask, on a grid of about 2 mm.

    Raises
    ------
    ValueError
        The mask is empty.
    """
    steps = [max(1, round(STEP_MM / s)) for s in geometry.spacing_mm]
    index = np.argwhere(mask[:: steps[0], :: steps[1], :: steps[2]]) * np.array(steps)
    if not len(index):
        index = np.argwhere(mask)
    if not len(index):
        msg = "an empty mask lies nowhere"
        raise ValueError(msg)
    away = geometry.to_patient(index) - points_mm
    return float(np.sqrt((away**2).sum(axis=1).min()))
