"""Depth is a distance in mm between boxes, checked against the definition spelled out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from osteoct.compartments.depth import core_of, erode_by_one, tight_box
from osteoct.protocols import Membership

SPACINGS = st.tuples(*[st.sampled_from([0.5, 0.7, 1.0, 2.5, 5.0])] * 3)


def box_distance_by_definition(region: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Least distance from each voxel's box to any box outside, one pair at a time."""
    padded = np.pad(region, 1)
    outside = np.argwhere(~padded) - 1
    depth = np.zeros(region.shape)
    for index in np.argwhere(region):
        gap = np.maximum(np.abs(outside - index) - 1, 0) * np.array(spacing)
        depth[tuple(index)] = np.sqrt((gap**2).sum(axis=1)).min()
    return depth


@given(
    seed=st.integers(0, 2**32 - 1), spacing=SPACINGS, depth=st.sampled_from([0.5, 1.0, 2.1, 4.0])
)
@settings(max_examples=30, deadline=None)
def test_whole_voxels_are_those_whose_box_is_far_from_every_box_outside(seed, spacing, depth):
    """Erosion and bounded distances must equal the definition, on ragged regions too."""
    region = np.random.default_rng(seed).random((9, 8, 7)) > 0.02
    expected = box_distance_by_definition(region, spacing) >= depth - 1e-6
    core = core_of(region, spacing, depth_mm=depth, membership=Membership.WHOLE_VOXEL)
    assert np.array_equal(core, expected & region)


@given(seed=st.integers(0, 2**32 - 1), spacing=SPACINGS, depth=st.sampled_from([0.6, 1.1, 3.5]))
@settings(max_examples=30, deadline=None)
def test_voxel_centres_are_those_outside_every_ellipsoid(seed, spacing, depth):
    """SciPy's unbounded transform on scaled axes is the other library."""
    region = np.random.default_rng(seed).random((12, 11, 10)) > 0.004
    scaled = [s / (depth + s / 2) for s in spacing]
    expected = ndi.distance_transform_edt(np.pad(region, 1), sampling=scaled) > 1 + 1e-4
    core = core_of(region, spacing, depth_mm=depth, membership=Membership.VOXEL_CENTRE)
    assert np.array_equal(core, expected[1:-1, 1:-1, 1:-1])


@pytest.mark.parametrize("slice_mm", [0.6, 1.0, 1.5, 2.5, 3.0, 5.0])
@pytest.mark.parametrize("membership", list(Membership))
def test_the_core_is_symmetric_whatever_the_slices(slice_mm, membership):
    """Seen elsewhere: 5 mm came off one end plate and 0 off the other."""
    block = np.zeros((40, 40, 60), dtype=bool)
    block[3:37, 3:37, 7:47] = True
    core = core_of(block, (1.0, 1.0, slice_mm), depth_mm=4.0, membership=membership)
    slices = np.flatnonzero(core.any(axis=(0, 1)))
    assert slices[0] - 7 == 46 - slices[-1]


@pytest.mark.parametrize(
    ("slice_mm", "depth_mm", "whole", "centre"),
    [
        # layers that come off each side: whole = ceil(depth / slice) whole layers above it;
        # centre = layers n with (n + 1/2) slice <= depth
        (1.0, 4.0, 4, 4),
        (1.5, 4.0, 3, 3),
        (3.0, 3.5, 2, 1),
        (5.0, 4.0, 1, 1),
        (5.0, 3.5, 1, 1),
        (0.5, 4.0, 8, 8),
        (8.0, 3.5, 1, 0),
    ],
)
def test_layers_that_come_off_a_slab(slice_mm, depth_mm, whole, centre):
    """A wide slab has a closed form: this many whole layers come off each face."""
    slab = np.ones((31, 31, 40), dtype=bool)
    spacing = (3.0, 3.0, slice_mm)
    for membership, layers in (
        (Membership.WHOLE_VOXEL, whole),
        (Membership.VOXEL_CENTRE, centre),
    ):
        core = core_of(slab, spacing, depth_mm=depth_mm, membership=membership)
        assert core[15, 15].sum() == 40 - 2 * layers


def test_whole_voxel_core_has_no_voxel_near_the_surface():
    """Diagonal neighbours count: a tilted slab's staircase must not let a corner in."""
    i, _, k = np.indices((40, 40, 40))
    region = np.abs(k - 20 - 0.5 * (i - 20)) < 12
    spacing = (1.0, 1.0, 2.0)
    core = core_of(region, spacing, depth_mm=4.0, membership=Membership.WHOLE_VOXEL)
    inside = np.argwhere(core)
    outside = np.argwhere(~region)
    for voxel in inside[::97]:
        gap = np.maximum(np.abs(outside - voxel) - 1, 0) * np.array(spacing)
        assert np.sqrt((gap**2).sum(axis=1)).min() >= 4.0
    assert len(inside) > 100


def test_a_region_too_thin_has_an_empty_core():
    """An empty core is empty; nothing is put in its place."""
    thin = np.zeros((30, 30, 30), dtype=bool)
    thin[5:25, 5:25, 12:17] = True
    for membership in Membership:
        assert not core_of(thin, (1, 1, 1), depth_mm=4.0, membership=membership).any()


def test_the_edge_of_the_array_is_a_surface():
    """A crop is tight around its region, so what lies beyond the crop is outside."""
    block = np.ones((11, 11, 11), dtype=bool)
    core = core_of(block, (1, 1, 1), depth_mm=4.0, membership=Membership.WHOLE_VOXEL)
    assert np.array_equal(np.argwhere(core).min(axis=0), [4, 4, 4])
    assert core.sum() == 27


@pytest.mark.parametrize("membership", list(Membership))
def test_the_core_follows_the_axes(membership):
    """Permuting and flipping axes permutes and flips the core and changes nothing else."""
    region = np.random.default_rng(5).random((14, 13, 12)) > 0.002
    spacing = (0.7, 1.1, 2.5)
    core = core_of(region, spacing, depth_mm=1.5, membership=membership)
    assert core.any()
    for axes in itertools.permutations(range(3)):
        turned = core_of(
            region.transpose(axes)[::-1],
            tuple(spacing[a] for a in axes),
            depth_mm=1.5,
            membership=membership,
        )
        assert np.array_equal(turned[::-1], core.transpose(axes))


@pytest.mark.parametrize("membership", list(Membership))
def test_depth_is_in_millimetres(membership):
    """Scaling spacing and depth together changes no voxel: nothing counts voxels."""
    region = np.random.default_rng(6).random((14, 13, 12)) > 0.002
    small = core_of(region, (0.7, 1.1, 2.5), depth_mm=2.0, membership=membership)
    large = core_of(region, (1.4, 2.2, 5.0), depth_mm=4.0, membership=membership)
    assert np.array_equal(small, large)


def test_erosion_takes_the_26_neighbours():
    """One missing voxel removes its 3 × 3 × 3 surroundings."""
    block = np.ones((9, 9, 9), dtype=bool)
    block[4, 4, 4] = False
    assert erode_by_one(block).sum() == 7**3 - 3**3


def test_an_empty_region_has_no_box_and_no_core():
    """Emptiness passes through; it is not an error here."""
    empty = np.zeros((5, 5, 5), dtype=bool)
    assert tight_box(empty) is None
    assert not core_of(empty, (1, 1, 1), depth_mm=4, membership=Membership.WHOLE_VOXEL).any()
