"""Tables at the edge of sense: a reason instead of a number, a count for all that is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from osteoct.cohort.statistics.analysis import analyze_table
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.reasons import Absence

CHOICES = StatisticsChoices(n_bootstrap=20, n_validation=2)


def _cohort(n=60, seed=3):
    random = np.random.default_rng(seed)
    t = random.normal(-1.5, 1.2, n).round(1)
    hu = 150 + 30 * t + random.normal(0, 40, n)
    return pd.DataFrame(
        {
            "patient": [f"p{i}" for i in range(n)],
            "sex": np.where(random.random(n) < 0.8, "F", "M"),
            "age": random.normal(71, 12, n),
            "bmi": random.normal(28, 5, n),
            "days_between": random.integers(0, 366, n),
            "t_lumbar": t,
            "t_femoral_neck": t + 0.3,
            "t_total_hip": t + 0.5,
            "total_hu": hu + 90,
            "trabecular_hu": hu,
            "cortical_hu": hu + 130 + random.normal(0, 20, n),
            "kvp": 120.0,
            "phase": "native",
            "has_blocking": False,
        }
    )


def _all_numbers_have_reasons(statistics):
    """Every row lacks its number exactly where it has a reason."""
    for c in statistics.correlations:
        assert (c.r is None) == (c.reason is not None)
    for r in statistics.rocs:
        assert (r.auc is None) == (r.reason is not None)
    for c in statistics.cutoffs:
        assert (c.cutoff_hu is None) == (c.reason is not None)
    for t in statistics.group_tests:
        assert (t.p is None) == (t.reason is not None)
    for p in statistics.roc_pairs:
        assert (p.p is None) == (p.reason is not None)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_handfuls_of_patients(n):
    """Nobody linked, or a few: no crash, no warning, no number without ground."""
    found = analyze_table(_cohort().head(n), CHOICES)
    assert found.n == n
    _all_numbers_have_reasons(found)


@pytest.mark.parametrize(
    "column", ["t_lumbar", "trabecular_hu", "age", "bmi", "sex", "kvp", "phase", "days_between"]
)
def test_a_column_of_nothing(column):
    """NaN everywhere in one column: counted in full, everything else still stands."""
    table = _cohort()
    table[column] = np.nan
    found = analyze_table(table, CHOICES)
    _all_numbers_have_reasons(found)
    if column == "trabecular_hu":
        missing = [r for r in found.rocs if r.region == "trabecular"]
        assert [r.n_missing for r in missing] == [60, 60]
        assert all(r.reason is Absence.TOO_FEW for r in missing)
        assert all(r.auc is not None for r in found.rocs if r.region == "total")


@pytest.mark.parametrize(
    ("column", "value"),
    [(c, v) for v in (200.0, "x") for c in ("trabecular_hu", "age", "t_lumbar", "sex")],
)
def test_a_column_of_one_value(column, value):
    """Constant columns give a reason; unreadable ones are counted as ignored."""
    table = _cohort()
    table[column] = value
    found = analyze_table(table, CHOICES)
    _all_numbers_have_reasons(found)
    if value == "x" or column == "sex":
        assert found.ignored == {column: 60}


def test_all_t_scores_equal():
    """One group alone: areas, cut-offs and models say one-class."""
    table = _cohort()
    table[["t_lumbar", "t_femoral_neck", "t_total_hip"]] = -1.7
    found = analyze_table(table, CHOICES)
    assert found.group_counts == {"healthy": 0, "osteopenia": 60, "osteoporosis": 0, "unknown": 0}
    assert {r.reason for r in found.rocs} == {Absence.ONE_CLASS}
    assert {m.reason for m in found.models} == {Absence.ONE_CLASS}
    assert {c.reason for c in found.correlations if c.method == "pearson"} == {Absence.CONSTANT}


def test_infinities_are_missing_and_counted():
    """An infinite HU is no HU, and is not silently dropped."""
    table = _cohort()
    table.loc[0, "trabecular_hu"] = np.inf
    found = analyze_table(table, CHOICES)
    assert found.ignored == {"trabecular_hu": 1}
    assert found.rocs[1].n_missing == 1


def test_same_inputs_give_the_same_record():
    """Seeds are of each result, so that rerunning, or reordering columns, changes nothing."""
    table = _cohort()
    first = analyze_table(table, CHOICES)
    assert analyze_table(table[table.columns[::-1]], CHOICES) == first
    other = analyze_table(table, CHOICES.model_copy(update={"seed": 7}))
    assert other.cutoffs[0].optimism_sensitivity != first.cutoffs[0].optimism_sensitivity
    assert other.rocs == first.rocs


def test_the_table_is_left_alone():
    """The caller's table is not changed."""
    table = _cohort()
    before = table.copy(deep=True)
    analyze_table(table, CHOICES)
    pd.testing.assert_frame_equal(table, before)


def test_a_table_with_groups_but_no_t_scores():
    """A statistician's own groups are kept; correlations have nothing to go by."""
    table = _cohort().drop(columns=["t_lumbar", "t_femoral_neck", "t_total_hip"])
    table["group"] = ["healthy", "osteopenia", "osteoporosis"] * 20
    found = analyze_table(table, CHOICES)
    assert found.rocs[0].n_pos == 40
    assert found.rocs[3].n_pos == 20
    assert {c.reason for c in found.correlations} == {Absence.TOO_FEW}
