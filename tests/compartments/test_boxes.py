"""Boxes must be right whatever the memory order of the array."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from osteoct.compartments.boxes import is_cut_by_border, label_boxes
from osteoct.geometry import Geometry
from osteoct.volume import LabelVolume


def labels_of(array: np.ndarray) -> LabelVolume:
    return LabelVolume(
        array=array, geometry=Geometry.from_spacing(array.shape, (1, 1, 1)), structures={}
    )


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_boxes_in_every_memory_order(axes):
    """Boxes come back in the order of the axes although the pass follows memory."""
    array = np.zeros((5, 6, 7), dtype=np.uint16)
    array[1:3, 2:5, 3:4] = 300
    stored = np.ascontiguousarray(array.transpose(axes)).transpose(np.argsort(axes))
    assert label_boxes(labels_of(stored)) == {300: (slice(1, 3), slice(2, 5), slice(3, 4))}
    flipped = label_boxes(labels_of(stored[::-1]))
    assert flipped == {300: (slice(2, 4), slice(2, 5), slice(3, 4))}


def test_border_faces():
    """Every face counts, and a box one voxel away from it does not."""
    shape = (10, 10, 10)
    assert is_cut_by_border((slice(1, 9), slice(1, 9), slice(1, 9)), shape) == ()
    assert is_cut_by_border((slice(0, 9), slice(1, 9), slice(1, 10)), shape) == ("low 0", "high 2")


def test_boxes_of_several_labels_and_of_none():
    """What is not labelled is left out before looking, and must not move or lose a box."""
    array = np.zeros((9, 8, 7), dtype=np.int16)
    assert label_boxes(labels_of(array)) == {}
    array[8, 7, 6], array[0, 3, 2], array[4, 4, 4] = 1, 5, -2
    assert label_boxes(labels_of(array)) == {
        1: (slice(8, 9), slice(7, 8), slice(6, 7)),
        5: (slice(0, 1), slice(3, 4), slice(2, 3)),
    }
