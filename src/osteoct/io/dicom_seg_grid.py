"""Where the frames of a DICOM SEG lie: one regular grid, some frames of which are not stored.

Writers drop empty frames, so the slice distance is the smallest one between stored frames, and all
others must be whole multiples of it. ``SliceThickness`` and ``SpacingBetweenSlices`` are not used:
writers fill them differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from osteoct.errors import IrregularGridError
from osteoct.geometry import Geometry
from osteoct.io.raw_image import check_grid, check_shape

SAME_POSITION_MM: Final = 0.01
"""Positions are written to 0.01 mm or better, and no clinical slice distance is near this."""

SAME_COSINE: Final = 1e-3
"""Largest difference between direction cosines of frames of one grid."""

UNEVEN_SHARE: Final = 0.10
"""A frame further off its place than a tenth of a distance lies on no grid."""

IN_PLANE_MM: Final = 0.5
"""Frames that wander sideways by half a millimetre are not stacked straight."""

LPS_TO_RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class FramePlace:
    """Position of a frame's first pixel, directions of rows and columns, pixel size; LPS, mm."""

    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]


def place_frames(
    places: Sequence[FramePlace], *, columns: int, rows: int, where: str
) -> tuple[Geometry, tuple[int, ...]]:
    """Return the grid (axes column, row, slice; RAS+ mm) and the slice of every frame.

    Raises
    ------
    IrregularGridError
        Positions absent, mixed directions or pixel sizes, frames at a single position, uneven or
        shifted sideways.
    """
    _check_uniform(places, where=where)
    along, across = (np.array(places[0].orientation[n : n + 3]) for n in (0, 3))
    normal = np.cross(along, across)
    positions = np.array([place.position for place in places])
    heights = positions @ normal
    slices, step = _number_slices(heights, where=where)
    origin = positions[int(np.argmin(heights))]
    ideal = origin + np.outer(slices * step, normal)
    if float(np.linalg.norm(positions - ideal, axis=1).max()) > max(
        IN_PLANE_MM, UNEVEN_SHARE * step
    ):
        raise IrregularGridError("frames are shifted sideways", where=where, wanted="one stack")
    affine = np.eye(4)
    row_mm, column_mm = places[0].pixel_spacing
    affine[:3, :3] = np.stack([along * column_mm, across * row_mm, normal * step], axis=1)
    affine[:3, 3] = origin
    shape = check_shape((columns, rows, int(slices.max()) + 1), where=where)
    return check_grid(shape, LPS_TO_RAS @ affine, where=where), tuple(slices.tolist())


def _check_uniform(places: Sequence[FramePlace], *, where: str) -> None:
    """Refuse frames that do not say where they lie, or that lie in different directions."""
    if any(
        (len(p.position), len(p.orientation), len(p.pixel_spacing)) != (3, 6, 2) for p in places
    ):
        raise IrregularGridError(
            "frames do not say where they lie",
            where=where,
            found="a frame without position, orientation or pixel spacing",
            wanted="plane position, plane orientation and pixel measures for every frame",
        )
    first = places[0]
    for name, limit in (("orientation", SAME_COSINE), ("pixel_spacing", SAME_POSITION_MM)):
        values = np.array([getattr(p, name) for p in places])
        if np.abs(values - np.array(getattr(first, name))).max() > limit:
            raise IrregularGridError(
                f"frames differ in {name.replace('_', ' ')}", where=where, wanted="one grid"
            )


def _number_slices(heights: NDArray[np.float64], *, where: str) -> tuple[NDArray[np.int64], float]:
    """Slice number of every frame, from 0 on, and the slice distance."""
    levels = np.sort(heights)
    gaps = np.diff(levels)
    gaps = gaps[gaps > SAME_POSITION_MM]
    if not gaps.size:
        raise IrregularGridError(
            "a single slice is not a volume",
            where=where,
            found="frames at one position",
            wanted="frames at two positions or more",
        )
    steps = np.rint(gaps / gaps.min())
    step = float(gaps.sum() / steps.sum())
    numbers = (heights - levels[0]) / step
    slices = np.rint(numbers).astype(np.int64)
    off = float(np.abs(numbers - slices).max())
    if off > UNEVEN_SHARE:
        raise IrregularGridError(
            "frames are unevenly spaced",
            where=where,
            found=f"a frame {off:.2f} of a slice distance ({step:.3f} mm) off its place",
            wanted=f"at most {UNEVEN_SHARE:g}",
        )
    return slices, step
