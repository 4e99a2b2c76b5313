"""Faults of outlines in millimetres, compared with places and counts."""

import numpy as np
import pytest
from scipy import ndimage as ndi

from osteoct.anatomy import Level
from osteoct.phantom.faults.outlines import (
    add_hole,
    add_stray,
    ball_at,
    coarsen_masks,
    eat_level,
    flip_masks_head_feet,
    grow_masks,
    mirror_masks,
    shift_bodies,
    shift_masks,
    shrink_masks,
    turn_levels,
)
from osteoct.phantom.faults.views import (
    cut_above,
    cut_right,
    flip_ct,
    flip_everything,
    pad_side,
    stretch,
)

L1, L3 = Level.L1, Level.L3


@pytest.mark.parametrize("offset_mm", [(3.0, 0, 0), (0, -3.0, 0), (0, 0, 3.0)])
def test_a_shift_moves_every_centre_by_its_offset(clean, offset_mm):
    """3 mm are whole voxels on this grid."""
    moved = shift_masks(clean, offset_mm).centre_mm(L3) - clean.centre_mm(L3)
    np.testing.assert_allclose(moved, offset_mm, atol=1e-6)
    assert np.array_equal(shift_masks(clean, offset_mm).ct.array, clean.ct.array)


def test_bodies_move_alone(clean):
    """The vertebrae stay."""
    moved = shift_bodies(clean, (0, -6.0, 0))
    assert np.array_equal(moved.vertebrae.array, clean.vertebrae.array)
    assert not np.array_equal(moved.bodies.array, clean.bodies.array)


def test_mirrored_and_turned_masks_keep_their_size(clean):
    """A mirror moves voxels, and loses none inside the image."""
    for faulty in (mirror_masks(clean, beside_mm=4.0), turn_levels(clean, (L3,))):
        assert faulty.mask(L3).sum() == pytest.approx(clean.mask(L3).sum(), rel=0.01)
    upside_down = flip_masks_head_feet(clean)
    assert upside_down.centre_mm(L1)[2] < upside_down.centre_mm(L3)[2]


def test_growing_and_shrinking_are_depths_in_mm(clean):
    """Counted against a distance transform of the whole label map."""
    bone, spacing = clean.vertebrae.array > 0, clean.ct.geometry.spacing_mm
    away = ndi.distance_transform_edt(~bone, sampling=spacing)
    grown = grow_masks(clean, 3.0).vertebrae.array > 0
    assert np.array_equal(grown, away <= 3.0)
    depth = ndi.distance_transform_edt(bone, sampling=spacing)
    shrunk = shrink_masks(clean, 2.5).vertebrae.array > 0
    assert np.array_equal(shrunk, depth > 2.5)


def test_a_hole_and_an_island_are_balls_of_their_radius(clean):
    """Volumes within a tenth of 4/3 π r³."""
    ball = 4 / 3 * np.pi * 9.0**3
    voxel = clean.ct.geometry.voxel_volume_mm3
    hole = (clean.mask(L3).sum() - add_hole(clean, L3, radius_mm=9.0).mask(L3).sum()) * voxel
    stray = (add_stray(clean, L3, radius_mm=9.0).mask(L3).sum() - clean.mask(L3).sum()) * voxel
    assert hole == pytest.approx(ball, rel=0.1)
    assert stray == pytest.approx(ball, rel=0.1)
    assert ndi.label(add_stray(clean, L3, radius_mm=9.0).mask(L3))[1] == 2


def test_a_ball_lies_where_its_centre_is(clean):
    """Index and millimetres are not mixed up."""
    centre = clean.centre_mm(L3)
    index = np.argwhere(ball_at(clean.ct.geometry, centre, 6.0))
    found = clean.ct.geometry.to_patient(index.mean(axis=0))
    np.testing.assert_allclose(found, centre, atol=0.8)


def test_eaten_is_the_lower_share(clean):
    """Exactly, and from below."""
    eaten = eat_level(clean, L3, share=0.3)
    assert eaten.mask(L3).sum() == clean.mask(L3).sum() - round(0.3 * clean.mask(L3).sum())
    assert eaten.centre_mm(L3)[2] > clean.centre_mm(L3)[2]


def test_coarse_masks_are_constant_in_cells(clean):
    """Cells of four voxels hold one label each."""
    array = coarsen_masks(clean, 4).vertebrae.array[:240, :240, :160]
    cells = array.reshape(60, 4, 60, 4, 40, 4)
    assert np.array_equal(cells.min(axis=(1, 3, 5)), cells.max(axis=(1, 3, 5)))


def test_a_cut_takes_its_share_of_slices_and_touches_the_face(clean):
    """Half of L1 above the field of view."""

    def slices(subject):
        return int(subject.mask(L1).any(axis=(0, 1)).sum())

    cut = cut_above(clean, L1, share=0.5)
    assert slices(cut) == slices(clean) - round(0.5 * slices(clean))
    assert cut.mask(L1)[:, :, -1].any()
    assert cut_right(clean, L3, share=0.2).mask(L3)[-1].any()


def test_flips_of_the_image_and_of_everything(clean):
    """Under its masks, or with them."""
    flipped = flip_ct(clean, 1)
    assert np.array_equal(flipped.ct.array, clean.ct.array[:, ::-1])
    assert np.array_equal(flipped.vertebrae.array, clean.vertebrae.array)
    both = flip_everything(clean, 1)
    assert np.array_equal(both.vertebrae.array, clean.vertebrae.array[:, ::-1])


def test_padding_covers_its_share_and_is_declared_or_not(clean):
    """At least the share asked for; the file says what it means, or does not."""
    told = pad_side(clean, L3, share=0.05, is_declared=True)
    lost = (told.ct.array[told.mask(L3)] == told.ct.padding_hu).mean()
    assert lost >= 0.05
    untold = pad_side(clean, L3, share=0.05, is_declared=False)
    assert untold.ct.padding_hu == clean.ct.padding_hu
    assert (untold.ct.array == -1024).any()


def test_stretching_changes_the_slice_distance_and_nothing_else(clean):
    """The voxels stay; image and masks keep one grid."""
    longer = stretch(clean, 1.5)
    x, y, z = clean.ct.geometry.spacing_mm
    assert longer.ct.geometry.spacing_mm == pytest.approx((x, y, 1.5 * z))
    assert longer.vertebrae.geometry.is_same_grid(longer.ct.geometry)
    assert longer.ct.array is clean.ct.array
