"""Ranges of size: the arithmetic from the source's numbers, and vertebrae that are known."""

from __future__ import annotations

import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.quality.reference_sizes import step_range_mm, volume_range_cm3

REAL_CM3 = (57.9, 60.5, 63.0, 65.0, 65.6)
"""L1 to L5 of the project's real example, from voxel counts alone."""


def test_ranges_follow_from_the_numbers_of_the_source():
    """By hand: 63.3 cm³ times the least, and the largest, share of each dimension."""
    least = (23.521 / 27.750) * (29.543 / 35.043) * (39.350 / 46.676)
    most = (32.310 / 27.750) * (41.952 / 35.043) * (58.798 / 46.676)
    usual = volume_range_cm3(Level.L3)
    assert usual.low == pytest.approx(63.3 * least * 0.88, abs=0.05)
    assert usual.high == pytest.approx(63.3 * most * 1.12, abs=0.05)
    assert step_range_mm().low == pytest.approx(30.9 * 26.601 / 34.8371, abs=0.05)
    assert step_range_mm().high == pytest.approx(32.310 + 11.368, abs=0.05)


@pytest.mark.parametrize(("level", "volume_cm3"), [*zip(LUMBAR, REAL_CM3, strict=True)])
def test_a_real_spine_lies_inside(level, volume_cm3):
    """Far from both ends."""
    usual = volume_range_cm3(level)
    assert usual.holds(volume_cm3)
    assert usual.holds(volume_cm3 * 0.7)
    assert usual.holds(volume_cm3 * 1.5)


@pytest.mark.parametrize("level", [Level.C3, Level.T1, Level.T12, Level.L6, Level.S1])
def test_without_a_source_there_is_no_range(level):
    """Nothing is extrapolated beyond L1."""
    assert volume_range_cm3(level) is None
