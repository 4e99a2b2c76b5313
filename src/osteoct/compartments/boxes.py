"""Bounding boxes of labels, found in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.geometry import Box
from osteoct.volume import LabelVolume

_KNOWN: WeakKeyDictionary[LabelVolume, Mapping[int, Box]] = WeakKeyDictionary()
"""Boxes of volumes that are still in use: many checks ask for them, and the pass is the dearest
thing in measuring. Volumes are never changed in place."""


def label_boxes(labels: LabelVolume) -> Mapping[int, Box]:
    """Return the tightest box around every label that occurs, in index order of the array.

    A volume is gone through once, however many ask.
    """
    known = _KNOWN.get(labels)
    if known is None:
        known = _KNOWN[labels] = MappingProxyType(_find_boxes(labels))
    return known


def _find_boxes(labels: LabelVolume) -> dict[int, Box]:
    """Go through a volume.

    The pass runs over the array in its own memory order, which is eight times faster than crossing
    it, and the boxes are put back into the order of the axes. Most of a CT is not labelled, and is
    left out first.
    """
    order = np.argsort([-abs(s) for s in labels.array.strides], kind="stable")
    back = np.argsort(order)
    array = labels.array.transpose(order)
    used = _labelled_part(array)
    if used is None:
        return {}
    boxes = ndi.find_objects(array[used])
    found = {}
    for label, box in enumerate(boxes, start=1):
        if box is not None:
            moved = [
                slice(s.start + u.start, s.stop + u.start) for s, u in zip(box, used, strict=True)
            ]
            found[label] = (moved[back[0]], moved[back[1]], moved[back[2]])
    return found


def _labelled_part(array: NDArray[np.generic]) -> Box | None:
    """The tightest box around everything above 0; ``None`` without any.

    Two passes of a maximum, which is several times faster than finding labels.
    """
    if not array.size:
        return None
    first = np.flatnonzero(array.max(axis=(1, 2)) > 0)
    if not len(first):
        return None
    rows = slice(int(first[0]), int(first[-1]) + 1)
    flat = array[rows].max(axis=0) > 0
    second, third = (np.flatnonzero(flat.any(axis=axis)) for axis in (1, 0))
    return (
        rows,
        slice(int(second[0]), int(second[-1]) + 1),
        slice(int(third[0]), int(third[-1]) + 1),
    )


def is_cut_by_border(box: Box, shape: tuple[int, int, int]) -> tuple[str, ...]:
    """Name the faces of the grid that a box touches, as ``low 0``, ``high 2`` … (axis numbers)."""
    faces = []
    for axis, (s, n) in enumerate(zip(box, shape, strict=True)):
        if s.start <= 0:
            faces.append(f"low {axis}")
        if s.stop >= n:
            faces.append(f"high {axis}")
    return tuple(faces)
