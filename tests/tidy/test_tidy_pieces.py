"""Loose pieces and holes: each limit exactly at its value, on boxes that can be counted."""

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.column import stand_column
from osteoct.tidy.case import tidy_masks
from osteoct.tidy.pieces import find_holes, find_strays

BODY = (1, np.s_[5:25, 5:25, 5:25])
"""8000 voxels of L1: 8 cm³."""


@pytest.fixture
def strays(boxes_of):
    """Loose pieces of the first label of some boxes."""

    def find(*boxes):
        _, labels = boxes_of(*boxes)
        bones = stand_column(labels).vertebrae
        levels = {bone.label: bone.level for bone in bones}
        return find_strays(labels, bones[0], levels)

    return find


@pytest.fixture
def holes(boxes_of):
    """Cavities of the body with a hole."""

    def find(hole, *, step_hu=0):
        ct, labels = boxes_of(BODY, (0, hole))
        ct.array[hole] = 100 + step_hu
        return find_holes(ct, labels, stand_column(labels).vertebrae[0])

    return find


@pytest.mark.parametrize(("length", "found"), [(10, 1), (9, 0)])
def test_a_stray_of_50_voxels_is_one(strays, length, found):
    """0.05 cm³, beyond any doubt about distance."""
    assert len(strays(BODY, (1, np.s_[40:45, 40 : 40 + length, 40]))) == found


@pytest.mark.parametrize(("start", "found"), [(30, 1), (29, 0)])
def test_a_stray_is_farther_than_5_mm(strays, start, found):
    """From voxel to voxel: the last of the body is 24."""
    assert len(strays(BODY, (1, np.s_[start : start + 5, 8:18, 8:18]))) == found


@pytest.mark.parametrize(("length", "is_moved"), [(20, True), (21, False)])
def test_up_to_a_fifth_of_a_label_is_taken_off(strays, length, is_moved):
    """2000 of 10 000 voxels are; 2100 of 10 100 are not."""
    (piece,) = strays(BODY, (1, np.s_[35:45, 35:45, 35 : 35 + length]))
    assert (piece.move is not None) is is_moved
    assert bool(piece.why_not) is not is_moved


@pytest.mark.parametrize(("length", "target"), [(20, Level.L2), (19, None)])
def test_a_piece_of_half_a_cubic_centimetre_is_given_to_what_it_touches(strays, length, target):
    """500 voxels against the side of L2; a smaller one touches it and stays."""
    found = strays(BODY, (2, np.s_[5:25, 5:25, 32:52]), (1, np.s_[25:30, 5:10, 32 : 32 + length]))
    assert [p.move.target for p in found] == ([] if target is None else [target])


@pytest.mark.parametrize(("length", "found"), [(8, 1), (7, 0)])
def test_a_hole_of_200_voxels_is_one(holes, length, found):
    """0.2 cm³."""
    assert len(holes(np.s_[10:15, 10:15, 10 : 10 + length])) == found


@pytest.mark.parametrize(("step", "is_filled"), [(250, True), (-250, True), (251, False)])
def test_a_hole_is_filled_up_to_a_step_of_250_hu(holes, step, is_filled):
    """Beyond it something lies there that was left out on purpose."""
    (hole,) = holes(np.s_[10:18, 10:18, 10:18], step_hu=step)
    assert (hole.move is not None) is is_filled


def test_an_open_hole_is_none(holes):
    """What reaches the outside is no cavity: the canal, or a foramen."""
    assert not holes(np.s_[10:18, 10:18, 10:25])


@pytest.mark.parametrize(("levels", "repairs"), [(2, 2), (3, 0)])
def test_two_levels_may_lose_pieces_and_three_may_not(boxes_of, levels, repairs):
    """Masks that break up everywhere are thin."""
    parts = []
    for n in range(3):
        x = slice(1 + 20 * n, 13 + 20 * n)
        parts.append((n + 1, (x, slice(5, 25), slice(5, 25))))
        if n < levels:
            parts.append((n + 1, (x, slice(40, 45), slice(8, 12))))
    tidied = tidy_masks(*boxes_of(*parts))
    assert len(tidied.repairs) == repairs
