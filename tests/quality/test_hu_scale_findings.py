"""The HU scale against air, fat, muscle and blood."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.geometry import Geometry
from osteoct.measure.tissues import TissueHu, TissueHus
from osteoct.quality.hu_peaks import LEAST_PEAK_SHARE, Peak
from osteoct.quality.hu_scale import (
    AIR_TO_FAT_HU,
    MOST_FACTOR_ERROR,
    RANGES_HU,
    STORED_SHARE,
    Reference,
    check_hu_ranges,
    estimate_factor,
    find_air_hu,
    find_fat_hu,
    find_references,
    is_factor_off,
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
        (1.0, 100.0, Severity.BLOCKING),
        (1.0, 1024.0, Severity.BLOCKING),
        (0.5, 0.0, Severity.BLOCKING),
        (0.8, 0.0, Severity.BLOCKING),
        (0.94, 0.0, Severity.WARNING),
        (0.94, -35.0, Severity.WARNING),
    ],
)
def test_a_wrong_scale_is_seen(slope, shift, severity):
    """An offset moves both references out, a large factor their distance; a small one only air."""
    (finding,) = check_hu_ranges(image(slope, shift), TissueHus(), NATIVE)
    assert (finding.code, finding.severity) == ("hu-scale-off", severity)


def test_a_factor_is_told_where_it_is_large():
    """Exactly a tenth is believed, a thousandth more is not; without air or fat none is told."""
    air = Reference(name="air", hu=-1000.0)

    def factor(fat_hu: float) -> float | None:
        return estimate_factor([air, Reference(name="fat", hu=fat_hu)])

    share = 1 - MOST_FACTOR_ERROR
    assert not is_factor_off(factor(-1000 + share * AIR_TO_FAT_HU))
    assert is_factor_off(factor(-1000 + (share - 0.001) * AIR_TO_FAT_HU))
    assert not is_factor_off(estimate_factor([air]))


def test_water_in_a_patient_without_fat_does_not_block():
    """Air is right, and a lowest peak near 0 may be fluid: a warning."""
    ct = image()
    array = np.where(np.abs(ct.array + 100) < 75, ct.array + 98, ct.array)
    array = np.where(np.abs(ct.array - 50) < 75, ct.array + 40, array)
    (finding,) = check_hu_ranges(CTVolume(array=array, geometry=ct.geometry), TissueHus(), NATIVE)
    assert finding.severity is Severity.WARNING


def test_share_of_stored_numbers():
    """As much of the image as the limit says blocks, a little less does not."""
    ct = image()
    for share, is_found in ((STORED_SHARE, True), (STORED_SHARE - 0.001, False)):
        array = ct.array.copy().ravel()
        array[: round(share * array.size)] = 900
        stored = CTVolume(array=array.reshape(ct.array.shape), geometry=ct.geometry)
        found = check_hu_ranges(stored, TissueHus(), NATIVE)
        assert [f.severity for f in found] == ([Severity.BLOCKING] if is_found else [])


def test_a_scale_without_any_reference_is_unchecked():
    """Muscle alone, unlabelled, tells nothing: that is said once, here or when reading."""
    ct = image(fat=0.0, air=0.0)
    (finding,) = check_hu_ranges(ct, TissueHus(), NATIVE)
    assert (finding.code, finding.severity) == ("hu-scale-unchecked", Severity.WARNING)
    assert check_hu_ranges(ct, tissues(iliopsoas_left=50.0), NATIVE) == ()
    read = CTVolume(array=ct.array, geometry=ct.geometry, findings=(finding,))
    assert check_hu_ranges(read, TissueHus(), NATIVE) == ()


@pytest.mark.parametrize(
    ("hu", "is_narrow", "found"),
    [
        (-850.0, True, -850.0),
        (-850.0, False, None),
        (-900.0, False, -900.0),
        (-899.0, False, None),
        (-300.0, True, None),
        (-301.0, True, -301.0),
    ],
)
def test_a_lung_is_no_air(hu, is_narrow, found):
    """A wide peak above the place of air is a lung; what is not below -300 HU is neither."""
    peak = Peak(hu=hu, share=0.3, is_narrow=is_narrow)
    muscle = Peak(hu=50.0, share=0.3, is_narrow=True)
    assert find_air_hu([peak, muscle]) == found


@pytest.mark.parametrize(
    ("fat_hu", "above_hu", "share", "found"),
    [
        (-20.0, 30.0, 0.01, -20.0),
        (-19.0, 30.0, 0.5, None),
        (-19.0, 41.0, 0.1, -19.0),
        (-19.0, 41.0, 0.09, None),
        (20.0, 80.0, 0.5, 20.0),
        (21.0, 120.0, 0.5, None),
    ],
)
def test_what_is_taken_for_fat(fat_hu, above_hu, share, found):
    """A peak that is not low enough needs muscle above it, and fluid is never taken for fat."""
    peaks = [
        Peak(hu=fat_hu, share=0.3, is_narrow=True),
        Peak(hu=above_hu, share=share, is_narrow=True),
    ]
    assert find_fat_hu(peaks) == found


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
    """Declared padding of -1100 is not taken for air."""
    ct = image()
    array = ct.array.copy()
    array[:, :, :10] = -1100
    padded = CTVolume(array=array, geometry=ct.geometry, padding_hu=-1100.0)
    assert check_hu_ranges(padded, TissueHus(), NATIVE) == ()
    assert check_hu_ranges(CTVolume(array=array, geometry=ct.geometry), TissueHus(), NATIVE)
