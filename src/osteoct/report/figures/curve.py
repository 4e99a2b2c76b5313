"""The line through the vertebral bodies, and the plane bent along it.

A straight plane leaves the bodies of a curved spine. Here the sagittal plane moves sideways, and
the coronal one forwards and back, from slice to slice, so that it meets every body's centre. Along
the picture's own rows and columns nothing is bent or stretched: lengths there stay true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Box
from osteoct.report.figures.section import (
    Layer,
    Letters,
    Outline,
    Section,
    as_displayed,
    field_of,
    masks_of,
)
from osteoct.volume import CTVolume, Mask

MARGIN_MM = 22.0
"""What is shown around the outermost voxels of the levels: room for their names, and enough of the
neighbours to see whether the levels were counted right."""

Across = Literal[0, 1]
"""Array axis that the plane cuts across: 0 for sagittal, 1 for coronal."""

_OVERVIEW = (Outline.VERTEBRA, Outline.BODY, Outline.CORE, Outline.VERTEBRA_CORE, Outline.EXCLUDED)


def body_centre(level: LevelCompartments) -> NDArray[np.float64]:
    """Index (3,) in the CT's array of a level's body centre; without a body, of its vertebra."""
    start = np.array([s.start for s in level.box], dtype=np.float64)
    if level.axes is not None:
        return start + level.geometry.to_index(level.axes.origin_mm)
    mask = level.vertebra if level.body is None else level.body
    centre: NDArray[np.float64] = start + np.argwhere(mask).mean(axis=0)
    return centre


def cut_along_bodies(
    ct: CTVolume, levels: Sequence[LevelCompartments], *, across: Across, letters: Letters
) -> Section:
    """Cut the plane through all body centres, sagittal or coronal.

    HU are interpolated linearly across the plane; masks are taken from the nearest voxel.
    """
    box = field_of(levels, MARGIN_MM, ct.geometry.spacing_mm, ct.geometry.shape)
    slices = np.arange(box[2].start, box[2].stop)
    position = follow(levels, slices, across=across, size=ct.geometry.shape[across])
    sheet = sample_hu(ct, box, position, across=across)
    layers = tuple(_layer(level, box, position, across=across) for level in levels)
    spacing = ct.geometry.spacing_mm
    return Section(
        hu=as_displayed(sheet),
        spacing_mm=(spacing[2], spacing[1 - across]),
        letters=letters,
        layers=layers,
    )


def follow(
    levels: Sequence[LevelCompartments], slices: NDArray[np.int_], *, across: Across, size: int
) -> NDArray[np.float64]:
    """Index along ``across`` at each slice: straight between body centres, constant beyond them."""
    has_body = [level for level in levels if level.body is not None]
    centres = np.array([body_centre(level) for level in has_body or levels])
    centres = centres[np.argsort(centres[:, 2])]
    position = np.interp(slices, centres[:, 2], centres[:, across])
    inside: NDArray[np.float64] = np.clip(position, 0, size - 1)
    return inside


def sample_hu(
    ct: CTVolume, box: Box, position: NDArray[np.float64], *, across: Across
) -> NDArray[np.float32]:
    """HU on the bent plane, shape (slices, other in-plane axis)."""
    other = box[1 - across]
    slices = np.arange(box[2].start, box[2].stop)
    stack = np.moveaxis(ct.array, across, 0)
    below = np.floor(position).astype(int)
    above = np.minimum(below + 1, stack.shape[0] - 1)
    weight = (position - below)[:, np.newaxis]
    sheet = stack[below, other, slices] * (1 - weight) + stack[above, other, slices] * weight
    return np.asarray(sheet, dtype=np.float32)


def _layer(
    level: LevelCompartments, box: Box, position: NDArray[np.float64], *, across: Across
) -> Layer:
    """The level's masks on the bent plane, in display order."""
    shown = {outline: m for outline, m in masks_of(level).items() if outline in _OVERVIEW}
    areas = {
        outline: as_displayed(_sample_mask(mask, level.box, box, position, across=across))
        for outline, mask in shown.items()
    }
    return Layer(level=level.level, areas=areas)


def _sample_mask(
    mask: Mask, own: Box, box: Box, position: NDArray[np.float64], *, across: Across
) -> Mask:
    """One mask on the bent plane, shape (slices, other in-plane axis)."""
    other = 1 - across
    sheet = np.zeros((box[2].stop - box[2].start, box[other].stop - box[other].start), dtype=bool)
    slices = np.arange(own[2].start, own[2].stop)
    nearest = np.rint(position[slices - box[2].start]).astype(int) - own[across].start
    hit = (nearest >= 0) & (nearest < mask.shape[across])
    columns = slice(own[other].start - box[other].start, own[other].stop - box[other].start)
    values = np.moveaxis(mask, across, 0)[nearest[hit], :, (slices - own[2].start)[hit]]
    sheet[slices[hit] - box[2].start, columns] = values
    return sheet
