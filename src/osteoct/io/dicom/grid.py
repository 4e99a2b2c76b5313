"""From slice positions to one regular grid, or the reason why there is none.

The distance of slices comes from their positions along the slice normal, never from SliceThickness
(which is the width of a slice) nor from SpacingBetweenSlices (which writers fill differently).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoct.errors import IrregularGridError
from osteoct.geometry import ORTHOGONAL_COSINE, Geometry
from osteoct.io.dicom.headers import Slice
from osteoct.io.dicom.uniformity import SAME_COSINE, check_placed, check_uniform
from osteoct.records import Finding, Severity

SAME_POSITION_MM = 0.01
"""Positions are written to 0.01 mm or better, and no clinical slice distance is near this."""

UNIT_TOLERANCE = 1e-2
"""Largest deviation of a direction from unit length: cosines are often written with 3 digits."""

UNEVEN_WARN = 0.02
"""A slice this share of a distance off its place is worth a remark; rounding stays below it."""

UNEVEN_REFUSE = 0.10
"""A slice further off than a tenth of a distance moves a surface by more than rounding explains."""

GAP_REFUSE = 0.30
"""A single distance may differ from the mean by rounding (0.625 written as 0.6 and 0.7 is 12 %); a
third is no rounding."""

MISSING_SHARE = 1 / 3
"""Up to this share of gaps being whole multiples, slices are missing; beyond it, spacing varies."""

IN_PLANE_REFUSE_MM = 0.5
"""Slices that wander sideways off a straight line by half a millimetre come from two set-ups."""

TILT_LIMIT_DEG = 30.0
"""Gantries tilt by at most 30 degrees; more is not a tilt but a wrong header."""

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

_REGULAR = "one stack of evenly spaced slices"
_SHOWN_GAPS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A regular stack.

    Parameters
    ----------
    geometry
        Grid of the slices as they are stored (sheared where the gantry was tilted), RAS+ mm; array
        axes column, row, slice.
    order
        Indices of the given slices along the slice normal.
    tilt_deg
        Angle between the slice normal and the direction in which the slices follow each other;
        0 where it is within rounding.
    findings
        What is not quite regular.
    """

    geometry: Geometry
    order: tuple[int, ...]
    tilt_deg: float
    findings: tuple[Finding, ...] = ()


def measure_grid(slices: Sequence[Slice]) -> Grid:
    """Find the grid of slices that lie at different positions.

    Raises
    ------
    IrregularGridError
        One slice only, positions absent, slices missing or uneven, mixed directions, sizes or pixel
        spacings, shear, or a gantry tilt beyond :data:`TILT_LIMIT_DEG`.
    """
    check_placed(slices)
    check_uniform(slices)
    if len(slices) == 1:
        raise IrregularGridError(
            "a single slice is no volume",
            where=slices[0].image.where,
            found="1 slice",
            wanted=_REGULAR,
            hint="Give the folder that holds the whole series.",
        )
    along, across, normal = _directions(slices[0])
    positions = np.array([s.position for s in slices])
    height = positions @ normal
    order = np.argsort(height, kind="stable")
    findings = _check_even(height[order])
    step = _check_straight(positions[order])
    tilt = _tilt_deg(step, normal)
    row_mm, column_mm = slices[0].pixel_spacing
    affine = np.eye(4)
    affine[:3, 0] = along * column_mm
    affine[:3, 1] = across * row_mm
    affine[:3, 2] = step
    affine[:3, 3] = positions[order[0]]
    shape = (*slices[0].shape, len(slices))
    return Grid(
        geometry=Geometry(shape=shape, affine=LPS_TO_RAS @ affine),
        order=tuple(int(n) for n in order),
        tilt_deg=tilt,
        findings=findings,
    )


def normal_of(slice_: Slice) -> NDArray[np.float64]:
    """Unit vector (3,) in LPS along which the slices of a stack follow each other."""
    return _directions(slice_)[2]


def _directions(slice_: Slice) -> tuple[NDArray[np.float64], ...]:
    """Unit vectors along a row, along a column and normal to both, in LPS."""
    along, across = np.array(slice_.orientation[:3]), np.array(slice_.orientation[3:])
    lengths = np.array([np.linalg.norm(along), np.linalg.norm(across)])
    if np.abs(lengths - 1).max() > UNIT_TOLERANCE or abs(along @ across) > SAME_COSINE:
        raise IrregularGridError(
            "ImageOrientationPatient is not two perpendicular unit vectors",
            where=slice_.image.where,
            found=tuple(round(c, 4) for c in slice_.orientation),
            wanted="directions of length 1 at a right angle",
        )
    along, across = along / lengths[0], across / lengths[1]
    normal = np.cross(along, across)
    return along, across, normal / np.linalg.norm(normal)


def _check_even(height: NDArray[np.float64]) -> tuple[Finding, ...]:
    """Refuse missing or uneven slices; remark on slices a little off their place."""
    gaps = np.diff(height)
    typical = float(np.median(gaps))
    step = float((height[-1] - height[0]) / (len(height) - 1))
    _check_missing(height, gaps, typical)
    off = np.abs(height - (height[0] + step * np.arange(len(height)))).max() / step
    if np.abs(gaps / step - 1).max() > GAP_REFUSE or off > UNEVEN_REFUSE:
        raise IrregularGridError(
            "slices are unevenly spaced",
            found=f"distances from {gaps.min():.3f} to {gaps.max():.3f} mm",
            wanted=_REGULAR,
        )
    if off <= UNEVEN_WARN:
        return ()
    evidence = {"min_mm": float(gaps.min()), "max_mm": float(gaps.max()), "mean_mm": step}
    message = f"slice distances vary from {gaps.min():.3f} to {gaps.max():.3f} mm; the mean is used"
    return (
        Finding(
            code="slices-uneven", severity=Severity.WARNING, message=message, evidence=evidence
        ),
    )


def _check_missing(height: NDArray[np.float64], gaps: NDArray[np.float64], typical: float) -> None:
    """Refuse a stack in which some gaps are whole multiples of the usual distance."""
    multiple = np.round(gaps / typical)
    holes = (multiple >= 2) & (np.abs(gaps / typical - multiple) <= UNEVEN_REFUSE * multiple)  # noqa: PLR2004 - two steps instead of one
    if not holes.any() or holes.mean() > MISSING_SHARE:
        return
    where = [
        f"{height[n]:.2f} and {height[n + 1]:.2f} mm ({int(multiple[n]) - 1})"
        for n in np.flatnonzero(holes)[:_SHOWN_GAPS]
    ]
    total = int((multiple[holes] - 1).sum())
    raise IrregularGridError(
        f"{total} slice{'s' if total > 1 else ''} missing",
        found="gaps along the slice normal between " + ", ".join(where),
        wanted=f"a slice every {typical:.3f} mm",
        hint="Copy or export the series again.",
    )


def _check_straight(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The step from slice to slice; refuses slices that do not lie on one straight line."""
    count = len(positions)
    step: NDArray[np.float64] = (positions[-1] - positions[0]) / (count - 1)
    ideal = positions[0] + step * np.arange(count)[:, None]
    direction = step / np.linalg.norm(step)
    off = positions - ideal
    sideways = float(np.linalg.norm(off - np.outer(off @ direction, direction), axis=1).max())
    if sideways > IN_PLANE_REFUSE_MM:
        raise IrregularGridError(
            "slices are shifted sideways",
            found=f"{sideways:.2f} mm off a straight line",
            wanted=f"at most {IN_PLANE_REFUSE_MM} mm",
        )
    return step


def _tilt_deg(step: NDArray[np.float64], normal: NDArray[np.float64]) -> float:
    """Gantry tilt in degrees; refuses what no gantry can do."""
    direction = step / np.linalg.norm(step)
    sideways = np.linalg.norm(direction - (direction @ normal) * normal)
    if sideways <= ORTHOGONAL_COSINE:
        return 0.0
    tilt = float(np.degrees(np.arctan2(sideways, direction @ normal)))
    if tilt > TILT_LIMIT_DEG:
        raise IrregularGridError(
            "slices follow each other at a slant",
            found=f"{tilt:.1f} degrees between slice normal and stacking direction",
            wanted=f"at most {TILT_LIMIT_DEG:g}",
        )
    return tilt
