"""Metal, its margin and padding are measured nowhere; bone is."""

from __future__ import annotations

import numpy as np

from osteoct.compartments.exclusions import METAL_HU, STREAK_MARGIN_MM, find_excluded
from osteoct.geometry import Geometry
from osteoct.volume import CTVolume

SPACING = (1.0, 1.0, 2.5)


def ct_of(array: np.ndarray, padding_hu: float | None = None) -> CTVolume:
    return CTVolume(
        array=array,
        geometry=Geometry.from_spacing(array.shape, SPACING),
        padding_hu=padding_hu,
    )


def test_the_gate_fires_exactly_above_its_limit():
    """At the limit a voxel is bone, one HU above it is metal."""
    box = (slice(0, 40), slice(0, 40), slice(0, 20))
    array = np.full((40, 40, 20), 200, dtype=np.int16)
    array[20, 20, 10] = METAL_HU
    assert not find_excluded(ct_of(array), box).any()
    array[20, 20, 10] = METAL_HU + 1
    assert find_excluded(ct_of(array), box).any()


def test_the_margin_is_a_ball_in_millimetres():
    """The margin is 10 mm in every direction, not a number of voxels."""
    array = np.zeros((41, 41, 21), dtype=np.int16)
    array[20, 20, 10] = 3000
    excluded = find_excluded(ct_of(array), (slice(0, 41), slice(0, 41), slice(0, 21)))
    i, j, k = np.indices(array.shape)
    distance = np.sqrt((i - 20) ** 2 + (j - 20) ** 2 + (2.5 * (k - 10)) ** 2)
    assert np.array_equal(excluded, distance <= STREAK_MARGIN_MM)


def test_metal_outside_the_box_counts():
    """A screw in the neighbour streaks into this level."""
    array = np.zeros((60, 40, 20), dtype=np.int16)
    array[15, 20, 10] = 3000
    box = (slice(20, 60), slice(0, 40), slice(0, 20))
    excluded = find_excluded(ct_of(array), box)
    assert excluded[:6, 20, 10].all()
    assert not excluded[6:, 20, 10].any()


def test_padding_is_excluded():
    """Voxels that were never measured are not air and not bone."""
    array = np.zeros((10, 10, 10), dtype=np.int16)
    array[:3] = -2000
    box = (slice(2, 10), slice(0, 10), slice(0, 10))
    excluded = find_excluded(ct_of(array, padding_hu=-2000.0), box)
    assert excluded[0].all()
    assert not excluded[1:].any()
    assert not find_excluded(ct_of(array), box).any()
