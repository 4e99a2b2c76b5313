"""HU statistics against closed forms and another library."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoct.measure.statistics import describe_hu

HU = st.lists(st.integers(-1024, 3071), min_size=1, max_size=60)


def test_zero_hu_is_a_value():
    """Seen elsewhere: voxels of 0 HU were skipped as background; mean 100, truth 50."""
    assert describe_hu(np.array([0, 100], dtype=np.float32)).mean_hu == 50.0


def test_marrow_fat_counts():
    """Seen elsewhere: 'trabecular = 1…700 HU' drops marrow fat and biases upward."""
    hu = np.array([-80, -40, 0, 40, 330], dtype=np.float32)
    assert describe_hu(hu).mean_hu == 50.0
    assert describe_hu(hu).median_hu == 0.0


@given(values=HU)
def test_statistics_are_those_of_the_standard_library(values):
    """Mean, median and population SD equal Python's own."""
    got = describe_hu(np.array(values, dtype=np.float32))
    assert got.mean_hu == pytest.approx(statistics.fmean(values))
    assert got.median_hu == pytest.approx(statistics.median(values))
    assert got.sd_hu == pytest.approx(statistics.pstdev(values), abs=1e-6)


@pytest.mark.parametrize("n", [2, 21, 1000])
def test_percentiles_are_linear_between_order_statistics(n):
    """On 0 … n-1 the p-th percentile of R's type 7 is p (n - 1)."""
    got = describe_hu(np.arange(n, dtype=np.float32))
    expected = [p * (n - 1) for p in (0.05, 0.25, 0.5, 0.75, 0.95)]
    found = [got.p05_hu, got.p25_hu, got.median_hu, got.p75_hu, got.p95_hu]
    assert found == pytest.approx(expected, rel=1e-5)


def test_large_regions_do_not_lose_precision():
    """A float32 sum over a million voxels of 1000.1 HU would drift; the mean must not."""
    hu = np.full(3_000_000, 1000.125, dtype=np.float32)
    assert describe_hu(hu).mean_hu == 1000.125
    assert describe_hu(hu).sd_hu == 0.0
