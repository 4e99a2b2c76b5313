"""Voxels that are measured nowhere: metal with its streak margin, and padding."""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from osteoct.geometry import Box, grown
from osteoct.volume import CTVolume, Mask

METAL_HU = 2500.0
"""HU above which a voxel is metal: dense cortex ends near 2000 HU, implants begin near 3000."""

STREAK_MARGIN_MM = 10.0
"""Distance from metal inside which HU are not trusted.

A chosen margin, not a published one: streaks reach further. The level is marked as doubtful in
any case.
"""


def find_excluded(ct: CTVolume, box: Box) -> Mask:
    """Return the voxels of ``box`` that are metal, within the streak margin of metal, or padding.

    Metal just outside the box counts: it is looked for in a box grown by the margin.
    """
    spacing = ct.geometry.spacing_mm
    margin = tuple(int(np.ceil(STREAK_MARGIN_MM / s)) for s in spacing)
    wide = grown(box, margin, ct.geometry.shape)  # type: ignore[arg-type]  # three axes in, three out
    inner = tuple(
        slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, wide, strict=True)
    )
    metal = ct.array[wide] > METAL_HU
    if metal.any():
        near = ndi.distance_transform_edt(~metal, sampling=spacing) <= STREAK_MARGIN_MM
        excluded: Mask = near[inner]
    else:
        excluded = np.zeros([s.stop - s.start for s in box], dtype=bool)
    if ct.padding_hu is not None:
        excluded |= ct.array[box] == ct.padding_hu
    return excluded
