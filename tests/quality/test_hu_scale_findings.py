"""The HU scale against air, fat, muscle and blood."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.geometry import Geometry
from osteoct.measure.tissues import TissueHu, TissueHus
from osteoct.quality.hu_scale import (
    LEAST_PEAK_SHARE,
    RANGES_HU,
    Reference,
    check_hu_ranges,
    find_references,
)
from osteoct.records import Acquisition, Phase, Severity
from osteoct.volume import CTVolume

NATIVE = Acquisition(phase=Phase.NATIVE)


def tissues(**hu: float) -> TissueHus:
    return TissueHus(
        found={
            name: TissueHu(name=name, points=99, median_hu=value, sd_hu=10, centre_mm=(0, 0, 0))
            for name, value in hu.items()
        }
    )


def image(slope: float = 1.0, shift: float = 0.0, fat: float = 0.2, air: float = 0.3) -> CTVolume:
    """Air, fat and soft tissue with 15 HU of noise, on a scale that may be wrong."""
    rng = np.random.default_rng(0)
    kinds = rng.random((60, 60, 30))
    hu = np.where(kinds < air, -1000.0, np.where(kinds < air + fat, -100.0, 50.0))
    hu = (hu + rng.normal(0, 15, hu.shape)) * slope + shift
    grid = Geometry.from_spacing(hu.shape, (1, 1, 2))
    return CTVolume(array=np.rint(hu).astype(np.int16), geometry=grid)


def blank() -> CTVolume:
    grid = Geometry.from_spacing((20, 20, 20), (1, 1, 1))
    return CTVolume(array=np.full((20, 20, 20), 50, np.int16), geometry=grid)


@pytest.mark.parametrize("name", RANGES_HU)
def test_the_ends_belong_to_the_range(name):
    """Exactly at an end is right, a hundredth beyond is off."""
    low, high = RANGES_HU[name]
    assert not Reference(name=name, hu=low).is_off
    assert not Reference(name=name, hu=high).is_off
    assert Reference(name=name, hu=low - 0.01).is_off
    assert Reference(name=name, hu=high + 0.01).is_off


def test_peaks_of_air_and_fat_are_found():
    """Within 3 HU of the truth under noise, in any orientation, without labels."""
    ct = image()
    for turned in (ct, ct.reoriented("PIR")):
        found = {r.name: r.hu for r in find_references(turned, TissueHus(), NATIVE)}
        assert found == pytest.approx({"air": -1000, "fat": -100}, abs=3)
        assert check_hu_ranges(turned, TissueHus(), NATIVE) == ()


def test_an_image_without_air_or_fat_has_no_such_reference():
    """No peak is made up of the slope of muscle or of a few voxels."""
    assert find_references(image(fat=0.0, air=0.0), TissueHus(), NATIVE) == ()
    scarce = find_references(image(fat=LEAST_PEAK_SHARE / 2, air=0.0), TissueHus(), NATIVE)
    assert scarce == ()
    assert find_references(blank(), TissueHus(), NATIVE) == ()


def test_one_off_warns_and_two_block():
    """Fat alone may be brown or wet; fat and air together are the scale."""
    (one,) = check_hu_ranges(blank(), tissues(iliopsoas_left=90.0, aorta=40.0), NATIVE)
    assert (one.code, one.severity) == ("hu-scale-off", Severity.WARNING)
    assert one.evidence["muscle_hu"] == 90.0
    assert one.evidence["muscle_high_hu"] == 65.0
    (two,) = check_hu_ranges(blank(), tissues(iliopsoas_left=90.0, aorta=-30.0), NATIVE)
    assert two.severity is Severity.BLOCKING


@pytest.mark.parametrize(
    ("slope", "shift", "severity"),
    [
        (1.0, 40.0, Severity.BLOCKING),
        (1.0, -40.0, Severity.BLOCKING),
        (0.6, 0.0, Severity.WARNING),
        (0.94, -35.0, Severity.WARNING),
    ],
)
def test_a_wrong_scale_is_seen(slope, shift, severity):
    """An offset moves both references out; of a slope one remains in its range, or is not found."""
    (finding,) = check_hu_ranges(image(slope, shift), TissueHus(), NATIVE)
    assert finding.severity is severity


@pytest.mark.parametrize(
    ("stated", "pixels", "counts"),
    [
        (Phase.NATIVE, None, True),
        (None, Phase.NATIVE, True),
        (None, None, True),
        (Phase.CONTRAST, None, False),
        (None, Phase.ARTERIAL, False),
        (Phase.NATIVE, Phase.PORTAL_VENOUS, False),
    ],
)
def test_blood_counts_only_without_contrast(stated, pixels, counts):
    """Neither header nor pixels may know of contrast."""
    acquisition = Acquisition(phase=stated, phase_pixels=pixels)
    found = find_references(blank(), tissues(aorta=-40.0), acquisition)
    assert [r.name for r in found] == (["blood"] if counts else [])


def test_the_psoas_comes_before_the_muscles_of_the_back():
    """With age the back's muscles turn to fat: they speak only where the psoas is not there."""
    both = tissues(iliopsoas_right=50.0, autochthon_left=-20.0)
    assert check_hu_ranges(blank(), both, NATIVE) == ()
    assert check_hu_ranges(blank(), tissues(autochthon_left=-20.0), NATIVE)


def test_padding_is_no_air():
    """Declared padding of -990 would pull the peak of air to itself."""
    ct = image()
    array = ct.array.copy()
    array[:, :, :10] = -940
    padded = CTVolume(array=array, geometry=ct.geometry, padding_hu=-940.0)
    assert check_hu_ranges(padded, TissueHus(), NATIVE) == ()
    assert check_hu_ranges(CTVolume(array=array, geometry=ct.geometry), TissueHus(), NATIVE)
