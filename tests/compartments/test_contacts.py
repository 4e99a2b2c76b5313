"""Distances and contact of labelled bones, to the voxel."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.compartments.boxes import label_boxes
from osteoct.compartments.contacts import contact_area_cm2, distance_to_mm
from osteoct.geometry import Geometry
from osteoct.volume import LabelVolume

SPACING_MM = (1.0, 2.0, 3.0)


def labels_of(array) -> LabelVolume:
    grid = Geometry.from_spacing(array.shape, SPACING_MM)
    return LabelVolume(array=array, geometry=grid, structures={})


@pytest.mark.parametrize(
    ("shift", "mm2"), [((4, 0, 0), 4 * 4 * 6), ((0, 4, 0), 4 * 4 * 3), ((0, 0, 4), 4 * 4 * 2)]
)
def test_area_of_a_shared_face(shift, mm2):
    """Two boxes of four voxels side by side along each axis: sixteen faces, from both sides."""
    array = np.zeros((12, 12, 12), np.uint8)
    a, b, c = shift
    array[2:6, 2:6, 2:6] = 1
    array[2 + a : 6 + a, 2 + b : 6 + b, 2 + c : 6 + c] = 2
    labels = labels_of(array)
    boxes = label_boxes(labels)
    assert contact_area_cm2(labels, 1, [2], boxes[1]) == pytest.approx(mm2 / 100)
    assert contact_area_cm2(labels, 2, [1, 7], boxes[2]) == pytest.approx(mm2 / 100)


def test_what_does_not_touch_has_no_contact():
    """A voxel apart, and at a corner only."""
    array = np.zeros((12, 12, 12), np.uint8)
    array[2:6, 2:6, 2:6], array[7:9, 2:6, 2:6], array[6:7, 6:8, 6:8] = 1, 2, 3
    labels = labels_of(array)
    assert contact_area_cm2(labels, 1, [2, 3], label_boxes(labels)[1]) == 0.0


def test_contact_at_the_border_of_the_image():
    """The box cannot be widened there."""
    array = np.zeros((4, 4, 4), np.uint8)
    array[:, :, :2], array[:, :, 2:] = 1, 2
    labels = labels_of(array)
    assert contact_area_cm2(labels, 1, [2], label_boxes(labels)[1]) == pytest.approx(0.32)


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (0.5, 0.5, 1.0), (3.0, 3.0, 5.0)])
def test_distance_to_a_mask(spacing):
    """To the nearest voxel's middle, within the 2 mm on which it is looked up."""
    grid = Geometry.from_spacing((40, 40, 20), spacing)
    mask = np.zeros(grid.shape, dtype=bool)
    mask[20:, :, :] = True
    point = grid.to_patient(np.array([4.0, 16.0, 8.0]))
    assert distance_to_mm(point, mask, grid) == pytest.approx(16 * spacing[0], abs=2.0)


def test_a_mask_between_the_steps_is_found_and_an_empty_one_refused():
    """One voxel that the coarser grid passes over."""
    grid = Geometry.from_spacing((20, 20, 20), (0.5, 0.5, 0.5))
    mask = np.zeros(grid.shape, dtype=bool)
    mask[3, 0, 0] = True
    assert distance_to_mm(np.zeros(3), mask, grid) == pytest.approx(1.5)
    with pytest.raises(ValueError, match="empty mask"):
        distance_to_mm(np.zeros(3), np.zeros_like(mask), grid)
