"""Label maps of a phantom: a voxel belongs to a structure when its centre lies inside."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import SCHEMES, Level, Part
from osteoct.errors import ConfigError
from osteoct.phantom.description import Phantom, Vertebra
from osteoct.phantom.lattice import Lattice
from osteoct.phantom.shapes import REACH_MM, Shape

VERTEBRAE_SCHEME = "totalsegmentator-v2"
BODIES_SCHEME = "totalsegmentator-vertebrae-pp"
BODY_AND_DISC_SCHEME = "totalsegmentator-vertebrae-body"

BODY_LABEL, DISC_LABEL = 1, 2
"""Labels of all bodies and all discs in the ``vertebrae_body`` scheme."""

LabelArray = NDArray[np.uint8]


def label_of(scheme_id: str, level: Level) -> int:
    """The integer of a level in a scheme.

    >>> label_of("totalsegmentator-v2", Level.L5)
    27
    """
    structures = SCHEMES[scheme_id].structures
    return next(i for i, s in structures.items() if s.level is level)


def sacrum_label() -> int:
    """The integer of the sacrum among the vertebrae."""
    structures = SCHEMES[VERTEBRAE_SCHEME].structures
    return next(i for i, s in structures.items() if s.part is Part.SACRUM)


def label_vertebrae(
    phantom: Phantom, lattice: Lattice, *, mask_offset_mm: float, has_s1: bool
) -> LabelArray:
    """Whole vertebrae and the sacrum.

    Parameters
    ----------
    mask_offset_mm
        How far the surface of every label lies outside the true one.
    has_s1
        Whether the body of S1 is labelled as a vertebra of its own, apart from the sacrum.
    """
    labels = np.zeros(lattice.shape, dtype=np.uint8)
    if phantom.sacrum is not None:
        _mark(labels, phantom.sacrum.solid.shape, sacrum_label(), lattice, mask_offset_mm)
        if has_s1:
            s1 = label_of(VERTEBRAE_SCHEME, Level.S1)
            _mark(labels, phantom.sacrum.placed_body, s1, lattice, mask_offset_mm)
    for vertebra, label in _labelled(phantom, VERTEBRAE_SCHEME).items():
        _mark(labels, vertebra.shape, label, lattice, mask_offset_mm)
    return labels


def label_bodies(phantom: Phantom, lattice: Lattice, *, mask_offset_mm: float) -> LabelArray:
    """Bodies, one label per level; where the pedicle begins, the body's own wall is the border."""
    labels = np.zeros(lattice.shape, dtype=np.uint8)
    for vertebra, label in _labelled(phantom, BODIES_SCHEME).items():
        _mark(labels, vertebra.placed_body, label, lattice, mask_offset_mm)
    return labels


def label_bodies_and_discs(
    phantom: Phantom, lattice: Lattice, *, mask_offset_mm: float
) -> LabelArray:
    """All bodies in one label, all discs in another; a grown disc gives way to the bodies."""
    labels = np.zeros(lattice.shape, dtype=np.uint8)
    for disc in phantom.discs:
        _mark(labels, disc, DISC_LABEL, lattice, mask_offset_mm)
    for vertebra in phantom.vertebrae:
        _mark(labels, vertebra.placed_body, BODY_LABEL, lattice, mask_offset_mm)
    return labels


def _labelled(phantom: Phantom, scheme_id: str) -> Mapping[Vertebra, int]:
    """Vertebrae with their integers."""
    return {v: label_of(scheme_id, v.level) for v in phantom.vertebrae}


def _mark(labels: LabelArray, shape: Shape, label: int, lattice: Lattice, offset_mm: float) -> None:
    """Write a label wherever a voxel's centre lies inside the moved surface."""
    if abs(offset_mm) >= REACH_MM:
        raise ConfigError(
            "mask surface too far off",
            where="mask_offset_mm",
            found=offset_mm,
            wanted=f"less than {REACH_MM} mm",
        )
    box = lattice.clipped(lattice.box_around(shape.corners_mm(), REACH_MM))
    if box is not None:
        inside = shape.depth_over(lattice.cropped(box)) > -offset_mm
        labels[box][inside] = label
