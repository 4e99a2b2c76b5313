"""HU at places around the vertebrae, outside their own boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.volume import CTVolume

Floats = NDArray[np.float64]


def look_up_hu(ct: CTVolume, points_mm: Floats) -> Floats:
    """Interpolate HU at places (..., 3) of the patient space; NaN outside the image.

    Only the part of the image around the points is read.
    """
    index = ct.geometry.to_index(points_mm)
    last = np.array(ct.geometry.shape) - 1
    within = ((index >= 0) & (index <= last)).all(axis=-1)
    hu = np.full(index.shape[:-1], np.nan)
    if not within.any():
        return hu
    inside = index[within]
    low = np.floor(inside.min(axis=0)).astype(int)
    high = np.minimum(np.ceil(inside.max(axis=0)).astype(int) + 1, last + 1)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    hu[within] = ndi.map_coordinates(
        ct.hu((i, j, k)), (inside - low).T, order=1, mode="nearest", prefilter=False
    )
    return hu
