"""Clean variations are clean, differ in everything, and are the same for ever."""

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR
from osteoct.phantom.faults.variations import (
    CORE_HU,
    ORIENTATIONS,
    SIZES,
    SLICES_MM,
    make_variation,
    resized,
    vary,
)

NUMBERS = range(200)


def test_two_hundred_numbers_meet_every_choice():
    """All 48 orientations, all slices, sizes and densities."""
    made = [vary(n) for n in NUMBERS]
    assert {v.orientation for v in made} == set(ORIENTATIONS)
    assert len(ORIENTATIONS) == 48
    assert {v.slice_mm for v in made} == set(SLICES_MM)
    assert {v.size for v in made} == set(SIZES)
    assert {v.core_hu for v in made} == set(CORE_HU)
    assert {v.has_body_masks for v in made} == {True, False}
    assert made == [vary(n) for n in NUMBERS]


def test_a_variation_is_whole_and_lies_as_ordered():
    """A coarse one: all five levels, none cut by the border, in its orientation."""
    variation = replace(vary(3), slice_mm=4.0, pixel_mm=1.2, orientation="PIR", size=1.15)
    made = make_variation(variation)
    assert made.ct.geometry.axis_codes == "PIR"
    assert made.ct.geometry.voxel_volume_mm3 == pytest.approx(1.2 * 1.2 * 4.0, rel=1e-6)
    labels = {s.level: n for n, s in made.vertebrae.structures.items()}
    for level in LUMBAR:
        mask = made.vertebrae.array == labels[level]
        assert mask.any()
        for axis in range(3):
            lanes = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
            assert lanes[0] > 0
            assert lanes[-1] < mask.shape[axis] - 1


def test_resizing_scales_lengths_and_no_values():
    """A larger patient has the same HU."""
    made = make_variation(replace(vary(3), slice_mm=4.0, pixel_mm=1.2))
    larger = resized(made.ct, 1.1)
    assert larger.geometry.voxel_volume_mm3 == pytest.approx(
        made.ct.geometry.voxel_volume_mm3 * 1.1**3
    )
    assert np.array_equal(larger.array, made.ct.array)
