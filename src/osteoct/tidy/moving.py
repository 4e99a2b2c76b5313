"""Names moved from voxel to voxel, in the masks of vertebrae and of bodies alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.anatomy import Level, Part, Structure
from osteoct.compartments.column import Bone, stand_column
from osteoct.geometry import Box
from osteoct.tidy.column import Reading
from osteoct.tidy.owners import Owners
from osteoct.volume import LabelVolume, Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class Masks:
    """Vertebrae and, where there are any, bodies."""

    vertebrae: LabelVolume
    bodies: LabelVolume | None

    @cached_property
    def bones(self) -> tuple[Bone, ...]:
        """The vertebrae of the column; the sacrum's first body hangs on the sacrum and is none."""
        column = stand_column(self.vertebrae)
        return tuple(bone for bone in column.vertebrae if bone.level is not Level.S1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Move:
    """Voxels of a box that pass from one level to another, or (``None``) from or to nothing."""

    box: Box
    where: Mask
    source: Level | None
    target: Level | None

    @property
    def voxels(self) -> int:
        """How many they are."""
        return int(np.count_nonzero(self.where))


def list_moves(masks: Masks, reading: Reading, owners: Owners) -> list[Move]:
    """What changes on the masks' own grid when the cells go to their owners.

    A voxel follows the nearest cell that was taken from its own label.
    """
    sampled = reading.sampled
    level_by_order = {level.order: level for level in Level}
    moves = []
    for label, source in reading.level_of.items():
        mine = sampled.array == label
        targets = np.unique(owners.levels[mine])
        if set(targets.tolist()) <= {source.order, -1}:
            continue
        nearest = ndi.distance_transform_edt(
            ~mine, sampling=sampled.geometry.spacing_mm, return_distances=False, return_indices=True
        )
        target_of = owners.levels[tuple(nearest)]
        fine = _as_fine(target_of, sampled.steps, sampled.box)
        part = masks.vertebrae.array[sampled.box] == label
        for order in targets.tolist():
            if order in (source.order, -1):
                continue
            where = part & (fine == order)
            box = _tight(where)
            if box is not None:
                moves.append(
                    Move(
                        box=_within(box, sampled.box),
                        where=where[box],
                        source=source,
                        target=level_by_order[order],
                    )
                )
    return moves


def apply_moves(masks: Masks, moves: list[Move]) -> Masks:
    """New masks in which the moves are made; the old ones stay as they are."""
    vertebrae, bodies = masks.vertebrae, masks.bodies
    levels = [m.target for m in moves if m.target is not None]
    vertebrae = _with_levels(vertebrae, levels, Part.VERTEBRA)
    array = vertebrae.array.astype(_wide_enough(vertebrae), copy=True, order="K")
    for move in moves:
        array[move.box][move.where] = _label_of(vertebrae, move.target)
    vertebrae = replace(vertebrae, array=array)
    if bodies is not None:
        bodies = _move_bodies(bodies, moves)
    return Masks(vertebrae=vertebrae, bodies=bodies)


def _move_bodies(bodies: LabelVolume, moves: list[Move]) -> LabelVolume:
    """Body masks that follow; those that do not tell levels apart need nothing but removals."""
    known = {s.level for s in bodies.structures.values()}
    if not any(level is not None for level in known):
        return bodies
    bodies = _with_levels(bodies, [m.target for m in moves if m.target is not None], Part.BODY)
    before = bodies.array
    array = before.astype(_wide_enough(bodies), copy=True, order="K")
    for move in moves:
        old, inside = before[move.box], move.where
        if move.source is None:
            inside = inside & _inside_of(old, move)
        elif move.source in known:
            inside = inside & (old == _label_of(bodies, move.source))
        else:
            continue
        array[move.box][inside] = _label_of(bodies, move.target)
    return replace(bodies, array=array)


def _inside_of(old: NDArray[Any], move: Move) -> Mask:
    """Filled voxels that belong to the body: those of a hole that the body's label encloses too."""
    around = ndi.binary_dilation(move.where) & ~move.where
    is_body = bool(np.mean(old[around] > 0) > 0.5) if around.any() else False  # noqa: PLR2004
    free: Mask = np.full(old.shape, is_body) & (old == 0)
    return free


def _label_of(labels: LabelVolume, level: Level | None) -> int:
    """The integer of a level; background for none."""
    if level is None:
        return 0
    return next(n for n, s in labels.structures.items() if s.level is level)


def _with_levels(labels: LabelVolume, levels: list[Level], part: Part) -> LabelVolume:
    """The labels with a number for each level, which a level absent so far may lack."""
    structures = dict(labels.structures)
    for level in levels:
        if not any(s.level is level for s in structures.values()):
            taken = max(*structures, int(labels.array.max()))
            structures[taken + 1] = Structure(name=f"vertebrae_{level}", part=part, level=level)
    return replace(labels, structures=structures)


def _wide_enough(labels: LabelVolume) -> np.dtype[Any]:
    """A type that holds every label."""
    return np.promote_types(labels.array.dtype, np.min_scalar_type(max(labels.structures)))


def _as_fine(cells: NDArray[Any], steps: tuple[int, int, int], box: Box) -> NDArray[Any]:
    """Cells repeated onto the voxels of their box."""
    for axis, step in enumerate(steps):
        cells = cells.repeat(step, axis=axis) if step > 1 else cells
    a, b, c = (slice(0, s.stop - s.start) for s in box)
    return cells[a, b, c]


def _tight(mask: Mask) -> Box | None:
    """The tightest box around a mask."""
    found = ndi.find_objects(mask.astype(np.uint8))
    if not found:
        return None
    a, b, c = found[0]
    return a, b, c


def _within(box: Box, outer: Box) -> Box:
    """A box counted from the start of the array instead of that of an outer box."""
    a, b, c = (slice(s.start + o.start, s.stop + o.start) for s, o in zip(box, outer, strict=True))
    return a, b, c
