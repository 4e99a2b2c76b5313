"""Loose pieces of a label, and cavities inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.anatomy import Level
from osteoct.compartments.column import Bone
from osteoct.geometry import Box, grown
from osteoct.tidy.moving import Move
from osteoct.tidy.sampled import cell_steps
from osteoct.volume import CTVolume, LabelVolume, Mask

LEAST_STRAY_CM3 = 0.05
"""Loose pieces below it are left: they move no number, and no picture shows them."""

LEAST_GIVEN_CM3 = 0.5
"""A piece that touches another level is given to it from this volume on: facet joints leave crumbs
on the wrong side in masks that are otherwise right."""

FAR_MM = 5.0
"""Distance from its vertebra from which a loose piece is no part of it, and at least two voxels.

A process that broke off, or an arch with a cleft in it (spondylolysis), lies nearer.
"""

MOST_LOOSE_SHARE = 0.2
"""Share of a label that may be taken off it; with more, it is not sure which part is
the vertebra."""

MOST_STREWN = 2
"""Levels that may lose a piece: masks that break up everywhere are too thin, and what lies loose
are the tips of processes."""

LEAST_HOLE_CM3 = 0.2
"""Cavities below it are left: basivertebral veins and rounding at thick slices."""

MOST_HOLE_STEP_HU = 250.0
"""Step of the mean HU from a cavity to the bone around it above which it was left out on purpose:
metal, cement and gas."""

_ALL_AROUND = np.ones((3, 3, 3))


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A loose piece or a cavity of one level, and what may be done with it.

    Parameters
    ----------
    move
        The repair; ``None`` where it is refused.
    why_not
        Why it is refused.
    """

    level: Level
    voxels: int
    volume_cm3: float
    place_mm: NDArray[np.float64]
    move: Move | None = None
    why_not: str = ""


def find_strays(labels: LabelVolume, bone: Bone, levels: dict[int, Level]) -> list[Piece]:
    """Find the loose pieces of a whole vertebra that belong elsewhere.

    Parameters
    ----------
    levels
        Level of each vertebra's label.
    """
    if bone.level is None or not bone.is_whole:
        return []
    box = grown(bone.box, (1, 1, 1), labels.geometry.shape)
    part = labels.array[box]
    x, y, z = cell_steps(labels.geometry)
    if ndi.label(part[::x, ::y, ::z] == bone.label, structure=_ALL_AROUND)[1] <= 1:
        return []  # a piece nearer than a cell is no loose one
    pieces, count = ndi.label(part == bone.label, structure=_ALL_AROUND)
    if count <= 1:
        return []
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    main = int(sizes.argmax())
    voxel = labels.geometry.voxel_volume_mm3 / 1000
    far: NDArray[np.float64] | None = None
    found = []
    for number in np.flatnonzero(sizes * voxel >= LEAST_STRAY_CM3).tolist():
        if number == main:
            continue
        piece = pieces == number
        touched = _touched(part, piece, bone.label, levels)
        if far is None:
            far = ndi.distance_transform_edt(pieces != main, sampling=labels.geometry.spacing_mm)
        is_far = bool(far[piece].min() > max(FAR_MM, 2 * max(labels.geometry.spacing_mm)))
        volume = float(sizes[number] * voxel)
        if not (is_far and touched is None) and not (touched and volume >= LEAST_GIVEN_CM3):
            continue
        is_small = sizes[number] <= MOST_LOOSE_SHARE * sizes.sum()
        found.append(
            Piece(
                level=bone.level,
                voxels=int(sizes[number]),
                volume_cm3=volume,
                place_mm=_middle(piece, labels, box),
                move=Move(box=box, where=piece, source=bone.level, target=touched)
                if is_small
                else None,
                why_not="" if is_small else "it is too large a part of the label",
            )
        )
    return found


def _touched(
    part: NDArray[np.generic], piece: Mask, label: int, levels: dict[int, Level]
) -> Level | None:
    """The other level that a piece touches most."""
    box = ndi.find_objects(piece.astype(np.uint8))[0]
    a, b, c = (slice(max(s.start - 1, 0), s.stop + 1) for s in box)
    rim = ndi.binary_dilation(piece[a, b, c]) & ~piece[a, b, c]
    numbers, counts = np.unique(part[a, b, c][rim], return_counts=True)
    near = {
        levels[int(n)]: int(k)
        for n, k in zip(numbers, counts, strict=True)
        if int(n) in levels and int(n) != label
    }
    return max(near, key=lambda lv: near[lv]) if near else None


def find_holes(ct: CTVolume, labels: LabelVolume, bone: Bone) -> list[Piece]:
    """Find the cavities that a vertebra's label encloses."""
    if bone.level is None:
        return []
    part = labels.array[bone.box]
    voxel = labels.geometry.voxel_volume_mm3 / 1000
    x, y, z = cell_steps(labels.geometry)
    _, cells = _enclosed(part[::x, ::y, ::z] != bone.label)
    if not (cells * voxel * x * y * z >= LEAST_HOLE_CM3 / 2).any():
        return []  # a wall thinner than a cell encloses nothing
    gaps, sizes = _enclosed(part != bone.label)
    found = []
    for number in np.flatnonzero(sizes * voxel >= LEAST_HOLE_CM3).tolist():
        hole = (gaps == number) & (part == 0)
        if np.count_nonzero(hole) * voxel < LEAST_HOLE_CM3:
            continue
        step = _step_hu(ct, bone.box, hole, part == bone.label)
        is_bone = step is not None and step <= MOST_HOLE_STEP_HU
        found.append(
            Piece(
                level=bone.level,
                voxels=int(np.count_nonzero(hole)),
                volume_cm3=float(np.count_nonzero(hole) * voxel),
                place_mm=_middle(hole, labels, bone.box),
                move=Move(box=bone.box, where=hole, source=None, target=bone.level)
                if is_bone
                else None,
                why_not="" if is_bone else "the image inside it is unlike the bone around it",
            )
        )
    return found


def _enclosed(outside: Mask) -> tuple[NDArray[Any], NDArray[Any]]:
    """Connected gaps by number, and their sizes; 0 for those that reach the border."""
    gaps, _ = ndi.label(outside)
    sizes = np.bincount(gaps.ravel())
    sizes[0] = 0
    for axis in range(3):
        for end in (0, -1):
            sizes[np.unique(np.take(gaps, end, axis=axis))] = 0
    return gaps, sizes


def _step_hu(ct: CTVolume, box: Box, hole: Mask, bone: Mask) -> float | None:
    """Difference of the mean HU of a cavity and of the bone next to it."""
    rim = ndi.binary_dilation(hole, iterations=2) & bone
    if not rim.any():
        return None
    hu = ct.hu(box)
    return float(abs(hu[hole].mean() - hu[rim].mean()))


def _middle(where: Mask, labels: LabelVolume, box: Box) -> NDArray[np.float64]:
    """Mean position in patient space."""
    return labels.geometry.cropped(box).to_patient(np.argwhere(where).mean(axis=0))
