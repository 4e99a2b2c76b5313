"""What aligning masks to a CT notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Structure
from osteoct.geometry import Box, Geometry
from osteoct.records import Finding, Severity
from osteoct.volume import LabelVolume

COARSER: Final = 1.25
"""Masks whose voxels are this much longer than the CT's along any direction deserve a warning: the
surface then carries the steps of the mask. TotalSegmentator's 1.5 mm on a 1.25 mm CT does not."""

_NEAR = 1e-3
"""Voxels by which a centre may miss the border through rounding alone."""


def resampled(mask: Geometry, grid: Geometry) -> Finding:
    """The masks came on another grid."""
    mask_mm, ct_mm = (sorted(g.spacing_mm) for g in (mask, grid))
    is_coarse = any(m > COARSER * c for m, c in zip(mask_mm, ct_mm, strict=True))
    return Finding(
        code="mask-resampled",
        severity=Severity.WARNING if is_coarse else Severity.INFO,
        message=(
            f"the masks came on another grid ({_mm(mask)}) and were resampled onto the CT's "
            f"({_mm(grid)}) label by label, trilinear, surface at one half"
        ),
        evidence={"mask_spacing_mm": _mm(mask), "ct_spacing_mm": _mm(grid)},
    )


def cut_by_mask_border(
    boxes: Mapping[int, Box],
    structures: Mapping[int, Structure],
    mask: Geometry,
    grid: Geometry,
) -> list[Finding]:
    """Labels that touch the border of the mask image where the CT goes on: perhaps cut there."""
    return [
        Finding(
            code="mask-cut",
            severity=Severity.WARNING,
            message=(
                f"the mask of {structures[label].name} reaches the border of the mask image while "
                "the CT goes on: part of the level may be missing"
            ),
            level=structures[label].level,
            evidence={"label": label},
        )
        for label, box in boxes.items()
        if _is_cut(box, mask, grid)
    ]


def _is_cut(box: Box, mask: Geometry, grid: Geometry) -> bool:
    for axis, (side, size) in enumerate(zip(box, mask.shape, strict=True)):
        for touches, outside in ((side.start == 0, -1), (side.stop == size, size)):
            if touches and _is_inside(_face_centre(box, axis, outside), mask, grid):
                return True
    return False


def _face_centre(box: Box, axis: int, index: int) -> NDArray[np.float64]:
    """Index of the point one voxel beyond the middle of a box's face."""
    centre = np.array([(s.start + s.stop - 1) / 2 for s in box])
    centre[axis] = index
    return centre


def _is_inside(index: NDArray[np.float64], mask: Geometry, grid: Geometry) -> bool:
    return bool(_inside(grid.to_index(mask.to_patient(index[np.newaxis])), grid)[0])


def _inside(index: NDArray[np.float64], grid: Geometry) -> NDArray[np.bool_]:
    """Which fractional indices (n, 3) lie within the voxels of a grid."""
    limits = np.array(grid.shape) - 0.5 + _NEAR
    inside = (index >= -0.5 - _NEAR) & (index <= limits)
    return np.logical_and.reduce(inside, axis=1)  # type: ignore[no-any-return] # an array, as the axis is given


def beyond_ct(
    labels: LabelVolume,
    boxes: Mapping[int, Box],
    structures: Mapping[int, Structure],
    grid: Geometry,
) -> list[Finding]:
    """Labels that reach beyond the CT: those voxels have no HU and are lost."""
    findings = []
    for label, box in boxes.items():
        lost, total = _lost_voxels(labels, label, box, grid)
        if not lost:
            continue
        percent = 100 * lost / total
        findings.append(
            Finding(
                code="mask-beyond-ct",
                severity=Severity.WARNING,
                message=(
                    f"{lost} of {total} voxels ({percent:.1f} %) of {structures[label].name} "
                    "lie outside the CT"
                ),
                level=structures[label].level,
                evidence={"voxels": lost, "percent": round(percent, 2)},
            )
        )
    return findings


def _lost_voxels(labels: LabelVolume, label: int, box: Box, grid: Geometry) -> tuple[int, int]:
    """Voxels of one label outside the CT, and all its voxels."""
    corners = np.array(np.meshgrid(*((s.start, s.stop - 1) for s in box))).reshape(3, -1).T
    mask = labels.geometry
    part = labels.array[box] == label
    total = int(np.count_nonzero(part))
    if _inside(grid.to_index(mask.to_patient(corners)), grid).all():
        return 0, total
    index = np.argwhere(part) + np.array([s.start for s in box])
    inside = _inside(grid.to_index(mask.to_patient(index)), grid)
    return total - int(np.count_nonzero(inside)), total


def _mm(grid: Geometry) -> str:
    return " x ".join(f"{s:.3g}" for s in grid.spacing_mm) + " mm"
