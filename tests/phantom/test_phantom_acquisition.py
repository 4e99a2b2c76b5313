"""Image formation: what must be exact, and what must be conserved."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from osteoct.anatomy import Level
from osteoct.errors import ConfigError
from osteoct.phantom.acquisition import scan
from osteoct.phantom.masks import label_of
from osteoct.phantom.scanner import QUADRATURE_BIAS_HU, QUADRATURE_ERROR_HU, Scanner
from osteoct.phantom.spine import lumbar_spine, single_vertebra

SMALL = Scanner(pixel_mm=1.0, slice_mm=1.5, field_of_view_mm=(70.0, 70.0, 60.0))


@pytest.mark.parametrize("slice_mm", [0.6, 1.5, 5.0])
@pytest.mark.parametrize("tilt_deg", [0.0, 30.0])
def test_hu_deep_in_a_core_is_the_ordered_value_exactly(slice_mm, tilt_deg):
    """Cores are compared with this number; a rounding error of 1 HU would be ours."""
    made = scan(
        single_vertebra(tilt_deg=tilt_deg, trabecular_hu=137),
        replace(SMALL, slice_mm=slice_mm),
    )
    geometry = made.ct.geometry
    spacing = np.array(geometry.spacing_mm)
    core = ndimage.distance_transform_edt(made.bodies.array > 0, sampling=spacing) > 6 + slice_mm
    assert core.sum() > 20
    assert set(made.ct.array[core]) == {137}


@pytest.mark.parametrize("kernel", ["soft", "standard", "sharp"])
@pytest.mark.parametrize("profile", ["box", "smooth-box", "gaussian"])
def test_blur_and_slice_profile_conserve_the_sum(kernel, profile):
    """A kernel moves HU about; it makes none. The whole vertebra lies in the field."""
    phantom = single_vertebra(tilt_deg=11)
    size = tuple(s + 12 for s in phantom.field_mm)
    base = Scanner(pixel_mm=1.0, slice_mm=1.5, field_of_view_mm=size, is_rounded=False)
    ideal = scan(phantom, replace(base, in_plane_fwhm_mm=0.0, slice_profile="box")).ct.array
    found = scan(phantom, replace(base, kernel=kernel, slice_profile=profile)).ct.array
    assert found.mean(dtype=float) == pytest.approx(ideal.mean(dtype=float), abs=0.01)


def test_mean_hu_is_that_of_the_volumes():
    """Sum of HU over the field against volumes in closed form: nothing is lost at the edges."""
    phantom = single_vertebra(shell_hu=500, trabecular_hu=500)
    made = scan(phantom, Scanner(pixel_mm=1.0, slice_mm=1.0, is_rounded=False))
    voxel = made.ct.geometry.voxel_volume_mm3
    above_muscle = (made.ct.array.astype(float) - 50).sum() * voxel
    assert above_muscle == pytest.approx(450 * phantom.vertebrae[0].volume_mm3, rel=2e-3)


@pytest.mark.parametrize("thickness_mm", [1.0, 3.0, 6.0])
def test_slice_thickness_blurs_over_its_own_width(thickness_mm):
    """Thickness and distance are two things: 6 mm slices every 1 mm overlap."""
    phantom = single_vertebra(shell_hu=350, trabecular_hu=350)
    made = scan(
        phantom,
        replace(
            SMALL,
            slice_mm=1.0,
            slice_thickness_mm=thickness_mm,
            slice_profile="box",
            is_rounded=False,
        ),
    )
    i, j, _ = np.rint(made.ct.geometry.to_index(np.zeros(3))).astype(int)
    profile = made.ct.array[i, j]
    edge = (profile > 50.5) & (profile < 349.5)
    # two end plates, each crossed over the thickness, give or take a slice on either side
    assert edge.sum() / 2 == pytest.approx(thickness_mm, abs=1.0)


def test_quadrature_keeps_its_stated_error():
    """A finer quadrature of the same image: no voxel and no mean moves by more than stated."""
    phantom = single_vertebra(tilt_deg=7, shell_mm=0.5)
    order = replace(
        SMALL, field_of_view_mm=(60.0, 20.0, 40.0), offset_mm=(0.13, 0.21, 0.17), is_rounded=False
    )
    coarse = scan(phantom, order).ct.array
    fine = scan(phantom, replace(order, fine_step_mm=0.12)).ct.array
    assert not np.array_equal(coarse, fine)
    assert np.abs(coarse - fine).max() < QUADRATURE_ERROR_HU
    assert abs(float((coarse - fine).mean())) < QUADRATURE_BIAS_HU


@pytest.mark.parametrize("codes", ["LPS", "PIR", "SLA"])
def test_orientation_changes_the_layout_and_nothing_else(codes):
    """The same HU and labels at the same patient coordinates, noise included."""
    order = replace(SMALL, noise_sd_hu=10.0)
    plain = scan(single_vertebra(), order)
    turned = scan(single_vertebra(), replace(order, axis_codes=codes))
    assert turned.ct.geometry.axis_codes == codes
    for name in ("ct", "vertebrae", "bodies", "body_and_discs"):
        back = getattr(turned, name).reoriented("RAS")
        assert back.geometry.is_same_grid(getattr(plain, name).geometry)
        np.testing.assert_array_equal(back.array, getattr(plain, name).array)


@pytest.mark.parametrize("fwhm_mm", [0.0, 2.5])
def test_noise_has_the_ordered_sd(fwhm_mm):
    """Correlated noise too: smoothing without scaling would make quiet images."""
    order = Scanner(
        pixel_mm=0.8,
        slice_mm=2.0,
        field_of_view_mm=(150.0, 150.0, 60.0),
        centre_mm=(0.0, 300.0, 0.0),
        noise_sd_hu=15.0,
        noise_fwhm_mm=fwhm_mm,
        is_rounded=False,
    )
    hu = scan(single_vertebra(), order).ct.array
    assert hu.std() == pytest.approx(15, rel=0.02)
    assert hu.mean() == pytest.approx(50, abs=0.5)
    neighbours = np.corrcoef(hu[:-1].ravel(), hu[1:].ravel())[0, 1]
    assert neighbours > 0.5 if fwhm_mm else abs(neighbours) < 0.02


def test_the_seed_decides_the_noise():
    """Runs repeat exactly; another seed is another image."""
    order = replace(SMALL, noise_sd_hu=10.0, seed=3)
    first, second = (scan(single_vertebra(), order).ct.array for _ in range(2))
    np.testing.assert_array_equal(first, second)
    other = scan(single_vertebra(), replace(order, seed=4)).ct.array
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("offset_mm", [-1.0, 1.0])
def test_mask_offset_moves_every_surface_by_as_much(offset_mm):
    """Masks that are wrong by a known distance: the body's height changes by twice that."""
    made = scan(
        single_vertebra(),
        Scanner(pixel_mm=1.0, slice_mm=0.25, field_of_view_mm=(60.0, 60.0, 50.0)),
        mask_offset_mm=offset_mm,
    )
    i, j, _ = np.rint(made.ct.geometry.to_index(np.zeros(3))).astype(int)
    height = made.bodies.array[i, j].astype(bool).sum() * 0.25
    assert height == pytest.approx(27.5 + 2 * offset_mm, abs=0.26)
    assert made.truth.mask_offset_mm == offset_mm


def test_a_mask_offset_beyond_the_reach_is_refused():
    """Depths are known only near the surface: a larger shift would be silently wrong."""
    with pytest.raises(ConfigError, match="too far off"):
        scan(single_vertebra(), SMALL, mask_offset_mm=4.0)


def test_an_image_of_part_of_the_phantom_is_part_of_the_image():
    """What lies outside the field still blurs into it: crop then scan equals scan then crop."""
    whole = Scanner(pixel_mm=1.0, slice_mm=2.0, field_of_view_mm=(80, 80, 60), is_rounded=False)
    part = replace(whole, field_of_view_mm=(30, 30, 20))
    phantom = single_vertebra(tilt_deg=9)
    a, b = scan(phantom, whole).ct, scan(phantom, part).ct
    i, j, k = np.rint(a.geometry.to_index(b.geometry.to_patient(np.zeros(3)))).astype(int)
    np.testing.assert_allclose(a.array[i : i + 30, j : j + 30, k : k + 10], b.array, atol=0.05)


def test_gantry_tilt_shears_the_grid_and_keeps_patient_space():
    """The same phantom met by leaning slices: volumes by voxel count stay the truth's."""
    made = scan(
        single_vertebra(),
        Scanner(
            pixel_mm=1.0, slice_mm=1.0, gantry_tilt_deg=15, field_of_view_mm=(110.0, 130.0, 90.0)
        ),
    )
    assert not made.ct.geometry.is_orthogonal
    counted = (made.bodies.array > 0).sum() * made.ct.geometry.voxel_volume_mm3 / 1000
    assert counted == pytest.approx(made.truth.levels[0].body_volume_cm3, rel=0.01)


def test_labels_are_totalsegmentator_s():
    """Integers of three schemes, as facts of that program."""
    made = scan(lumbar_spine(has_t12=False, has_sacrum=False), Scanner(pixel_mm=2, slice_mm=2))
    assert set(np.unique(made.vertebrae.array)) == {0, 27, 28, 29, 30, 31}
    assert set(np.unique(made.bodies.array)) == {0, 20, 21, 22, 23, 24}
    assert set(np.unique(made.body_and_discs.array)) == {0, 1, 2}
    assert label_of("totalsegmentator-v2", Level.L1) == 31
    assert label_of("totalsegmentator-vertebrae-pp", Level.L1) == 20
