"""A level that departs from its neighbours: the limit, and when the departure is firm."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.quality.outliers import (
    DEPARTURE_LIMIT_HU,
    FIRM_SPREADS,
    LEAST_SPREAD_HU,
    check_outliers,
)
from osteoct.records import Severity

FIRM_HU = DEPARTURE_LIMIT_HU + FIRM_SPREADS * LEAST_SPREAD_HU


@pytest.fixture
def column(block_core):
    """Cores of the given means, from L1 down."""

    def make(*means, levels=LUMBAR):
        return [
            block_core(np.full((4, 4, 4), hu), level=level)
            for level, hu in zip(levels, means, strict=False)
        ]

    return make


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("departure", "severity"),
    [
        (DEPARTURE_LIMIT_HU, None),
        (DEPARTURE_LIMIT_HU + 0.5, Severity.WARNING),
        (FIRM_HU, Severity.WARNING),
        (FIRM_HU + 0.5, Severity.BLOCKING),
    ],
)
def test_departure(column, departure, severity, sign):
    """Both limits, both ways; only the level that departs is named."""
    found = check_outliers(column(200, 200, 200 + sign * departure, 200, 200))
    assert [(f.level, f.severity) for f in found] == (
        [] if severity is None else [(Level.L3, severity)]
    )


def test_neighbours_that_disagree_make_no_firm_departure(column):
    """A spine whose levels spread by 30 HU anyway: shown, and left in."""
    found = {f.level: f for f in check_outliers(column(70, 100, 220, 130, 160))}
    assert found[Level.L3].evidence["firm_limit_hu"] > 100
    assert {f.severity for f in found.values()} == {Severity.WARNING}


def test_too_few_neighbours_say_nothing_or_nothing_firm(column):
    """Of two levels neither departs; of three one may, and is not left out."""
    assert check_outliers(column(100, 300)) == ()
    found = check_outliers(column(100, 300, 100))
    assert [(f.level, f.severity) for f in found] == [(Level.L2, Severity.WARNING)]


def test_only_the_nearest_levels_count(column):
    """HU fall along the spine: T9 of 190 and L5 of 120 are one sound patient."""
    levels = (Level.T9, Level.T10, Level.T11, Level.T12, *LUMBAR)
    assert check_outliers(column(190, 181, 172, 163, 154, 145, 136, 128, 120, levels=levels)) == ()


def test_dense_and_osteoporotic_spines_alike(column):
    """The same column at any density has no finding."""
    for base in (20, 120, 320):
        assert check_outliers(column(*(base + d for d in (8, 4, 0, -4, -8)))) == ()
