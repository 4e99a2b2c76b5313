"""An image as its file stores it: numbers, grid and names, before anyone says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.errors import GeometryError, IrregularGridError, UnreadableInputError
from osteoct.geometry import ORTHOGONAL_COSINE, Geometry
from osteoct.records import Finding

MAX_VOXELS = 2**31
"""Most voxels one image may declare: 512 × 512 × 8192, twice the longest whole-body scan.

A header of 348 bytes can declare any size; memory is asked for only below this limit.
"""

SPACING_LIMITS_MM = (0.05, 25.0)
"""Voxel edges of a clinical CT or its masks; outside of them the unit of length must be wrong."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RawImage:
    """Stored numbers on a grid in patient space (RAS+, mm).

    Parameters
    ----------
    array
        Stored numbers (axes as in ``geometry``), before ``slope`` and ``intercept``.
    slope, intercept
        Value = stored · slope + intercept.
    names
        The file's own label table, ``None`` where it has none.
    kind
        Such as ``NIfTI``, for the provenance record.
    """

    array: NDArray[Any] = field(repr=False)
    geometry: Geometry
    slope: float = 1.0
    intercept: float = 0.0
    names: Mapping[int, str] | None = None
    kind: str
    findings: tuple[Finding, ...] = ()

    @property
    def is_unscaled(self) -> bool:
        """Whether the stored numbers are the values."""
        return self.slope == 1.0 and self.intercept == 0.0


def check_shape(shape: tuple[int, ...], *, where: str) -> tuple[int, int, int]:
    """Return three axes, dropping trailing axes of one frame.

    Raises
    ------
    IrregularGridError
        Fewer than three axes, several frames, or an axis of one voxel.
    UnreadableInputError
        More voxels than :data:`MAX_VOXELS`.
    """
    wanted = "three axes of at least two voxels"
    axes = 3
    if len(shape) < axes or any(n != 1 for n in shape[axes:]):
        what = "several frames" if len(shape) > axes else "not a volume"
        raise IrregularGridError(what, where=where, found=_times(shape), wanted=wanted)
    if min(shape[:axes]) == 1:
        raise IrregularGridError(
            "a single slice is not a volume", where=where, found=_times(shape), wanted=wanted
        )
    if shape[0] * shape[1] * shape[2] > MAX_VOXELS:
        raise UnreadableInputError(
            "declares too many voxels", where=where, found=_times(shape), wanted=f"<= {MAX_VOXELS}"
        )
    return shape[0], shape[1], shape[2]


def check_grid(shape: tuple[int, int, int], affine: NDArray[Any], *, where: str) -> Geometry:
    """Return the grid, once it is known to be one of right-angled voxels of a clinical size.

    Raises
    ------
    IrregularGridError
        Affine unusable or sheared (the angle is told), or voxel edges outside
        :data:`SPACING_LIMITS_MM`.
    """
    try:
        geometry = Geometry(shape=shape, affine=affine)
    except GeometryError as error:
        raise IrregularGridError(
            "orientation cannot be used", where=where, found=error.found, wanted=error.wanted
        ) from error
    low, high = SPACING_LIMITS_MM
    if min(geometry.spacing_mm) < low or max(geometry.spacing_mm) > high:
        raise IrregularGridError(
            "voxel size is not that of a CT in mm",
            where=where,
            found=_times(tuple(round(s, 6) for s in geometry.spacing_mm)),
            wanted=f"{low} to {high} mm",
            hint="the unit of length in the header may be wrong",
        )
    if not geometry.is_orthogonal:
        raise IrregularGridError(
            "voxels are sheared",
            where=where,
            found=f"axes {90 - _shear_deg(geometry):.2f} degrees apart",
            wanted="90 degrees",
            hint="resample the image to a straight grid (gantry tilt correction)",
        )
    return geometry


def _shear_deg(geometry: Geometry) -> float:
    """Largest deviation of two voxel axes from the right angle."""
    cosines = np.abs(geometry.direction.T @ geometry.direction - np.eye(3)).max()
    return float(np.degrees(np.arcsin(min(max(cosines, ORTHOGONAL_COSINE), 1.0))))


def _times(numbers: tuple[float, ...]) -> str:
    return " x ".join(str(n) for n in numbers)
