"""Harm of what is left: exactly at its limits."""

from dataclasses import replace

import pytest

from osteoct.anatomy import Level
from osteoct.tidy.effect import is_harmful, loses_core
from osteoct.tidy.moving import Masks


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (200.0, 205.0, False),
        (200.0, 194.9, True),
        (103.6, 100.0, False),
        (103.7, 100.0, True),
        (None, None, False),
        (None, 100.0, True),
        (100.0, None, True),
    ],
)
def test_5_hu_or_3_point_6_percent(before, after, found):
    """A mean that comes or goes is harm as well."""
    assert is_harmful(before, after) is found


def test_a_level_without_a_core_afterwards_is_noticed(coarse):
    """A repair that empties L3 would be refused; one that changes nothing would not."""
    before = Masks(vertebrae=coarse.vertebrae, bodies=coarse.bodies)
    array = coarse.vertebrae.array.copy()
    array[coarse.mask(Level.L3)] = 0
    after = replace(before, vertebrae=replace(coarse.vertebrae, array=array))
    assert loses_core(coarse.ct, before, after, [Level.L3])
    assert not loses_core(coarse.ct, before, before, [Level.L3])
