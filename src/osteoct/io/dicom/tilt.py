"""Gantry tilt: from slices that are shifted against each other to a grid of boxes.

With a tilted gantry the table moves along the patient while the slices stand at an angle, so each
slice is shifted sideways against the one before. The slices stay where they are along their normal;
within its plane each is moved by its shift with linear interpolation. The rows and columns of the
new grid are those of the first slice, extended so that every slice fits whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoct.geometry import Geometry
from osteoct.io.dicom.grid import Grid
from osteoct.io.dicom.pixels import PADDING_FALLBACK_HU, Pixels
from osteoct.records import Finding, Severity


def straighten(pixels: Pixels, grid: Grid) -> tuple[Pixels, Geometry]:
    """Resample a tilted stack to boxes; an untilted one comes back as it is.

    Parameters
    ----------
    pixels
        HU (column, row, slice) on ``grid``.

    Returns
    -------
    Pixels
        float32; voxels that no slice covers, or whose neighbours are padding, are padding.
    Geometry
        The grid of boxes, RAS+ mm.
    """
    if grid.tilt_deg == 0:
        return pixels, grid.geometry
    geometry, shifts, start = _straight_grid(grid.geometry)
    shape, count = geometry.shape, geometry.shape[2]
    padding = PADDING_FALLBACK_HU if pixels.padding_hu is None else pixels.padding_hu
    planes = np.full(shape[::-1], padding, dtype=np.float32)
    array = planes.transpose(2, 1, 0)
    for n in range(count):
        plane = pixels.array[:, :, n].astype(np.float32)
        is_padding = np.zeros(plane.shape, dtype=np.bool_)
        if pixels.padding_hu is not None:
            is_padding = plane == pixels.padding_hu
        _place(plane, is_padding, shifts[n] - start, array[:, :, n])
    finding = Finding(
        code="gantry-tilt-resampled",
        severity=Severity.WARNING,
        message=(
            f"the gantry was tilted by {grid.tilt_deg:.1f} degrees;"
            " slices were shifted within their planes with linear interpolation"
        ),
        evidence={"tilt_deg": round(grid.tilt_deg, 2)},
    )
    straight = Pixels(array=array, padding_hu=float(padding), findings=(*pixels.findings, finding))
    return straight, geometry


def straight_geometry(grid: Grid) -> Geometry:
    """The grid that :func:`straighten` gives, without any pixel; slice n stays in its plane."""
    return grid.geometry if grid.tilt_deg == 0 else _straight_grid(grid.geometry)[0]


def _straight_grid(
    tilted: Geometry,
) -> tuple[Geometry, NDArray[np.float64], NDArray[np.int_]]:
    """The grid of boxes, the shift of every slice in pixels, and the lowest whole one."""
    shift, step = _shift_per_slice(tilted)
    count = tilted.shape[2]
    shifts = np.outer(np.arange(count), shift)
    start = np.floor(shifts.min(axis=0)).astype(int)
    extra = np.ceil(shifts.max(axis=0)).astype(int) - start
    shape = (tilted.shape[0] + int(extra[0]), tilted.shape[1] + int(extra[1]), count)
    return _box_geometry(tilted, shape, start, step), shifts, start


def _shift_per_slice(
    geometry: Geometry,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shift (columns, rows) in pixels from one slice to the next, and the step along the normal."""
    along, across, step = geometry.affine[:3, 0], geometry.affine[:3, 1], geometry.affine[:3, 2]
    shift = np.array([step @ along / (along @ along), step @ across / (across @ across)])
    return shift, step - shift[0] * along - shift[1] * across


def _box_geometry(
    tilted: Geometry,
    shape: tuple[int, int, int],
    start: NDArray[np.int_],
    step: NDArray[np.float64],
) -> Geometry:
    """The grid of boxes whose first slice lies on the first tilted slice."""
    affine = tilted.affine.copy()
    affine[:3, 3] = tilted.to_patient(np.array([start[0], start[1], 0]))
    affine[:3, 2] = step
    return Geometry(shape=shape, affine=affine)


def _place(
    plane: NDArray[np.float32],
    is_padding: NDArray[np.bool_],
    offset: NDArray[np.float64],
    target: NDArray[np.float32],
) -> None:
    """Write ``plane`` into ``target`` at a fractional offset; only whole neighbourhoods count.

    Target pixel t shows source position t - offset, between the source pixels t - whole - 1 and
    t - whole, where whole is the offset's whole part.
    """
    for axis in (0, 1):
        plane, is_padding = _interpolate(plane, is_padding, float(offset[axis] % 1), axis)
    moved = [int(np.floor(o)) + int(o % 1 > _NEGLIGIBLE) for o in offset]
    window = target[moved[0] : moved[0] + plane.shape[0], moved[1] : moved[1] + plane.shape[1]]
    window[~is_padding] = plane[~is_padding]


_NEGLIGIBLE = 1e-6
"""A shift below a millionth of a pixel changes no HU: the slice is copied exactly."""


def _interpolate(
    plane: NDArray[np.float32], is_padding: NDArray[np.bool_], fraction: float, axis: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values between neighbours along one axis (one fewer), ``fraction`` towards the lower one."""
    if fraction <= _NEGLIGIBLE or fraction >= 1 - _NEGLIGIBLE:
        return plane, is_padding
    lower = tuple(slice(None, -1) if a == axis else slice(None) for a in (0, 1))
    upper = tuple(slice(1, None) if a == axis else slice(None) for a in (0, 1))
    mixed = (np.float32(fraction) * plane[lower] + np.float32(1 - fraction) * plane[upper]).astype(
        np.float32
    )
    return mixed, is_padding[lower] | is_padding[upper]
