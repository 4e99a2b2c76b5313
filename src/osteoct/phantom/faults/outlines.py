"""Faults of a mask's place and outline: shifted, mirrored, grown, eaten, with holes and islands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.anatomy import Level
from osteoct.geometry import Geometry
from osteoct.phantom.faults.names import FRONT, RIGHT
from osteoct.phantom.faults.subject import Subject, assigned, farthest_share, label_in
from osteoct.phantom.lattice import Vector
from osteoct.volume import LabelVolume, Mask

UP = np.array([0.0, 0.0, 1.0])


def shift_masks(subject: Subject, offset_mm: Vector) -> Subject:
    """Move all masks by whole voxels, as near to the offset as they go."""
    bodies = subject.bodies
    return subject.with_labels(
        _shifted(subject.vertebrae, offset_mm),
        None if bodies is None else _shifted(bodies, offset_mm),
    )


def shift_bodies(subject: Subject, offset_mm: Vector) -> Subject:
    """Move the body masks alone."""
    if subject.bodies is None:
        return subject
    return replace(
        subject, bodies=replace(subject.bodies, array=_shifted(subject.bodies, offset_mm))
    )


def _shifted(labels: LabelVolume, offset_mm: Vector) -> NDArray[np.generic]:
    """Labels moved; what leaves the grid is lost, what enters it is background."""
    steps = np.rint(np.linalg.inv(labels.geometry.affine[:3, :3]) @ np.array(offset_mm)).astype(int)
    moved = np.zeros_like(labels.array)
    source, target = [], []
    for step, size in zip(steps.tolist(), labels.array.shape, strict=True):
        source.append(slice(max(-step, 0), size - max(step, 0)))
        target.append(slice(max(step, 0), size - max(-step, 0)))
    moved[tuple(target)] = labels.array[tuple(source)]
    return moved


def mirror_masks(subject: Subject, *, beside_mm: float) -> Subject:
    """Mirror all masks left-right about a plane ``beside_mm`` from the middle of the spine."""
    centre = np.argwhere(subject.vertebrae.array > 0)[:, 0].mean()
    plane = centre + beside_mm / subject.ct.geometry.spacing_mm[0]
    return _flipped_masks(subject, 0, float(plane))


def flip_masks_head_feet(subject: Subject) -> Subject:
    """Turn the column of masks upside down in place."""
    index = np.flatnonzero((subject.vertebrae.array > 0).any(axis=(0, 1)))
    return _flipped_masks(subject, 2, float(index[0] + index[-1]) / 2)


def _flipped_masks(subject: Subject, axis: int, plane: float) -> Subject:
    """Masks mirrored about a plane given as an index along an axis."""
    bodies = subject.bodies
    return subject.with_labels(
        _mirrored(subject.vertebrae.array, axis, plane),
        None if bodies is None else _mirrored(bodies.array, axis, plane),
    )


def _mirrored(array: NDArray[np.generic], axis: int, plane: float) -> NDArray[np.generic]:
    """An array mirrored about an index, which is taken to the nearest half voxel."""
    source = round(2 * plane) - np.arange(array.shape[axis])
    inside = (source >= 0) & (source < array.shape[axis])
    mirrored = np.take(array, np.clip(source, 0, array.shape[axis] - 1), axis=axis)
    lanes: list[slice | Mask] = [slice(None)] * 3
    lanes[axis] = ~inside
    mirrored[tuple(lanes)] = 0
    return mirrored


def turn_levels(subject: Subject, levels: Sequence[Level]) -> Subject:
    """Turn the mask of each level upside down about its own middle."""
    vertebrae = subject.vertebrae.array.copy()
    bodies = None if subject.bodies is None else subject.bodies.array.copy()
    for level in levels:
        lanes = np.flatnonzero(subject.mask(level).any(axis=(0, 1)))
        middle = float(lanes[0] + lanes[-1]) / 2
        _turn(vertebrae, subject.label(level), middle)
        if bodies is not None and subject.bodies is not None:
            _turn(bodies, label_in(subject.bodies, level), middle)
    return subject.with_labels(vertebrae, bodies)


def _turn(array: NDArray[np.generic], label: int, middle: float) -> None:
    """Turn one label upside down where nothing else stands in its way."""
    mine = array == label
    turned = _mirrored(mine, 2, middle).astype(bool)
    array[mine] = 0
    array[turned & (array == 0)] = label


def grow_masks(subject: Subject, reach_mm: float) -> Subject:
    """Let every mask grow by a distance; neighbours meet half-way."""
    bodies = subject.bodies
    return subject.with_labels(
        _grown(subject.vertebrae, reach_mm), None if bodies is None else _grown(bodies, reach_mm)
    )


def _grown(labels: LabelVolume, reach_mm: float) -> NDArray[np.generic]:
    """Labels grown into the background."""
    away, nearest = ndi.distance_transform_edt(
        labels.array == 0, sampling=labels.geometry.spacing_mm, return_indices=True
    )
    taken: NDArray[np.generic] = labels.array[tuple(nearest)]
    return np.where(away <= reach_mm, taken, 0).astype(labels.array.dtype)


def shrink_masks(subject: Subject, reach_mm: float) -> Subject:
    """Take a rim of some width from every mask."""
    bodies = subject.bodies
    return subject.with_labels(
        _shrunk(subject.vertebrae, reach_mm), None if bodies is None else _shrunk(bodies, reach_mm)
    )


def shrink_bodies(subject: Subject, reach_mm: float) -> Subject:
    """Take a rim of some width from the body masks alone."""
    if subject.bodies is None:
        return subject
    return replace(subject, bodies=replace(subject.bodies, array=_shrunk(subject.bodies, reach_mm)))


def _shrunk(labels: LabelVolume, reach_mm: float) -> NDArray[np.generic]:
    """Labels without what lies near the background."""
    depth = ndi.distance_transform_edt(labels.array > 0, sampling=labels.geometry.spacing_mm)
    return np.where(depth > reach_mm, labels.array, 0).astype(labels.array.dtype)


def add_arches_to_bodies(subject: Subject, *, share: float) -> Subject:
    """Let the body masks take the front share of the posterior elements."""
    if subject.bodies is None:
        return subject
    array = subject.bodies.array.copy()
    for level in subject.levels:
        if any(s.level is level for s in subject.bodies.structures.values()):
            arch = subject.mask(level) & (subject.bodies.array == 0)
            array[farthest_share(subject, arch, FRONT, share)] = label_in(subject.bodies, level)
    return replace(subject, bodies=replace(subject.bodies, array=array))


def eat_level(subject: Subject, level: Level, *, share: float) -> Subject:
    """Lose the lower share of a level's mask."""
    return assigned(subject, farthest_share(subject, subject.mask(level), -UP, share), None)


def eat_arch(subject: Subject, levels: Sequence[Level], *, share: float) -> Subject:
    """Lose the hindmost share of the masks of some levels."""
    for level in levels:
        lost = farthest_share(subject, subject.mask(level), -FRONT, share)
        subject = assigned(subject, lost, None)
    return subject


def spill_down(subject: Subject, level: Level, *, reach_mm: float) -> Subject:
    """Let a level's mask run downwards into the disc."""
    mine = subject.mask(level)
    steps = max(round(reach_mm / subject.ct.geometry.spacing_mm[2]), 1)
    grown = mine.copy()
    for step in range(1, steps + 1):
        grown[:, :, :-step] |= mine[:, :, step:]
    array = subject.vertebrae.array.copy()
    array[grown & (array == 0)] = subject.label(level)
    return replace(subject, vertebrae=replace(subject.vertebrae, array=array))


def add_stray(subject: Subject, level: Level, *, radius_mm: float) -> Subject:
    """Put a ball of a level's label beside the spine, 50 mm to the right and to the front."""
    at = subject.centre_mm(level) + 35.0 * (RIGHT + FRONT)
    ball = ball_at(subject.ct.geometry, at, radius_mm) & (subject.vertebrae.array == 0)
    array = subject.vertebrae.array.copy()
    array[ball] = subject.label(level)
    return replace(subject, vertebrae=replace(subject.vertebrae, array=array))


def add_hole(subject: Subject, level: Level, *, radius_mm: float) -> Subject:
    """Leave a ball out of the middle of a level's body."""
    return assigned(subject, hole_of(subject, level, radius_mm), None)


def hole_of(subject: Subject, level: Level, radius_mm: float) -> Mask:
    """The ball in the deepest place of a level's mask."""
    mine = subject.mask(level)
    depth = ndi.distance_transform_edt(mine, sampling=subject.ct.geometry.spacing_mm)
    deepest = np.array(np.unravel_index(int(np.argmax(depth)), mine.shape))
    ball = ball_at(subject.ct.geometry, subject.ct.geometry.to_patient(deepest), radius_mm)
    found: Mask = mine & ball
    return found


def ball_at(geometry: Geometry, centre_mm: NDArray[np.float64], radius_mm: float) -> Mask:
    """Voxels whose centres lie within a radius of a point; upright grids."""
    parts = []
    middle = geometry.to_index(centre_mm)
    for axis, (size, step) in enumerate(zip(geometry.shape, geometry.spacing_mm, strict=True)):
        along = [1, 1, 1]
        along[axis] = size
        parts.append(np.square((np.arange(size) - middle[axis]) * step).reshape(along))
    ball: Mask = sum(parts) <= radius_mm**2
    return ball


def coarsen_masks(subject: Subject, factor: int) -> Subject:
    """Masks as made on a grid coarser by a whole factor, and brought back."""
    bodies = subject.bodies
    return subject.with_labels(
        _coarse(subject.vertebrae.array, factor),
        None if bodies is None else _coarse(bodies.array, factor),
    )


def _coarse(array: NDArray[np.generic], factor: int) -> NDArray[np.generic]:
    """Every voxel takes the label in the middle of its coarse cell."""
    for axis, size in enumerate(array.shape):
        cells = np.arange(size) // factor * factor + factor // 2
        array = np.take(array, np.minimum(cells, size - 1), axis=axis)
    return array
