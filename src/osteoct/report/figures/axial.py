"""The axial picture of one level, through the middle of its body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Box
from osteoct.report.figures.curve import body_centre
from osteoct.report.figures.drawing import draw_section
from osteoct.report.figures.section import (
    AXIAL_LETTERS,
    Layer,
    Outline,
    Section,
    as_displayed,
    masks_of,
)
from osteoct.volume import CTVolume, Mask

AXIAL_MARGIN_MM = 9.0
"""Room for the letters at the edges; the rest of the picture belongs to the vertebra."""


AXIAL_ENLARGED = 1.5
"""The page shows axial pictures at about two thirds of the overview's scale."""


def middle_slice(level: LevelCompartments) -> int:
    """The slice to show, as index in the CT's array: the ROI's own, else the body centre's."""
    roi = masks_of(level).get(Outline.ROI)
    if roi is not None:
        filled = np.flatnonzero(roi.any(axis=(0, 1)))
        return int(level.box[2].start) + int(filled[len(filled) // 2])
    middle = round(float(body_centre(level)[2]))
    first, last = int(level.box[2].start), int(level.box[2].stop) - 1
    return min(max(middle, first), last)


def common_size_mm(levels: Sequence[LevelCompartments]) -> tuple[float, float]:
    """Width and depth, in mm, that hold every level: pictures of one size can be compared."""
    extents = np.array(
        [
            [
                n * step
                for n, step in zip(level.vertebra.shape, level.geometry.spacing_mm, strict=True)
            ]
            for level in levels
        ]
    )
    width, depth = extents.max(axis=0)[:2] + 2 * AXIAL_MARGIN_MM
    return float(width), float(depth)


def cut_axial(ct: CTVolume, level: LevelCompartments, size_mm: tuple[float, float]) -> Section:
    """Cut the level's middle slice, ``size_mm`` wide and deep; patient right on the left."""
    k = middle_slice(level)
    box = _window(ct, level, size_mm)
    shown = {o: m for o, m in masks_of(level).items() if o is not Outline.VERTEBRA_CORE}
    areas: dict[Outline, Mask] = {
        o: as_displayed(_place(m, level.box, box, k).T) for o, m in shown.items()
    }
    spacing = ct.geometry.spacing_mm
    return Section(
        hu=as_displayed(ct.array[box[0], box[1], k].astype(np.float32).T),
        spacing_mm=(spacing[1], spacing[0]),
        letters=AXIAL_LETTERS,
        layers=(Layer(level=level.level, areas=areas),),
    )


def _window(ct: CTVolume, level: LevelCompartments, size_mm: tuple[float, float]) -> Box:
    """A box of ``size_mm`` around the level's middle, shifted to stay inside the image."""
    sides = []
    for axis in (0, 1):
        n = min(round(size_mm[axis] / ct.geometry.spacing_mm[axis]), ct.geometry.shape[axis])
        middle = (level.box[axis].start + level.box[axis].stop) / 2
        start = int(np.clip(round(middle - n / 2), 0, ct.geometry.shape[axis] - n))
        sides.append(slice(start, start + n))
    return sides[0], sides[1], level.box[2]


def _place(mask: Mask, own: Box, box: Box, k: int) -> Mask:
    """The mask's slice ``k`` on the window ``box``, shape (x, y)."""
    sheet = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), dtype=bool)
    x, y = (
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(own[:2], box[:2], strict=True)
    )
    sheet[_relative(x, box[0]), _relative(y, box[1])] = mask[
        _relative(x, own[0]), _relative(y, own[1]), k - own[2].start
    ]
    return sheet


def _relative(part: slice, whole: slice) -> slice:
    """``part`` counted from the start of ``whole``."""
    return slice(part.start - whole.start, part.stop - whole.start)


def draw_axial(ct: CTVolume, level: LevelCompartments, size_mm: tuple[float, float]) -> Figure:
    """Draw one level's axial picture with core, shell and axial region of interest."""
    return draw_section(cut_axial(ct, level, size_mm), is_named=False, enlarged=AXIAL_ENLARGED)
