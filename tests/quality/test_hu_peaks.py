"""Peaks of an image's values: found wherever they lie, and none made up."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.geometry import Geometry
from osteoct.quality.hu_peaks import (
    LEAST_PEAK_SHARE,
    SAMPLE_VOXELS,
    find_value_peaks,
    sample_values,
)
from osteoct.volume import CTVolume


def normal(hu: float, sd_hu: float, count: int) -> np.ndarray:
    return np.random.default_rng(1).normal(hu, sd_hu, count).astype(np.float32)


@pytest.mark.parametrize("hu", [-1000.0, -500.0, 24.0, 924.0])
def test_a_peak_is_found_wherever_it_lies(hu):
    """Within 3 HU: on a wrong scale nothing lies where it should."""
    values = np.concatenate([normal(hu, 15, 20_000), normal(hu + 150, 15, 20_000)])
    found = [peak.hu for peak in find_value_peaks(values)]
    assert found == pytest.approx([hu, hu + 150], abs=3)


def test_a_flat_image_has_no_peak():
    """A slope has none, and no value at all has none."""
    assert find_value_peaks(np.linspace(-1500, 1500, 60_000, dtype=np.float32)) == ()
    assert find_value_peaks(np.empty(0, np.float32)) == ()


def test_share_of_a_peak():
    """Exactly the least share is a peak, one voxel less is not."""
    for missing, is_found in ((0, True), (1, False)):
        values = np.full(10_000, 3000, np.float32)
        values[: round(LEAST_PEAK_SHARE * values.size) - missing] = -999
        assert bool(find_value_peaks(values)) is is_found


@pytest.mark.parametrize(("sd_hu", "is_narrow"), [(25.0, True), (40.0, False)])
def test_width_tells_air_from_lungs(sd_hu, is_narrow):
    """Noise of air is narrow, a lung is wide; 30 HU is the limit."""
    (peak,) = find_value_peaks(normal(-850, sd_hu, 60_000))
    assert peak.is_narrow is is_narrow


def test_the_sample_leaves_out_padding_and_what_is_no_number():
    """A large image is thinned, never by more than a step on each axis."""
    array = np.full((120, 120, 120), -1000.0, np.float32)
    array[0, 0, 0], array[0, 0, 1] = np.nan, -2000
    ct = CTVolume(array=array, geometry=Geometry.from_spacing(array.shape, (1, 1, 1)))
    values = sample_values(ct)
    assert values.min() == -1000
    assert SAMPLE_VOXELS <= values.size + 2 <= 8 * SAMPLE_VOXELS
