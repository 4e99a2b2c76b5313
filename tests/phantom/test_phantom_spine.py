"""The anatomy that other tests take for granted."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from osteoct.anatomy import LUMBAR, Level
from osteoct.errors import ConfigError
from osteoct.geometry import grown
from osteoct.phantom.acquisition import scan
from osteoct.phantom.masks import sacrum_label
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.shapes import measure_volume_mm3
from osteoct.phantom.spine import LORDOSIS_DEG, BoneMake, lumbar_spine, single_vertebra

COARSE = Scanner(pixel_mm=1.2, slice_mm=1.2, fine_step_mm=0.5)


@pytest.fixture(scope="module")
def spine():
    """One scan for all looks at the anatomy."""
    return scan(lumbar_spine(), COARSE)


@pytest.mark.parametrize("level", LUMBAR)
def test_sizes_are_those_of_adults(level):
    """Depth protocols and volume checks are tuned to real sizes."""
    vertebra = single_vertebra(level).vertebrae[0]
    assert 50 < vertebra.volume_mm3 / 1000 < 70
    assert 30 < vertebra.body.volume_mm3 / 1000 < 45


def test_vertebra_volume_keeps_its_stated_error():
    """The volume of the whole vertebra has no closed form: halve the cells and compare."""
    vertebra = single_vertebra().vertebrae[0]
    assert measure_volume_mm3(vertebra.shape, 0.2) == pytest.approx(vertebra.volume_mm3, rel=1e-3)


def test_vertebra_volume_equals_a_voxel_count():
    """The mask and the truth speak of the same shape."""
    made = scan(single_vertebra(tilt_deg=12), Scanner(pixel_mm=0.5, slice_mm=0.5))
    counted = (made.vertebrae.array > 0).sum() * made.ct.geometry.voxel_volume_mm3 / 1000
    assert counted == pytest.approx(made.truth.levels[0].vertebra_volume_cm3, rel=3e-3)


def test_neighbouring_vertebrae_keep_their_distance(spine):
    """Depths and labels of a level must not depend on its neighbour: the gap is above 1.5 mm."""
    labels = spine.vertebrae.array
    for label in np.unique(labels[labels > 0]):
        box = grown(
            ndimage.find_objects((labels == label).astype(np.uint8))[0], (5, 5, 5), labels.shape
        )
        part = labels[box]
        away = ndimage.distance_transform_edt(part != label)
        others = (part > 0) & (part != label)
        # centres of voxels on either side of a gap are one voxel or less farther apart than the gap
        assert away[others].min(initial=5) * 1.2 > 2.7


@pytest.mark.parametrize("level", LUMBAR)
def test_the_foramen_is_enclosed_by_bone_between_the_pedicles(level):
    """The canal is found as the hole of an axial slice; an open ring would hide it."""
    made = scan(single_vertebra(level), COARSE)
    mask = made.vertebrae.array > 0
    geometry = made.ct.geometry
    _, _, k = np.rint(geometry.to_index(np.array([0.0, 0.0, 4.0]))).astype(int)
    hole = ndimage.binary_fill_holes(mask[:, :, k]) & ~mask[:, :, k]
    canal = geometry.to_index(np.array(made.truth.levels[0].canal_centre_mm))
    i, j, _ = np.rint(canal).astype(int)
    assert hole[i, j]
    assert 0.8 * np.pi * 11 * 7.5 < hole.sum() * 1.2**2 < 1.2 * np.pi * 11 * 7.5


def test_the_body_lies_in_front_of_the_canal_and_inside_the_vertebra():
    """The body mask is cut at the body's own wall: no part of it lies outside the vertebra."""
    made = scan(single_vertebra(), COARSE)
    body, vertebra = made.bodies.array > 0, made.vertebrae.array > 0
    assert not (body & ~vertebra).any()
    y = made.ct.geometry.to_patient(np.argwhere(body))[:, 1]
    assert y.min() > made.truth.levels[0].canal_centre_mm[1]


def test_discs_fill_the_gaps_between_bodies(spine):
    """Walking down the line between two body centres, all is body or disc."""
    truths = [t for t in spine.truth.levels if t.level is not Level.T12]
    both = spine.body_and_discs
    for upper, lower in itertools.pairwise(truths):
        line = np.linspace(upper.centre_mm, lower.centre_mm, 200)
        found = both.array[tuple(np.rint(both.geometry.to_index(line)).astype(int).T)]
        assert set(found) == {1, 2}


def test_discs_and_bodies_share_no_partial_volume_with_muscle():
    """Where a disc meets an end plate, coverage adds up to one: no dark seam, no bright one."""
    bone = BoneMake(shell_mm=1.0, shell_hu=80.0, other_trabecular_hu=80.0, dish_mm=1.0)
    levels = (Level.L3, Level.L4)
    phantom = lumbar_spine(bone, levels=levels, has_t12=False, has_sacrum=False)
    made = scan(phantom, replace(COARSE, field_of_view_mm=(10.0, 20.0, 90.0)))
    upper, lower = made.truth.level(Level.L3), made.truth.level(Level.L4)
    line = np.linspace(upper.centre_mm, lower.centre_mm, 200)
    hu = made.ct.array[tuple(np.rint(made.ct.geometry.to_index(line)).astype(int).T)]
    assert np.abs(hu - 80).max() <= 1


def test_lordosis_and_uniform_tilt():
    """Tilts are those ordered, and the truth tells them without sign."""
    curved = {v.level: v.frame.superior for v in lumbar_spine().vertebrae}
    for level, superior in curved.items():
        assert np.degrees(np.arctan2(superior[1], superior[2])) == pytest.approx(
            LORDOSIS_DEG[level]
        )
    straight = lumbar_spine(tilt_deg=25, has_t12=False, has_sacrum=False)
    assert {v.frame.superior for v in straight.vertebrae} == {straight.vertebrae[0].frame.superior}


def test_neighbours_of_the_lumbar_spine_are_labelled_and_cut(spine):
    """T12 and the sacrum are there, and the field of view ends in them, as in patients."""
    assert (spine.vertebrae.array == 32).any()
    assert (spine.vertebrae.array == sacrum_label()).any()
    assert [t.level for t in spine.truth.levels if not t.is_whole] == [Level.T12]


def test_a_label_for_s1_can_be_ordered():
    """Some segmentations tell S1 from the sacrum."""
    labels = scan(
        lumbar_spine(), Scanner(pixel_mm=2, slice_mm=2, fine_step_mm=1), has_s1=True
    ).vertebrae.array
    assert {25, 26} <= set(np.unique(labels))


def test_a_level_without_a_size_is_refused():
    """A phantom of C3 in lumbar clothes would be a false truth."""
    with pytest.raises(ConfigError, match="no phantom of this level"):
        single_vertebra(Level.C3)
