"""On which side of the patient the table lies: what the pixels say of how the patient lay.

The table is something long and thin, denser than air, that lies wholly beyond one side of the body.
Where it is not in the image, or touches the body, nothing is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.compartments.level import LevelCompartments
from osteoct.volume import CTVolume


class Side(StrEnum):
    """A side of the body in patient space."""

    BACK = "back"
    FRONT = "front"
    LEFT = "left"
    RIGHT = "right"


SOLID_HU = -400.0
"""Chosen: the body and the shell of a table lie above, air, foam and blankets below."""

LEAST_LENGTH_SHARE = 0.6
"""Chosen: a table is as wide as a body; arms and tubes beside it are shorter."""

MOST_THICKNESS_MM = 40.0
"""Chosen: mean thickness, area over length; an arm or a phantom under the patient is thicker."""

LEAST_PLANES_SHARE = 0.5
"""Share of the slices that must show the table, all of them on one side."""

MOST_PLANES = 7


def find_table(ct: CTVolume, levels: Sequence[LevelCompartments]) -> Side | None:
    """The side of the patient on which the table lies; ``None`` where the image does not tell.

    Parameters
    ----------
    ct
        In canonical orientation: the grid that the levels' boxes index.
    """
    if not levels:
        return None
    first = min(level.box[2].start for level in levels)
    last = max(level.box[2].stop for level in levels) - 1
    chosen = np.unique(np.linspace(first, last, MOST_PLANES).astype(int)).tolist()
    x, y, _ = ct.geometry.spacing_mm
    told = [side_in_plane(ct.hu((slice(None), slice(None), slice(k, k + 1)))[..., 0], (x, y))
            for k in chosen]  # fmt: skip
    votes = Counter(side for side in told if side is not None)
    if len(votes) != 1:
        return None
    side, count = votes.most_common(1)[0]
    return side if count >= LEAST_PLANES_SHARE * len(chosen) else None


def side_in_plane(plane_hu: NDArray[np.float32], pixel_mm: tuple[float, float]) -> Side | None:
    """The side of the largest solid part on which something long and thin lies in one slice.

    Parameters
    ----------
    plane_hu
        HU (I, J), axes to the right and to the front; NaN where nothing was measured.
    """
    parts, count = ndi.label(np.nan_to_num(plane_hu, nan=-1000.0) > SOLID_HU, np.ones((3, 3)))
    if count < 2:  # noqa: PLR2004 - a body and a table
        return None
    sizes = np.bincount(parts.ravel())[1:]
    boxes = ndi.find_objects(parts)
    body = int(sizes.argmax())
    sides = {
        side
        for n, box in enumerate(boxes)
        if n != body and (side := _side_of(boxes[body], box, int(sizes[n]), pixel_mm)) is not None
    }
    return sides.pop() if len(sides) == 1 else None


def _side_of(
    body: tuple[slice, ...], part: tuple[slice, ...], pixels: int, pixel_mm: tuple[float, float]
) -> Side | None:
    """Beyond which side of the body's box a part lies, if it is as long and thin as a table."""
    for across, (low, high) in ((1, (Side.BACK, Side.FRONT)), (0, (Side.LEFT, Side.RIGHT))):
        along = 1 - across
        length = part[along].stop - part[along].start
        if length < LEAST_LENGTH_SHARE * (body[along].stop - body[along].start):
            continue
        if pixels / length * pixel_mm[across] > MOST_THICKNESS_MM:
            continue
        middle = (part[across].start + part[across].stop) / 2
        if middle < body[across].start:
            return low
        if middle > body[across].stop:
            return high
    return None
