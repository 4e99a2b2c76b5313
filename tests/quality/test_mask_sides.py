"""One side of one level that does not end where its bone does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.case import build_compartments
from osteoct.quality.mask_position import check_position
from osteoct.quality.mask_sides import LEAST_USUAL_HU, SIDE_SHARE, THICK_SIDE_SHARE, compare_sides
from osteoct.records import Severity


def changed(block_column, change):
    """A column whose label 2 (L2) was changed; its lower end lies at index ``low`` of axis 2."""
    ct, masks, levels = block_column(noise_hu=15.0)
    array = masks.array.copy()
    low = int(np.flatnonzero((array == 2).any(axis=(0, 1)))[0])
    change(array, low)
    masks = replace(masks, array=array)
    levels = build_compartments(ct, masks, None, levels=[lv.level for lv in levels], protocols=())
    return check_position(ct, masks, levels)


def spill(array, low):
    """Run 6 mm down into the disc."""
    array[:, :, low - 6 : low] = np.where(array[:, :, low : low + 1] == 2, 2, 0)


def eat(array, low):
    """Lose the lower 8 mm."""
    array[:, :, low : low + 8] = 0


@pytest.mark.parametrize("change", [spill, eat])
def test_a_lower_end_elsewhere_is_told(block_column, change):
    """Into the disc, and short of it."""
    (found,) = changed(block_column, change)
    assert (found.code, found.level, found.severity) == (
        "outline-misfit",
        Level.L2,
        Severity.WARNING,
    )
    assert found.evidence["side"] == "lower"


def test_untouched_sides_are_not_accused(block_column):
    """The same column without a change."""
    assert changed(block_column, lambda _array, _low: None) == ()


@pytest.mark.parametrize(
    ("side", "is_thick", "limit"),
    [
        ("lower", False, SIDE_SHARE),
        ("lower", True, THICK_SIDE_SHARE),
        ("front", True, SIDE_SHARE),
    ],
)
@pytest.mark.parametrize(("less", "fires"), [(0.0, False), (0.01, True)])
def test_limit(side, is_thick, limit, less, fires):
    """Exactly the wanted share of the usual step is enough; thick slices ask less of end plates."""
    steps = [{side: 200.0}, {side: 200.0}, {side: 200.0 * (limit - less)}]
    worst = compare_sides(steps, is_thick=is_thick)
    assert worst[:2] == (None, None)
    assert (worst[2] is not None) == fires


def test_where_no_level_has_an_edge_nothing_is_told():
    """Beside dense discs every lower side is alike, and two levels do not say which is wrong."""
    weak = LEAST_USUAL_HU - 1
    assert compare_sides([{"lower": weak}, {"lower": weak}, {"lower": 0.0}]) == (None,) * 3
    assert compare_sides([{"lower": 200.0}, {"lower": 0.0}]) == (None, None)
    strong = LEAST_USUAL_HU
    assert compare_sides([{"lower": strong}, {"lower": strong}, {"lower": 0.0}])[2] is not None
