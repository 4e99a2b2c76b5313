"""Enhanced edges are told by the noise; blur, no blur at all and anatomy are not taken for them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from osteoct.quality.noise import LEAST_PATCHES
from osteoct.quality.sharpness import (
    LEAST_SD_HU,
    SHARP_BELOW,
    Grain,
    check_sharpness,
    is_sharp,
    measure_grain,
)
from osteoct.records import Acquisition, Severity
from osteoct.volume import CTVolume


def slices(*, blur=0.0, gain=0.0, sd_hu=12.0, slope=0.0):
    """Muscle with noise that was blurred, or whose edges were enhanced, over a slope of anatomy."""
    rng = np.random.default_rng(4)
    made = []
    for _ in range(6):
        noise = rng.normal(0, 1, (90, 80))
        if blur:
            noise = ndi.gaussian_filter(noise, blur)
        noise = noise + gain * (noise - ndi.gaussian_filter(noise, 1.2))
        noise *= sd_hu / noise.std()
        made.append((50 + noise + slope * np.arange(80)).astype(np.float32))
    return made


@pytest.mark.parametrize(
    ("correlation", "sd_hu", "fires"),
    [
        (SHARP_BELOW, LEAST_SD_HU, True),
        (SHARP_BELOW + 0.001, LEAST_SD_HU, False),
        (SHARP_BELOW, LEAST_SD_HU - 0.1, False),
        (-0.2, 20.0, True),
    ],
)
def test_limits(correlation, sd_hu, fires):
    """At both limits it is sharp, a little beside either it is not."""
    assert is_sharp(Grain(sd_hu=sd_hu, correlation=correlation)) is fires


@pytest.mark.parametrize("blur", [0.0, 0.5, 1.5])
def test_blurred_and_white_noise_are_not_sharp(blur):
    """White noise has none; a Gaussian of 1.5 voxels exp(-1 / 4 sigma²), in closed form."""
    grain = measure_grain(slices(blur=blur), (1.0, 1.0))
    assert grain is not None
    assert not is_sharp(grain)
    if blur == 0:
        assert grain.correlation == pytest.approx(0, abs=0.02)
    if blur > 1:
        # patches of 8 mm take off some of what is alike
        assert grain.correlation == pytest.approx(np.exp(-1 / (4 * blur**2)), abs=0.12)


@pytest.mark.parametrize("gain", [1.5, 4.0])
def test_enhanced_edges_are_sharp(gain):
    """And a slope of anatomy hides them rather than feigning any."""
    assert is_sharp(measure_grain(slices(gain=gain), (1.0, 1.0)))
    sloping = measure_grain(slices(slope=0.8), (1.0, 1.0))
    assert not is_sharp(sloping)


def test_too_little_soft_tissue_tells_nothing():
    """Nor do slices smaller than a patch, air, or an image without noise."""
    assert measure_grain([np.full((6, 6), 50, np.float32)], (1.0, 1.0)) is None
    assert measure_grain([np.full((90, 80), -1000, np.float32)], (1.0, 1.0)) is None
    assert measure_grain([np.full((90, 80), 50, np.float32)], (1.0, 1.0)) is None
    side = 8 + 4 + int(LEAST_PATCHES**0.5) - 3
    assert measure_grain([p[:side, :side] for p in slices()[:1]], (1.0, 1.0)) is None


def test_the_header_s_word_counts_first(block_column):
    """A named sharp kernel is told already; without levels there is no place to look."""
    ct, _, levels = block_column(noise_hu=12.0)
    smooth = ndi.gaussian_filter(ct.array.astype(float), (1.2, 1.2, 0))
    array = np.rint(ct.array + 2.0 * (ct.array - smooth)).astype(np.int16)
    sharp = CTVolume(array=array, geometry=ct.geometry)
    (found,) = check_sharpness(sharp, levels, Acquisition())
    assert (found.code, found.severity) == ("kernel-by-pixels", Severity.WARNING)
    assert check_sharpness(ct, levels, Acquisition()) == ()
    assert check_sharpness(sharp, levels, Acquisition(kernel_class="sharp")) == ()
    assert check_sharpness(sharp, (), Acquisition()) == ()
