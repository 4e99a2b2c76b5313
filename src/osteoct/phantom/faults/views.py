"""Faults of what is seen: fields of view that cut vertebrae, images flipped, padding."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from osteoct.anatomy import Level
from osteoct.geometry import Box, Geometry
from osteoct.phantom.faults.subject import Subject, farthest_share
from osteoct.volume import Mask, Volume

SomeVolume = TypeVar("SomeVolume", bound=Volume)

PADDING_HU = -2000
"""What scanners write outside the reconstructed circle."""

AIR_HU = -1024


def cut_above(subject: Subject, level: Level, *, share: float) -> Subject:
    """End the field of view such that the upper share of a level's slices is missing."""
    lanes = _extent(subject.mask(level), 2)
    return subject.cropped(_kept(subject, 2, slice(0, lanes[1] - round(share * _length(lanes)))))


def cut_below(subject: Subject, level: Level, *, share: float) -> Subject:
    """End the field of view such that the lower share of a level's slices is missing."""
    lanes = _extent(subject.mask(level), 2)
    start = lanes[0] + round(share * _length(lanes))
    return subject.cropped(_kept(subject, 2, slice(start, subject.ct.array.shape[2])))


def cut_right(subject: Subject, level: Level, *, share: float) -> Subject:
    """End the field of view such that the right-hand share of a level's width is missing."""
    lanes = _extent(subject.mask(level), 0)
    return subject.cropped(_kept(subject, 0, slice(0, lanes[1] - round(share * _length(lanes)))))


def _extent(mask: Mask, axis: int) -> tuple[int, int]:
    """First and one past the last index of a mask along an axis."""
    lanes = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
    return int(lanes[0]), int(lanes[-1]) + 1


def _length(lanes: tuple[int, int]) -> int:
    """How many slices an extent has."""
    return lanes[1] - lanes[0]


def _kept(subject: Subject, axis: int, lanes: slice) -> Box:
    """The box that keeps some slices of one axis and all of the others."""
    a, b, c = (
        lanes if n == axis else slice(0, size) for n, size in enumerate(subject.ct.array.shape)
    )
    return a, b, c


def flip_ct(subject: Subject, axis: int) -> Subject:
    """Flip the image under its masks, as a program that lost the orientation does."""
    flipped = np.ascontiguousarray(np.flip(subject.ct.array, axis=axis))
    return replace(subject, ct=replace(subject.ct, array=flipped))


def flip_everything(subject: Subject, axis: int) -> Subject:
    """Flip image, masks and tissues alike: the header says the wrong side."""
    tissues = subject.tissues
    bodies = subject.bodies
    turned = None
    if tissues is not None:
        turned = replace(tissues, array=np.ascontiguousarray(np.flip(tissues.array, axis=axis)))
    return replace(
        flip_ct(subject, axis).with_labels(
            np.ascontiguousarray(np.flip(subject.vertebrae.array, axis=axis)),
            None if bodies is None else np.ascontiguousarray(np.flip(bodies.array, axis=axis)),
        ),
        tissues=turned,
    )


def stretch(subject: Subject, factor: float) -> Subject:
    """Write another slice distance into the headers of image, masks and tissues."""

    def stretched(volume: SomeVolume) -> SomeVolume:
        scale = np.diag([1.0, 1.0, factor, 1.0])
        grid = Geometry(shape=volume.geometry.shape, affine=scale @ volume.geometry.affine)
        return replace(volume, geometry=grid)

    return Subject(
        ct=stretched(subject.ct),
        vertebrae=stretched(subject.vertebrae),
        bodies=None if subject.bodies is None else stretched(subject.bodies),
        tissues=None if subject.tissues is None else stretched(subject.tissues),
    )


def pad_side(subject: Subject, level: Level, *, share: float, is_declared: bool) -> Subject:
    """Lose the image beyond a sagittal plane, over the right-hand share of a level's voxels.

    Parameters
    ----------
    is_declared
        Whether the file says which value marks what was never measured; otherwise it is air.
    """
    right = np.array([1.0, 0.0, 0.0])
    lost = farthest_share(subject, subject.mask(level), right, share)
    if not lost.any():
        return subject
    first = int(np.flatnonzero(lost.any(axis=(1, 2)))[0])
    array = subject.ct.array.copy()
    array[first:] = PADDING_HU if is_declared else AIR_HU
    padding = float(PADDING_HU) if is_declared else subject.ct.padding_hu
    return replace(subject, ct=replace(subject.ct, array=array, padding_hu=padding))
