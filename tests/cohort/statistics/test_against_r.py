"""Every statistic against R to 1e-6, on ties, tiny groups, separation and a constant predictor."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from osteoct.cohort.statistics.agreement import compare_differences, measure_icc
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.cohort_table import prepare_table
from osteoct.cohort.statistics.correlation import correlate
from osteoct.cohort.statistics.cutoffs import find_cutoffs
from osteoct.cohort.statistics.describe import compare_shares
from osteoct.cohort.statistics.groups import compare_groups
from osteoct.cohort.statistics.intervals import measure_proportion
from osteoct.cohort.statistics.logistic import fit_models
from osteoct.cohort.statistics.logistic_fit import fit_firth
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.roc import analyze_rocs, compare_rocs

_spec = importlib.util.spec_from_file_location(
    "golden_tables", Path(__file__).parent / "golden_tables.py"
)
golden = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(golden)

CHOICES = StatisticsChoices(n_bootstrap=20, n_validation=5)
R = golden.results()
MARKERS = {"a": "trabecular", "b": "cortical"}
near = lambda x: pytest.approx(x, rel=1e-6, abs=1e-6)  # noqa: E731 - one tolerance for all


@cache
def _table(name):
    return prepare_table(golden.cohort(name), CHOICES).table


@cache
def _correlations(name):
    return correlate(_table(name))


@cache
def _groups(name):
    return compare_groups(_table(name), CHOICES)


@cache
def _models(name):
    return fit_models(_table(name), CHOICES)


@pytest.fixture(scope="module", params=golden.NAMES)
def name(request):
    return request.param


@pytest.mark.parametrize("marker", MARKERS)
def test_correlations(name, marker):
    """Pearson is cor.test; partial is residuals of lm; a constant marker has a reason instead."""
    rows = {
        r.method: r
        for r in _correlations(name)
        if (r.region, r.level, r.site) == (MARKERS[marker], "mean", "lumbar")
    }
    wanted = R["cohorts"][name]["correlations"][marker]
    if not wanted:
        assert {r.reason for r in rows.values()} == {Absence.CONSTANT}
        assert all(r.r is None for r in rows.values())
        return
    for method, row in rows.items():
        assert row.r == near(wanted[method]["r"])
        if row.r == 1:  # R's formula gives an interval of no width: as if there were no doubt
            assert (row.ci_low, row.ci_reason) == (None, Absence.ZERO_VARIANCE)
        else:
            assert [row.ci_low, row.ci_high] == near(wanted[method]["ci"])
        assert row.p == near(wanted[method]["p"])
    assert rows["spearman"].p == near(wanted["spearman"]["p_cor_test"])


@pytest.mark.parametrize("marker", MARKERS)
def test_groups(name, marker):
    """oneway.test, kruskal.test, rstatix, effectsize and pROC on the same three groups."""
    found = _groups(name)
    column = f"{MARKERS[marker]}_hu"
    tests = {t.method: t for t in found.tests if t.variable == column}
    wanted = R["cohorts"][name]["groups"][marker]
    if not wanted:
        assert {t.reason for t in tests.values()} == {Absence.CONSTANT}
        return
    welch, rank = tests["welch_anova"], tests["kruskal_wallis"]
    w = wanted["welch"]
    assert [welch.statistic, welch.df, welch.df_denominator, welch.p] == near(
        [w["f"], w["df"], w["rest"], w["p"]]
    )
    assert [rank.statistic, rank.p] == near([wanted["kruskal"]["h"], wanted["kruskal"]["p"]])
    pairs = {(p.method, p.first, p.second): p for p in found.post_hoc if p.variable == column}
    for r in wanted["dunn"]:
        p = pairs["dunn", r["first"], r["second"]]
        assert [p.statistic, p.p, p.p_adjusted] == near([r["z"], r["p"], r["p_holm"]])
    for r in wanted["games_howell"]:
        p = pairs["games_howell", r["first"], r["second"]]
        assert [p.difference, p.df] == near([r["difference"], r["df"]])
        if r["p"] is None:
            # R's ptukey and qtukey know no degrees of freedom below 2; scipy's do
            assert r["df"] < 2
            assert 0 < p.p_adjusted < 1
        else:
            # R's ptukey is off by 2e-6 where degrees of freedom are few; scipy agrees with ours
            few = r["df"] < 5
            assert p.p_adjusted == pytest.approx(r["p"], rel=1e-6, abs=1e-5 if few else 1e-6)
            # R's qtukey stops at 1e-4 of the range: half the interval's width carries that
            half = (r["high"] - r["low"]) / 2
            assert [p.ci_low, p.ci_high] == pytest.approx([r["low"], r["high"]], abs=1e-4 * half)


@pytest.mark.parametrize("marker", MARKERS)
def test_effect_sizes(name, marker):
    """Hedges' g is effectsize's; intervals turn R's own noncentral t and F with uniroot."""
    wanted = R["cohorts"][name]["groups"][marker]
    column = f"{MARKERS[marker]}_hu"
    found = [e for e in _groups(name).effect_sizes if e.variable == column]
    if not wanted:
        assert all(e.value in (None, 0.0) for e in found)
        return
    (omega,) = [e for e in found if e.measure == "omega_squared"]
    assert omega.value == near(wanted["omega"]["value"])
    assert [omega.ci_low, omega.ci_high] == near(wanted["omega"]["ci"])
    pairs = {(e.measure, e.first, e.second): e for e in found}
    for r in wanted["pairs"]:
        g = pairs["hedges_g", r["first"], r["second"]]
        assert [g.value, g.ci_low, g.ci_high] == near([r["g"], *r["ci"]])
        delta = pairs["cliffs_delta", r["first"], r["second"]]
        assert delta.value == near(r["delta"])
        if delta.ci_reason is None:
            assert [delta.ci_low, delta.ci_high] == near(r["delta_ci"])


@pytest.mark.parametrize("outcome", ["low_bmd", "osteoporosis"])
def test_curves(name, outcome):
    """AUC, DeLong's interval, Youden's cut-off and the paired test are pROC's."""
    table = _table(name)
    rocs = {r.region: r for r in analyze_rocs(table) if r.outcome == outcome}
    cuts = {c.region: c for c in find_cutoffs(table, CHOICES) if c.outcome == outcome}
    wanted = R["cohorts"][name][outcome]
    for marker, region in MARKERS.items():
        roc, cut, r = rocs[region], cuts[region], wanted[marker]
        assert roc.auc == near(r["auc"])
        if roc.ci_reason is None:
            assert [roc.ci_low, roc.ci_high] == near(r["ci"])
        else:
            # pROC gives an interval of no width; a handful of patients cannot be that sure
            assert r["ci"][0] == r["ci"][1] or r["ci"] == ["NaN", "NaN"] or None in r["ci"]
            assert roc.ci_low is None
        if cut.reason is not None:
            assert cut.reason is Absence.CONSTANT
            continue
        assert cut.cutoff_hu == near(r["cutoff"])
        assert cut.apparent.sensitivity.value == near(r["sensitivity"])
        assert cut.apparent.specificity.value == near(r["specificity"])
    (pair,) = [
        p
        for p in compare_rocs(table)
        if (p.outcome, p.region_a, p.region_b) == (outcome, "trabecular", "cortical")
    ]
    if pair.reason is None:
        assert [pair.z, pair.p] == near([wanted["z"], wanted["p"]])
    else:
        assert name in ("tiny", "separated")


@pytest.mark.parametrize("name", ["plain", "ties", "uneven"])
def test_logistic(name):
    """Coefficients, standard errors, likelihood and Brier score are glm's."""
    wanted = R["cohorts"][name]["model"]
    terms = len(wanted["ml"]["estimate"]) - 1
    (model,) = [
        m
        for m in _models(name)
        if (m.outcome, m.region, len(m.predictors)) == ("low_bmd", "trabecular", terms)
    ]
    estimates = {c.term: c for c in model.coefficients}
    order = ["intercept", "trabecular_hu", "age", "sex", "bmi"][: terms + 1]
    assert model.method == "maximum_likelihood"
    assert [estimates[t].estimate for t in order] == near(wanted["ml"]["estimate"])
    assert [estimates[t].se for t in order] == near(wanted["ml"]["se"])
    assert model.log_likelihood == near(wanted["log_likelihood"])
    assert model.indices[1].apparent == near(wanted["brier"])


def test_separated_outcomes_get_firth():
    """brglm2's bias-reduced fit, and the reason beside it; glm runs off to infinity here."""
    models = _models("separated")
    (model,) = [m for m in models if (m.outcome, m.predictors) == ("low_bmd", ("trabecular_hu",))]
    wanted = R["cohorts"]["separated"]["model"]["firth"]
    assert (model.method, model.reason) == ("firth", Absence.PERFECT_SEPARATION)
    assert [c.estimate for c in model.coefficients] == near(wanted["estimate"])
    assert [c.se for c in model.coefficients] == near(wanted["se"])
    assert model.indices == ()


@pytest.mark.parametrize("name", ["plain", "ties"])
def test_firth_where_nothing_is_separated(name):
    """The penalised fit of four predictors is brglm2's as well."""
    d = golden.data(name)
    x = d[["a", "age", "female", "bmi"]].to_numpy(dtype=float)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    fit = fit_firth(
        np.column_stack([np.ones(len(x)), (x - centre) / scale]), (d["t"] < -1).to_numpy(float)
    )
    wanted = R["cohorts"][name]["model"]["firth"]["estimate"]
    assert list(fit.beta[1:] / scale) == near(wanted[1:])


@pytest.mark.parametrize("shape", sorted(R["icc"]))
def test_icc(shape):
    """Three forms and their intervals are psych's."""
    wanted = R["icc"][shape]
    found = {i.form: i for i in measure_icc(np.array(wanted["values"], dtype=float))}
    for r in wanted["icc"]:
        icc = found[r["form"]]
        assert [icc.value, icc.ci_low, icc.ci_high] == near([r["value"], r["low"], r["high"]])


@pytest.mark.parametrize("shape", sorted(R["bland"]))
def test_bland_altman(shape):
    """Bias is t.test, the slope is lm, the limits are the paper's formula in base R."""
    values = np.array(R["icc"][shape]["values"], dtype=float)[:, :2]
    found, r = compare_differences(values), R["bland"][shape]
    assert [found.bias, found.bias_ci_low, found.bias_ci_high] == near([r["bias"], *r["bias_ci"]])
    assert [found.lower, found.upper] == near([r["lower"], r["upper"]])
    assert found.upper_ci_high - found.upper == near(r["half"])
    assert found.lower - found.lower_ci_low == near(r["half"])
    assert [found.slope, found.slope_p] == near([r["slope"], r["slope_p"]])


@pytest.mark.parametrize("row", R["wilson"], ids=lambda r: f"{r['x']}/{r['n']}")
def test_wilson(row):
    """prop.test without correction, at both ends as well."""
    found = measure_proportion(row["x"], row["n"])
    assert [found.ci_low, found.ci_high] == near([row["low"], row["high"]])


@pytest.mark.parametrize("i", range(3))
def test_fisher(i):
    """fisher.test of small tables of three groups."""
    table = np.array(R["fisher"]["tables"][i]).reshape(3, 2)
    found = compare_shares(table)
    assert found["test"] == "fisher_exact"
    assert found["p"] == near(R["fisher"]["p"][i])
