"""Faults of the image move what they say and leave the rest."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from osteoct.anatomy import Level
from osteoct.phantom.faults.images import (
    add_noise,
    change_voltage,
    give_contrast,
    lift_fat,
    scale_hu,
    sharpen,
    vessel_mask,
)
from osteoct.phantom.faults.synthetic import CORE_HU, image_masks
from osteoct.records import Phase

L3 = Level.L3


def test_noise_has_the_sd_that_was_ordered(clean):
    """Four times 12 HU: what is added has 12·√15 HU."""
    added = add_noise(clean, 4.0).ct.hu() - clean.ct.hu()
    assert added.std() == pytest.approx(12 * np.sqrt(15), rel=0.01)


def test_contrast_raises_vessels_by_its_value(clean):
    """And says what the header is to say."""
    faulty = give_contrast(clean, 150.0, Phase.ARTERIAL)
    inside = vessel_mask(clean)
    assert inside.sum() > 1000
    assert (faulty.ct.hu() - clean.ct.hu())[inside].mean() == pytest.approx(150, abs=1)
    assert faulty.ct.acquisition.phase is Phase.ARTERIAL
    assert give_contrast(clean, 150.0, None).ct.acquisition.phase is None


def test_voltage_moves_bone_and_no_soft_tissue(clean):
    """100 kVp raises mineral; what is far from bone stays."""
    faulty = change_voltage(clean, 100.0, is_told=True)
    core = clean.mask(L3)
    assert faulty.ct.hu()[core].mean() > clean.ct.hu()[core].mean()
    assert np.array_equal(faulty.ct.array[:20], clean.ct.array[:20])
    assert faulty.ct.acquisition.kvp == 100.0
    assert change_voltage(clean, 100.0, is_told=False).ct.acquisition.kvp is None


def test_scales_are_linear(clean):
    """Slope and intercept, as a wrong header gives them."""
    faulty = scale_hu(clean, 0.5, 10.0)
    np.testing.assert_allclose(faulty.ct.hu(), clean.ct.hu() * 0.5 + 10, atol=0.51)


def test_lifted_fat_leaves_air_and_bone(clean):
    """The scale is bent between air and water alone."""
    moved = lift_fat(clean, 60.0).ct.hu() - clean.ct.hu()
    hu = clean.ct.hu()
    assert np.abs(moved[(hu < -900) | (hu > 60)]).max() <= 1
    assert moved[(hu > -120) & (hu < -80)].mean() == pytest.approx(60, abs=1)


def test_a_bone_kernel_sharpens_under_its_own_or_another_name(clean):
    """Noise in a calm place grows; the name tells, or does not."""
    told = sharpen(clean, 2.0, kernel="BONE")
    assert told.ct.acquisition.kernel_class == "sharp"
    assert sharpen(clean, 2.0, kernel=None).ct.acquisition == clean.ct.acquisition
    assert told.ct.hu()[clean.mask(L3)].std() > clean.ct.hu()[clean.mask(L3)].std()


def test_a_synthetic_image_has_bone_where_its_masks_are(clean):
    """Deep inside it has the core's HU, far away air."""
    image = image_masks(clean.vertebrae, noise_sd_hu=0.0)
    bone = clean.vertebrae.array > 0
    depth = ndi.distance_transform_edt(bone, sampling=clean.ct.geometry.spacing_mm)
    assert np.abs(image.hu()[depth > 6] - CORE_HU).max() <= 1
    away = ndi.distance_transform_edt(~bone, sampling=clean.ct.geometry.spacing_mm)
    assert image.hu()[away > 50].max() < -900
