"""The upper and lower face of a body, sampled along the vertebra's own superior axis.

The mask is read by trilinear interpolation and a face lies where it crosses one half. Between
slices that is a sub-voxel position, so the staircase of a tilted body on thick slices averages out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.compartments.level import VertebraAxes
from osteoct.geometry import Geometry
from osteoct.volume import Mask

SAMPLE_MM = 1.0
"""Step along the superior axis; crossings are interpolated between steps."""

REACH_MM = 35.0
"""How far from the body's centre a face is looked for; a lumbar body is 25–35 mm high."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class EndPlates:
    """Heights of both faces over a grid of columns, in mm from the body's centre.

    Parameters
    ----------
    right_mm, anterior_mm
        Positions of the columns, shapes (R,) and (A,).
    top_mm, bottom_mm
        Position of the faces along superior, shape (R, A); NaN where a column misses the body.
    """

    right_mm: Floats
    anterior_mm: Floats
    top_mm: Floats
    bottom_mm: Floats


def sample_endplates(
    body: Mask,
    geometry: Geometry,
    axes: VertebraAxes,
    *,
    right_mm: Floats,
    anterior_mm: Floats,
) -> EndPlates:
    """Sample both end plates over columns at the given positions in the vertebra's own axes."""
    along = np.arange(-REACH_MM, REACH_MM + SAMPLE_MM / 2, SAMPLE_MM)
    origin, steps = _index_frame(geometry, axes)
    index = (
        origin[:, None, None, None]
        + steps[:, 0, None, None, None] * right_mm[None, :, None, None]
        + steps[:, 1, None, None, None] * anterior_mm[None, None, :, None]
        + steps[:, 2, None, None, None] * along[None, None, None, :]
    )
    inside = ndi.map_coordinates(
        body.astype(np.float32), index, order=1, mode="grid-constant", cval=0.0, prefilter=False
    )
    return EndPlates(
        right_mm=right_mm,
        anterior_mm=anterior_mm,
        top_mm=_last_crossing(inside, along),
        bottom_mm=-_last_crossing(inside[..., ::-1], -along[::-1]),
    )


def _index_frame(geometry: Geometry, axes: VertebraAxes) -> tuple[Floats, Floats]:
    """The body's centre as an index (3,) and index steps (3, 3) per mm along the three axes."""
    steps: Floats = np.linalg.inv(geometry.affine[:3, :3]) @ axes.rotation
    return geometry.to_index(axes.origin_mm), steps


def _last_crossing(inside: NDArray[np.float32], along: Floats) -> Floats:
    """Position at which each line leaves the body for good, interpolated; NaN if it never is in."""
    within = inside >= 0.5  # noqa: PLR2004 - half covered is where the surface lies
    found = within.any(axis=-1)
    last = within.shape[-1] - 1 - within[..., ::-1].argmax(axis=-1)
    last = np.minimum(last, within.shape[-1] - 2)
    here = np.take_along_axis(inside, last[..., None], -1)[..., 0].astype(np.float64)
    after = np.take_along_axis(inside, last[..., None] + 1, -1)[..., 0].astype(np.float64)
    fall = np.where(here > after, here - after, 1.0)
    step = np.clip((here - 0.5) / fall, 0, 1)
    return np.where(found, along[last] + step * SAMPLE_MM, np.nan)
