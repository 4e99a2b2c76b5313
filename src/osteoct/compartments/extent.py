"""How far a body reaches along its own axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.axes import in_frame
from osteoct.compartments.level import VertebraAxes
from osteoct.geometry import Geometry
from osteoct.volume import Mask

ENOUGH_VOXELS = 8000
"""Voxels from which percentiles of a body's extent are right to a tenth of a millimetre."""


def extent_mm(
    body: Mask, geometry: Geometry, axes: VertebraAxes, *, percent: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Low and high end (3,) along right, anterior and superior, from the body's centre.

    Parameters
    ----------
    percent
        Share of voxels beyond each end: stray voxels at a rim do not count.
    """
    flat = np.flatnonzero(body)
    flat = flat[:: max(1, flat.size // ENOUGH_VOXELS)]
    index = np.column_stack(np.unravel_index(flat, body.shape))
    local = in_frame(geometry.to_patient(index), axes)
    low, high = np.percentile(local, [percent, 100 - percent], axis=0)
    return low, high
