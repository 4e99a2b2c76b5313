"""Faults of names move exactly the voxels they say; counts are the truth."""

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.phantom.faults.names import (
    drop_bodies,
    drop_levels,
    give_to_sacrum,
    leak,
    lumbar_only,
    merge,
    misname_arch,
    name_sacrum_l5,
    number_along,
    sacrum_mask,
    split_sideways,
    swap_parts,
)
from osteoct.phantom.faults.subject import farthest_share, label_in

L1, L2, L3, L4, L5 = LUMBAR


def count(subject, level):
    """Voxels of a level."""
    return int(subject.mask(level).sum())


def test_a_whole_swap_exchanges_the_counts(clean):
    """Every voxel of L2 is L3 and the other way round."""
    faulty = swap_parts(clean, L2, L3, share=1.0)
    np.testing.assert_array_equal(faulty.mask(L2), clean.mask(L3))
    np.testing.assert_array_equal(faulty.mask(L3), clean.mask(L2))
    np.testing.assert_array_equal(
        faulty.bodies.array == label_in(faulty.bodies, L2),
        clean.bodies.array == label_in(clean.bodies, L3),
    )


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_leak_takes_the_share_that_is_nearest(clean, share):
    """L3 gains what L4 loses, from the side that faces it."""
    faulty = leak(clean, L3, into=L4, share=share)
    moved = round(share * count(clean, L4))
    assert count(faulty, L4) == count(clean, L4) - moved
    assert count(faulty, L3) == count(clean, L3) + moved
    assert faulty.centre_mm(L4)[2] < clean.centre_mm(L4)[2]


def test_a_merge_leaves_one_label(clean):
    """L2 is gone, and L3 holds both."""
    faulty = merge(clean, L2, into=L3, share=1.0)
    assert count(faulty, L2) == 0
    assert count(faulty, L3) == count(clean, L2) + count(clean, L3)


def test_a_split_cuts_left_from_right_and_an_arch_front_from_back(clean):
    """The named part lies where the fault says."""
    split = split_sideways(clean, L3, named=L2, share=0.5)
    part = split.mask(L2) & clean.mask(L3)
    rest = split.mask(L3)
    assert np.argwhere(part)[:, 0].min() >= np.argwhere(rest)[:, 0].max()
    arch = misname_arch(clean, L3, named=L2, share=0.3)
    part, rest = arch.mask(L2) & clean.mask(L3), arch.mask(L3)
    assert np.argwhere(part)[:, 1].max() <= np.argwhere(rest)[:, 1].min()


def test_dropped_levels_and_bodies_are_gone(clean):
    """And nothing else is."""
    faulty = drop_levels(clean, (L3,))
    assert count(faulty, L3) == 0
    assert count(faulty, L2) == count(clean, L2)
    assert label_in(clean.bodies, L3) not in np.unique(faulty.bodies.array)
    bodiless = drop_bodies(clean, (L3,))
    assert count(bodiless, L3) == count(clean, L3)
    assert label_in(clean.bodies, L3) not in np.unique(bodiless.bodies.array)
    assert drop_bodies(clean, (Level.T12, *LUMBAR)).bodies is None


def test_numbering_along_moves_every_name(clean):
    """One up: L2 is called L1; the last one below keeps a name of its own."""
    up = number_along(clean, -1)
    np.testing.assert_array_equal(up.mask(L1), clean.mask(L2))
    assert count(up, L5) == 0
    down = number_along(clean, 1)
    np.testing.assert_array_equal(down.mask(L5), clean.mask(L4))


def test_only_lumbar_levels_remain(clean):
    """No T12, no sacrum: nothing to count from."""
    alone = lumbar_only(clean)
    assert alone.levels == LUMBAR
    assert not sacrum_mask(alone).any()


def test_the_sacrum_takes_and_gives(clean):
    """L5 labelled as sacrum, and sacrum labelled as L5."""
    taken = give_to_sacrum(clean, L5, share=1.0)
    assert count(taken, L5) == 0
    assert sacrum_mask(taken).sum() == sacrum_mask(clean).sum() + count(clean, L5)
    given = name_sacrum_l5(clean, share=0.5)
    assert count(given, L5) == round(0.5 * int(sacrum_mask(clean).sum()))
    np.testing.assert_array_equal(given.mask(L4), clean.mask(L5))


def test_a_share_is_exact_to_one_voxel(clean):
    """What is called 30 % is 30 %."""
    mask = clean.mask(L3)
    taken = farthest_share(clean, mask, np.array([0.0, 0.0, 1.0]), 0.3)
    assert taken.sum() == round(0.3 * mask.sum())
    assert not (taken & ~mask).any()
    assert Level.T12 in clean.levels
