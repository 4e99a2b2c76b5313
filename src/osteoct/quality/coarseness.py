"""Masks made on a much coarser grid than the one they came on: their edges lie on few planes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from osteoct.compartments.level import LevelCompartments
from osteoct.quality.mask_sides import middle_mm
from osteoct.records import Finding, Severity
from osteoct.volume import Mask

CELL_LIMIT_MM = 2.5
"""Chosen: between the 1.5 mm on which segmenters work and the 3 mm of their fast settings, which
are a warning wherever they are told."""

LEAST_VOXELS = 1.5
"""Voxels that a cell must be wide: a mask made on the CT's own grid has 1.0 to 1.1."""

AXES = ("right-left", "front-back", "head-feet")


def check_coarseness(levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """Find masks whose surface steps by cells much larger than the voxels."""
    if not levels:
        return ()
    voxels = [
        median(cells) for cells in zip(*(cells_of(lv.vertebra) for lv in levels), strict=True)
    ]
    spacing = levels[0].geometry.spacing_mm
    wide = [
        (cell * mm, cell, axis)
        for axis, (cell, mm) in enumerate(zip(voxels, spacing, strict=True))
        if cell >= LEAST_VOXELS
    ]
    if not wide or max(wide)[0] < CELL_LIMIT_MM:
        return ()
    cell_mm, cell, axis = max(wide)
    return (
        Finding(
            code="coarse-mask",
            severity=Severity.WARNING,
            message=(
                f"The masks step by {cell_mm:.1f} mm ({AXES[axis]}), {cell:.1f} voxels of the CT "
                f"(limit {CELL_LIMIT_MM:g} mm): they were made on a coarser grid."
            ),
            certainty=0.95,
            place_mm=middle_mm(levels[len(levels) // 2]),
            evidence={"cell_mm": cell_mm, "cell_voxels": cell, "limit_mm": CELL_LIMIT_MM},
        ),
    )


def cells_of(mask: Mask) -> tuple[float, float, float]:
    """Mean distance, in voxels, of the planes along each axis on which a mask changes."""
    x, y, z = (_cell_along(mask, axis) for axis in range(3))
    return x, y, z


def _cell_along(mask: Mask, axis: int) -> float:
    """Planes over planes with a change; one end of the mask's own box counts as a change."""
    along = np.moveaxis(mask, axis, 0)
    changes = int((along[1:] != along[:-1]).any(axis=(1, 2)).sum())
    return len(along) / (changes + 1)
