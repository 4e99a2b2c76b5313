"""Ribs and transverse processes as anchors of the names: each limit, below, at and above."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level, Part, Structure
from osteoct.compartments.anchors import (
    LEAST_WIDE,
    NARROW_SHARE,
    RIB_REACH_MM,
    choose_landmarks,
    find_narrow,
    look_for_anchors,
)
from osteoct.compartments.column import stand_column
from osteoct.geometry import Geometry
from osteoct.volume import LabelVolume

NAMES = tuple(Level[n] for n in ("T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5"))
GRID = Geometry.from_spacing((120, 30, 90), (1.0, 3.0, 3.0))
WIDE = 100


def column(widths):
    """Boxes of given widths in mm, head to feet, 33 mm apart; the names begin with T10."""
    array = np.zeros(GRID.shape, np.uint8)
    structures = {}
    for n, (name, width) in enumerate(zip(NAMES, widths, strict=False), 1):
        left = (GRID.shape[0] - width) // 2
        top = 88 - 10 * n
        array[left : left + width, 10:20, top : top + 8] = n
        structures[n] = Structure(name=f"vertebrae_{name}", part=Part.VERTEBRA, level=name)
    return LabelVolume(array=array, geometry=GRID, structures=structures)


def narrow_of(widths):
    found = find_narrow(stand_column(column(widths)).vertebrae, GRID.spacing_mm[0])
    return None if found is None else found.level


def test_ribs_are_taken_from_where_they_are_named():
    """Tissues of an aorta alone do not hide the ribs of a whole map given as vertebrae."""
    whole, ribs = with_rib(5)
    aorta = {1: Structure(name="aorta", part=Part.OTHER)}
    assert choose_landmarks(whole, None) is whole
    assert choose_landmarks(whole, ribs) is ribs
    assert choose_landmarks(whole, replace(ribs, structures=aorta)) is whole


AT_SHARE = round(NARROW_SHARE * WIDE)


@pytest.mark.parametrize(
    ("width", "found"),
    [(AT_SHARE - 1, Level.T12), (AT_SHARE, Level.T11), (AT_SHARE + 1, Level.T11)],
)
def test_share_of_the_widest(width, found):
    """Narrower than the share has no long processes; exactly at it has."""
    assert narrow_of([50, 50, width, WIDE, WIDE, WIDE, WIDE]) is found


@pytest.mark.parametrize(
    ("wide", "found"),
    [(LEAST_WIDE - 1, None), (LEAST_WIDE, Level.T12), (LEAST_WIDE + 1, Level.T12)],
)
def test_wide_vertebrae_below(wide, found):
    """With fewer below, the widest may not be those with the longest processes."""
    assert narrow_of([50, 50, 50, *[WIDE] * wide]) is found


def test_no_narrow_one_is_no_anchor():
    """All alike, or none at all."""
    assert narrow_of([WIDE] * 5) is None
    assert find_narrow((), 1.0) is None


def with_rib(away_mm, level=2, name="rib_right_12"):
    """A rib that begins so far beside a vertebra's right side; ribs on the vertebrae's grid."""
    masks = column([50, 50, 50, WIDE, WIDE, WIDE])
    ribs = np.zeros(GRID.shape, np.uint8)
    top = 88 - 10 * (level + 1)
    # the vertebrae are looked up on every second voxel across, of which this is the last
    side = (GRID.shape[0] + 50) // 2 - 2
    ribs[side + away_mm : side + away_mm + 12, 15, top + 4] = 1
    structures = {1: Structure(name=name, part=Part.OTHER)}
    return masks, LabelVolume(array=ribs, geometry=GRID, structures=structures)


@pytest.mark.parametrize(
    ("away_mm", "found"),
    [
        (round(RIB_REACH_MM) - 1, Level.T12),
        (round(RIB_REACH_MM), Level.T12),
        (round(RIB_REACH_MM) + 1, None),
    ],
)
def test_reach_of_a_rib(away_mm, found):
    """A rib's head farther away than the reach lies at no vertebra of the masks."""
    ribbed = look_for_anchors(*with_rib(away_mm)).ribbed
    assert (None if ribbed is None else ribbed.level) is found


def test_the_lowest_rib_counts_and_only_ribs():
    """The vertebra beside which it begins is told; another structure there is no rib."""
    ribbed = look_for_anchors(*with_rib(5, level=1)).ribbed
    assert ribbed is not None
    assert ribbed.level is Level.T11
    assert look_for_anchors(*with_rib(5, name="aorta")).ribbed is None


def test_without_landmarks_nothing_is_known_of_ribs():
    """And without vertebrae nothing at all."""
    masks, _ = with_rib(5)
    assert look_for_anchors(masks, None).ribbed is None
    empty = LabelVolume(
        array=np.zeros_like(masks.array), geometry=GRID, structures=masks.structures
    )
    assert look_for_anchors(empty, None).lowest is None
