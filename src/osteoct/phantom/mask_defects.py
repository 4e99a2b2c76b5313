"""Things that go wrong in masks and fields of view. Scan to scan; the truth stays the anatomy's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level
from osteoct.errors import ConfigError
from osteoct.geometry import Box
from osteoct.phantom.acquisition import PhantomScan
from osteoct.phantom.lattice import Vector
from osteoct.phantom.masks import BODIES_SCHEME, VERTEBRAE_SCHEME, label_of
from osteoct.phantom.truth import is_inside
from osteoct.volume import LabelVolume, Mask

Relabel = Callable[[LabelVolume, str], NDArray[np.uint8]]


def remove_level(scan: PhantomScan, level: Level) -> PhantomScan:
    """Leave one level out of the masks, as a segmentation that skipped it."""

    def without(labels: LabelVolume, scheme_id: str) -> NDArray[np.uint8]:
        mine = label_of(scheme_id, level)
        return np.where(labels.array == mine, 0, labels.array).astype(np.uint8)

    return _relabelled(scan, without, f"{level} missing in the masks")


def swap_labels(scan: PhantomScan, first: Level, second: Level) -> PhantomScan:
    """Exchange the labels of two levels."""

    def swapped(labels: LabelVolume, scheme_id: str) -> NDArray[np.uint8]:
        a, b = label_of(scheme_id, first), label_of(scheme_id, second)
        table = np.arange(256, dtype=np.uint8)
        table[[a, b]] = b, a
        exchanged: NDArray[np.uint8] = table[labels.array]
        return exchanged

    return _relabelled(scan, swapped, f"labels of {first} and {second} swapped")


def leak_label(
    scan: PhantomScan, level: Level, *, into: Level, depth_mm: float = 8.0
) -> PhantomScan:
    """Let a level's label run into its neighbour, over a slab of ``depth_mm`` of its body."""
    target = scan.phantom.vertebra(into)
    half = target.body.height_centroid_mm / 2
    facing = 1.0 if level.order < into.order else -1.0

    def leaked(labels: LabelVolume, scheme_id: str) -> NDArray[np.uint8]:
        array = labels.array.astype(np.uint8)
        index = np.argwhere(array == label_of(scheme_id, into))
        away = labels.geometry.to_patient(index) - np.array(target.frame.origin_mm)
        taken = index[facing * (away @ np.array(target.frame.superior)) > half - depth_mm]
        array[tuple(taken.T)] = label_of(scheme_id, level)
        return array

    return _relabelled(scan, leaked, f"label of {level} leaks into {into}")


def add_island(
    scan: PhantomScan,
    level: Level,
    *,
    away_mm: Vector = (50.0, 10.0, 0.0),
    radius_mm: float = 6.0,
) -> PhantomScan:
    """Put a stray ball of a level's label ``away_mm`` from the centre of its body.

    Raises
    ------
    ConfigError
        The ball lies outside the field of view.
    """
    centre = np.array(scan.phantom.vertebra(level).frame.origin_mm) + np.array(away_mm)

    def stranded(labels: LabelVolume, scheme_id: str) -> NDArray[np.uint8]:
        ball = _ball(labels, centre, radius_mm)
        if not ball.any():
            raise ConfigError("island outside the field of view", where="away_mm", found=away_mm)
        array = labels.array.astype(np.uint8)
        array[ball & (array == 0)] = label_of(scheme_id, level)
        return array

    return _relabelled(scan, stranded, f"stray island of {level}")


def _ball(labels: LabelVolume, centre_mm: NDArray[np.float64], radius_mm: float) -> Mask:
    """Voxels whose centres lie within a radius of a point."""
    middle = labels.geometry.to_index(centre_mm)
    reach = radius_mm / np.array(labels.geometry.spacing_mm) + 2
    low = np.maximum(np.floor(middle - reach).astype(int), 0)
    high = np.minimum(np.ceil(middle + reach).astype(int), labels.array.shape)
    ball = np.zeros(labels.array.shape, dtype=np.bool_)
    box = tuple(slice(int(a), int(max(a, b))) for a, b in zip(low, high, strict=True))
    index = np.moveaxis(np.indices(ball[box].shape), 0, -1) + low
    away = labels.geometry.to_patient(index) - centre_mm
    ball[box] = (away * away).sum(axis=-1) <= radius_mm**2
    return ball


def _relabelled(scan: PhantomScan, change: Relabel, defect: str) -> PhantomScan:
    """Apply a change of labels to vertebrae and bodies, and note it in the truth."""
    return replace(
        scan,
        vertebrae=replace(scan.vertebrae, array=change(scan.vertebrae, VERTEBRAE_SCHEME)),
        bodies=replace(scan.bodies, array=change(scan.bodies, BODIES_SCHEME)),
        truth=scan.truth.model_copy(update={"defects": (*scan.truth.defects, defect)}),
    )


def cut_field_of_view(
    scan: PhantomScan, level: Level, *, missing: Literal["above", "below"] = "above"
) -> PhantomScan:
    """End the field of view in the middle of a level's body; the rest on that side is missing."""
    geometry = scan.ct.geometry
    axis = geometry.slice_axis
    centre = np.array(scan.phantom.vertebra(level).frame.origin_mm)
    at = int(np.clip(np.rint(geometry.to_index(centre)[axis]), 0, geometry.shape[axis] - 1))
    grows_up = geometry.affine[2, axis] > 0
    kept = slice(0, at + 1) if grows_up == (missing == "above") else slice(at, geometry.shape[axis])
    a, b, c = (kept if n == axis else slice(0, s) for n, s in enumerate(geometry.shape))
    return _cropped(scan, (a, b, c), f"field of view ends in {level}, all {missing} it is missing")


def _cropped(scan: PhantomScan, box: Box, defect: str) -> PhantomScan:
    """Crop all volumes and say anew which levels are whole."""
    ct = scan.ct.cropped(box)
    levels = tuple(
        truth.model_copy(
            update={"is_whole": is_inside(scan.phantom.vertebra(truth.level), ct.geometry)}
        )
        for truth in scan.truth.levels
    )
    update = {"levels": levels, "defects": (*scan.truth.defects, defect)}
    return replace(
        scan,
        ct=replace(ct, array=np.ascontiguousarray(ct.array)),
        vertebrae=scan.vertebrae.cropped(box),
        bodies=scan.bodies.cropped(box),
        body_and_discs=scan.body_and_discs.cropped(box),
        truth=scan.truth.model_copy(update=update),
    )
