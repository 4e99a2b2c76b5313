"""Calibration, net benefit and the scatter of repeats, against sums done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.cohort.statistics.agreement import compare_methods, measure_precision
from osteoct.cohort.statistics.logistic import bin_risks
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.validation import (
    LEAST_VALIDATION,
    MOST_VALIDATION_CELLS,
    count_resamples,
    validate_model,
)


def test_ten_bins_of_equal_size():
    """A hundred risks: ten of each tenth, events counted in their own bin."""
    risk = (np.arange(100) + 0.5) / 100
    y = (np.arange(100) >= 45).astype(float)
    bins = bin_risks(risk, y)
    assert [b.n for b in bins] == [10] * 10
    assert [b.events for b in bins] == [0, 0, 0, 0, 5, 10, 10, 10, 10, 10]
    assert [b.predicted for b in bins] == pytest.approx(np.arange(0.05, 1, 0.1))
    assert [b.observed for b in bins] == pytest.approx([0.0] * 4 + [0.5] + [1.0] * 5)


def test_equal_risks_stay_in_one_bin():
    """Two risks make two bins, however many patients share one."""
    bins = bin_risks(np.repeat([0.2, 0.8], [30, 70]), np.repeat([0.0, 1.0], [30, 70]))
    assert [(b.n, b.events, b.observed) for b in bins] == [(30, 0, 0.0), (70, 70, 1.0)]


def test_net_benefit_by_hand():
    """Four patients of risk 0.2 with one event, four of 0.6 with three.

    At 0.5 four are called, three rightly: 3/8 − 1/8 · 1. At 0.1 all are: 4/8 − 4/8 · 1/9. At 0.7
    nobody is: 0.
    """
    eta = np.log(np.repeat([0.2 / 0.8, 0.6 / 0.4], 4))
    y = np.array([1, 0, 0, 0, 1, 1, 1, 0], dtype=float)
    design = np.column_stack([np.ones(8), eta])
    found = validate_model(design, y, np.array([0.0, 1.0]), 1, np.random.default_rng(0))
    curve = {round(p.threshold, 2): p for p in found.decision_curve}
    assert curve[0.5].model == pytest.approx(2 / 8)
    assert curve[0.1].model == pytest.approx(4 / 8 - 4 / 8 / 9)
    assert curve[0.7].model == 0
    assert curve[0.5].treat_all == pytest.approx(0.0)
    assert curve[0.2].treat_all == pytest.approx(0.5 - 0.5 * 0.25)


def test_fewer_resamples_of_a_very_large_cohort():
    """As asked up to the limit, fewer one patient above, never below the least."""
    limit = MOST_VALIDATION_CELLS // 200
    assert count_resamples(200, limit) == 200
    assert count_resamples(200, limit + 1) == 199
    assert count_resamples(200, 10**7) == LEAST_VALIDATION
    assert count_resamples(3, 10**7) == 3


def test_scatter_of_repeats_by_hand():
    """Differences of 2, 4 and 6: squared deviations 2, 8 and 18 with one degree of freedom each."""
    repeats = [[99.0, 101.0], [198.0, 202.0], [97.0, 103.0], [50.0, np.nan]]
    found = measure_precision(repeats, name="trabecular").precision
    sd = np.sqrt((2 + 8 + 18) / 3)
    cv = 100 * np.sqrt((2 / 100**2 + 8 / 200**2 + 18 / 100**2) / 3)
    assert (found.n_patients, found.n_missing, found.degrees_of_freedom) == (3, 1, 3)
    assert found.rms_sd == pytest.approx(sd)
    assert found.rms_cv_percent == pytest.approx(cv)
    reach = 1.96 * np.sqrt(2)
    assert found.least_change == pytest.approx(reach * sd, rel=1e-3)
    assert found.least_change_percent == pytest.approx(reach * cv, rel=1e-3)


@pytest.mark.parametrize(("mean", "reason"), [(0.0, Absence.ZERO_COUNT), (0.5, None)])
def test_no_percentage_of_a_mean_of_nothing(mean, reason):
    """HU may be 0 or below, where a CV means nothing; the SD in HU stays."""
    found = measure_precision([[mean - 1, mean + 1], [99, 101]], name="total").precision
    assert found.cv_reason is reason
    assert (found.rms_cv_percent is None) == (reason is not None)
    assert found.rms_sd == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize(("n", "reason"), [(2, Absence.TOO_FEW), (3, None)])
def test_limits_of_agreement_need_three(n, reason):
    """Two patients have no limits worth printing."""
    found = compare_methods([100.0, 110.0, 130.0][:n], [98.0, 109.0, 131.0][:n], name="x")
    assert found.bland_altman.reason is reason
