"""Points on the surface of a mask, and which way is out.

A surface of voxels has six directions only. The direction at a point is taken from where the mask
lies in a small ball around it, which is that of the smooth surface the voxels stand for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.volume import LabelVolume, Mask

Floats = NDArray[np.float64]

POINTS = 600
"""Points per vertebra; with three times as many no shift moved by 0.3 mm on phantoms."""

BALL_MM = 3.5
"""Radius of the ball, chosen: wider than the steps of 3 mm voxels, thinner than a pedicle."""

BALL_STEPS = 7
"""Places looked at across the ball."""

LEAST_REACH_VOXELS = 1.01
"""On thick slices the ball reaches the next slice at least."""

CLEAR_MM = (2.0, 4.0)
"""How far out another vertebra must not lie: there the step is from bone to bone."""

LEAST_TURN = 1e-6
"""A ball that is full or empty tells no direction."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """Points of a mask's surface.

    Parameters
    ----------
    index
        Places (N, 3) as indices of the CT's grid.
    normal
        Unit vectors (N, 3) that point out of the mask, in patient space.
    """

    index: Floats
    normal: Floats


def sample_outline(level: LevelCompartments, vertebrae: LabelVolume) -> Outline:
    """Choose points evenly on a vertebra's surface, away from other labels.

    Parameters
    ----------
    vertebrae
        Labels on the grid that ``level.box`` indexes.
    """
    padded = np.pad(level.vertebra, 1)
    faces = _choose_faces(padded, level.geometry.spacing_mm)
    normal, is_told = _look_around(padded, faces, level.geometry)
    corner = np.array([s.start for s in level.box])
    index = faces[is_told] - 1 + corner
    is_clear = _is_clear(index, normal[is_told], vertebrae)
    return Outline(index=index[is_clear], normal=normal[is_told][is_clear])


def _choose_faces(padded: Mask, spacing_mm: tuple[float, float, float]) -> Floats:
    """Middles (N, 3) of faces between the mask and what is not, by area, the same every time."""
    draw = np.random.default_rng(0)
    found = []
    for axis in range(3):
        along = np.moveaxis(padded, axis, 0)
        change = along[1:] != along[:-1]
        found.append((np.flatnonzero(change), change.shape))
    area = np.prod(spacing_mm) / np.array(spacing_mm)
    shares = area * [len(where) for where, _ in found]
    chosen = []
    for axis, (where, shape) in enumerate(found):
        count = min(len(where), round(POINTS * shares[axis] / shares.sum()))
        rows = draw.choice(len(where), count, replace=False, shuffle=False)
        place = np.stack(np.unravel_index(where[rows], shape), axis=1).astype(np.float64)
        place[:, 0] += 0.5
        chosen.append(place[:, np.argsort([axis, *(a for a in range(3) if a != axis)])])
    return np.concatenate(chosen)


def _look_around(padded: Mask, faces: Floats, grid: Geometry) -> tuple[Floats, NDArray[np.bool_]]:
    """Directions (N, 3) away from the mask's voxels in the ball, and where they are told."""
    radius = np.maximum(BALL_MM / np.array(grid.spacing_mm), LEAST_REACH_VOXELS)
    unit = np.linspace(-1, 1, BALL_STEPS)
    ball = np.stack(np.meshgrid(unit, unit, unit, indexing="ij"), axis=-1).reshape(-1, 3)
    ball = ball[(ball * ball).sum(axis=1) <= 1] * radius
    inside = look_up(padded, faces[:, None] + ball)
    normal = -(inside.astype(np.float64) @ (ball @ grid.affine[:3, :3].T))
    length = np.linalg.norm(normal, axis=1)
    return normal / np.maximum(length, LEAST_TURN)[:, None], length > LEAST_TURN


def look_up(array: NDArray[np.generic], index: Floats) -> NDArray[np.generic]:
    """Values of the voxels nearest to indices (…, 3); beyond the array those of its border."""
    return look_up_axes(array, np.moveaxis(index, -1, 0))


def look_up_axes(
    array: NDArray[np.generic], index: Sequence[Floats] | Floats
) -> NDArray[np.generic]:
    """The same, from one array of indices (…) for each axis."""
    i, j, k = (
        np.clip(np.rint(along), 0, size - 1).astype(np.intp)
        for along, size in zip(index, array.shape, strict=True)
    )
    values: NDArray[np.generic] = array[i, j, k]
    return values


def _is_clear(index: Floats, normal: Floats, vertebrae: LabelVolume) -> NDArray[np.bool_]:
    """Whether a little further out there is image and no vertebra, the point's own included."""
    steps = normal @ np.linalg.inv(vertebrae.geometry.affine[:3, :3]).T
    is_clear = np.ones(len(index), dtype=np.bool_)
    last = np.array(vertebrae.array.shape) - 1
    for out_mm in CLEAR_MM:
        place = index + out_mm * steps
        is_clear &= look_up(vertebrae.array, place) == 0
        is_clear &= ((place >= 0) & (place <= last)).all(axis=1)
    return is_clear
