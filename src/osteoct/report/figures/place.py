"""The picture at a finding's place: a sagittal cut-out with the outlines around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Box
from osteoct.report.figures.drawing import draw_section
from osteoct.report.figures.section import (
    SAGITTAL_LETTERS,
    Layer,
    Outline,
    Section,
    as_displayed,
    check_canonical,
    masks_of,
)
from osteoct.volume import CTVolume, Mask

SIZE_MM = 64.0
"""Side of the picture: one vertebra with the end plates of its neighbours."""

MARK_MM = 7.0
MARK_COLOUR = "#ff8a3d"
"""The mark is four strokes that point at the place and leave it free."""

_SHOWN = (Outline.VERTEBRA, Outline.BODY, Outline.CORE, Outline.EXCLUDED)


def cut_place(
    ct: CTVolume, levels: Sequence[LevelCompartments], place_mm: tuple[float, float, float]
) -> tuple[Section, tuple[float, float]]:
    """Cut the sagittal slice through a place, and say where in it the place lies.

    Parameters
    ----------
    ct
        In canonical orientation.
    place_mm
        A point in patient space; one outside the image is drawn at its edge.

    Returns
    -------
    Section and (x, y)
        Anterior on the left, head up; the place in mm from the picture's left and top edge.

    Raises
    ------
    GeometryError
        The CT is not in canonical orientation.
    """
    check_canonical(ct)
    shape, spacing = ct.geometry.shape, ct.geometry.spacing_mm
    index = ct.geometry.to_index(np.asarray(place_mm, dtype=np.float64)[np.newaxis])[0]
    i, j, k = (int(np.clip(round(v), 0, n - 1)) for v, n in zip(index, shape, strict=True))
    box = (slice(i, i + 1), _side(j, shape[1], spacing[1]), _side(k, shape[2], spacing[2]))
    layers = tuple(layer for level in levels if (layer := _layer(level, box)) is not None)
    section = Section(
        hu=as_displayed(ct.array[i, box[1], box[2]].astype(np.float32).T),
        spacing_mm=(spacing[2], spacing[1]),
        letters=SAGITTAL_LETTERS,
        layers=layers,
    )
    x = (box[1].stop - j - 0.5) * spacing[1]
    y = (box[2].stop - k - 0.5) * spacing[2]
    return section, (x, y)


def draw_place(
    ct: CTVolume, levels: Sequence[LevelCompartments], place_mm: tuple[float, float, float]
) -> Figure:
    """Draw the cut-out around a place, with a mark that points at it."""
    section, place = cut_place(ct, levels, place_mm)
    figure = draw_section(section)
    _mark(figure.axes[0], place)
    return figure


def _mark(axes: Axes, place: tuple[float, float]) -> None:
    """Four strokes towards the place."""
    x, y = place
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        axes.plot(
            [x + dx * MARK_MM, x + dx * MARK_MM / 2],
            [y + dy * MARK_MM, y + dy * MARK_MM / 2],
            color=MARK_COLOUR,
            linewidth=2.0,
            scalex=False,
            scaley=False,
            path_effects=[withStroke(linewidth=3.5, foreground="black")],
        )


def _side(centre: int, size: int, step: float) -> slice:
    """Voxels along one axis around a centre, shifted to stay inside the image."""
    n = min(max(round(SIZE_MM / step), 1), size)
    start = int(np.clip(centre - n // 2, 0, size - n))
    return slice(start, start + n)


def _layer(level: LevelCompartments, box: Box) -> Layer | None:
    """The level's masks in the cut-out, in display order; ``None`` where it is not in it."""
    areas: dict[Outline, Mask] = {}
    for outline, mask in masks_of(level).items():
        if outline in _SHOWN:
            area = as_displayed(_sheet(mask, level.box, box).T)
            if area.any():
                areas[outline] = area
    return Layer(level=level.level, areas=areas) if areas else None


def _sheet(mask: Mask, own: Box, box: Box) -> NDArray[np.bool_]:
    """A mask on the cut-out, shape (y, z)."""
    sheet = np.zeros([s.stop - s.start for s in box], dtype=np.bool_)
    common = [
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(own, box, strict=True)
    ]
    if all(s.start < s.stop for s in common):
        sheet[_relative(common, box)] = mask[_relative(common, own)]
    return np.asarray(sheet[0])


def _relative(part: Sequence[slice], whole: Box) -> tuple[slice, ...]:
    """``part`` counted from the start of ``whole``."""
    pairs = zip(part, whole, strict=True)
    return tuple(slice(p.start - w.start, p.stop - w.start) for p, w in pairs)
