"""Ordered defects do what their name says, and only that."""

import numpy as np
import pytest
from scipy import ndimage

from osteoct.anatomy import Level
from osteoct.errors import ConfigError
from osteoct.phantom.acquisition import scan
from osteoct.phantom.defects import (
    add_island,
    biconcave_fracture,
    cement,
    crush_fracture,
    cut_field_of_view,
    leak_label,
    pedicle_screws,
    remove_level,
    sclerosis,
    swap_labels,
    wedge_fracture,
)
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import lumbar_spine, single_vertebra

COARSE = Scanner(pixel_mm=1.5, slice_mm=1.5, fine_step_mm=0.75)


@pytest.fixture(scope="module")
def healthy():
    """A scan without defects."""
    return scan(lumbar_spine(), COARSE)


@pytest.mark.parametrize(
    ("fracture", "loss", "ratios"),
    [
        (wedge_fracture, 0.3, (0.7, None, 1.0)),
        (biconcave_fracture, 0.3, (1.0, 0.7, 1.0)),
        (crush_fracture, 0.4, (0.6, None, 0.6)),
    ],
)
def test_a_fracture_loses_the_ordered_height(fracture, loss, ratios):
    """Anterior, middle and posterior height against the intact posterior height."""
    before = single_vertebra().vertebrae[0].body
    broken = fracture(single_vertebra(), Level.L3, height_loss=loss)
    body = broken.vertebrae[0].body
    heights = (body.height_anterior_mm, body.height_middle_mm, body.height_posterior_mm)
    for height, ratio in zip(heights, ratios, strict=True):
        if ratio is not None:
            assert height == pytest.approx(ratio * before.height_posterior_mm)
    assert body.volume_mm3 < before.volume_mm3
    assert "fracture L3" in scan(broken, COARSE).truth.defects[0]


@pytest.mark.parametrize("fracture", [wedge_fracture, biconcave_fracture, crush_fracture])
def test_a_broken_level_touches_nothing_else(fracture, healthy):
    """Other levels keep their masks, and no bone stands in a disc."""
    made = scan(fracture(lumbar_spine(), Level.L3, height_loss=0.5), COARSE)
    for label in (27, 28, 30, 31):
        np.testing.assert_array_equal(
            made.vertebrae.array == label, healthy.vertebrae.array == label
        )
    assert not ((made.vertebrae.array > 0) & (made.body_and_discs.array == 2)).any()


@pytest.mark.parametrize("loss", [0.0, 0.9, -0.1])
def test_an_impossible_height_loss_is_refused(loss):
    """No vertebra is left to be measured."""
    with pytest.raises(ConfigError, match="impossible height loss"):
        crush_fracture(single_vertebra(), Level.L3, height_loss=loss)


def test_screws_run_off_the_scale_and_streak(healthy):
    """Clipped at the end of the scale, rays far from the metal, and nothing in other slices."""
    made = scan(pedicle_screws(lumbar_spine(), Level.L3), COARSE)
    metal = made.ct.array >= 3071
    assert metal.any()
    assert made.ct.array.max() == 3071
    changed = made.ct.array != healthy.ct.array
    slices = changed.any(axis=(0, 1))
    assert (slices == metal.any(axis=(0, 1)))[slices].mean() > 0.7
    away = ndimage.distance_transform_edt(~metal) * 1.5
    assert (np.abs(made.ct.array - healthy.ct.array)[away > 15] > 40).any()


def test_cement_and_sclerosis_stay_inside_the_shell():
    """The shell stays as it was; the core is denser."""
    scanner = Scanner(pixel_mm=1.0, slice_mm=1.0)
    before = scan(single_vertebra(), scanner)
    outside = before.vertebrae.array == 0
    for change, least in ((cement, 1500), (sclerosis, 590)):
        after = scan(change(single_vertebra(), Level.L3), scanner)
        np.testing.assert_array_equal(before.vertebrae.array, after.vertebrae.array)
        far = ndimage.distance_transform_edt(outside) > 3
        np.testing.assert_array_equal(before.ct.array[far], after.ct.array[far])
        assert ((after.ct.array >= least) & (before.ct.array < 200)).sum() > 500


def test_a_removed_level_is_gone_from_both_masks(healthy):
    """A segmentation that skipped a level; the truth still has it."""
    made = remove_level(healthy, Level.L3)
    assert not (made.vertebrae.array == 29).any()
    assert not (made.bodies.array == 22).any()
    assert made.truth.level(Level.L3) is not None


def test_swapped_labels_are_exchanged_in_both_masks(healthy):
    """Two levels trade places; all others stay."""
    made = swap_labels(healthy, Level.L2, Level.L3)
    np.testing.assert_array_equal(made.vertebrae.array == 29, healthy.vertebrae.array == 30)
    np.testing.assert_array_equal(made.bodies.array == 21, healthy.bodies.array == 22)
    np.testing.assert_array_equal(made.vertebrae.array == 27, healthy.vertebrae.array == 27)


@pytest.mark.parametrize(("into", "label"), [(Level.L4, 28), (Level.L2, 30)])
def test_a_leak_takes_the_neighbour_s_near_end(healthy, into, label):
    """Voxels change hands, none is made or lost, and they are those that face the leaking level."""
    made = leak_label(healthy, Level.L3, into=into)
    leaked = (made.vertebrae.array == 29) & (healthy.vertebrae.array == label)
    assert leaked.sum() > 500
    assert ((made.vertebrae.array > 0) == (healthy.vertebrae.array > 0)).all()
    z = healthy.ct.geometry.to_patient(np.argwhere(leaked))[:, 2].mean()
    centre = healthy.truth.level(into).centre_mm[2]
    assert (z > centre) == (into is Level.L4)


def test_an_island_is_a_second_piece(healthy):
    """A stray ball of the label, apart from the vertebra."""
    made = add_island(healthy, Level.L2, radius_mm=6.0)
    _, pieces = ndimage.label(made.vertebrae.array == 30)
    assert pieces == 2
    gained = (made.vertebrae.array == 30).sum() - (healthy.vertebrae.array == 30).sum()
    assert gained * 1.5**3 == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.1)
    with pytest.raises(ConfigError, match="outside the field of view"):
        add_island(healthy, Level.L2, away_mm=(500.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("missing", "cut"), [("above", {"T12", "L1", "L2"}), ("below", {"T12", "L2", "L3", "L4", "L5"})]
)
@pytest.mark.parametrize("codes", ["RAS", "LPI", "PIR"])
def test_a_cut_field_of_view_ends_in_the_level(missing, cut, codes):
    """All volumes are cropped alike, in any layout, and the truth says which levels are cut."""
    full = scan(
        lumbar_spine(), Scanner(pixel_mm=3.0, slice_mm=3.0, fine_step_mm=1.5, axis_codes=codes)
    )
    made = cut_field_of_view(full, Level.L2, missing=missing)
    assert {str(t.level) for t in made.truth.levels if not t.is_whole} == cut
    assert made.ct.geometry == made.vertebrae.geometry == made.bodies.geometry
    assert (made.vertebrae.array == 30).any()


def test_defects_add_up():
    """Two defects in one phantom are both told."""
    phantom = wedge_fracture(sclerosis(lumbar_spine(), Level.L2), Level.L4)
    assert len(phantom.defects) == 2
