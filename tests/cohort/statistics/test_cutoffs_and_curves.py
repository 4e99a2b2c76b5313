"""Direction, ties, resampling and the 70 % line, against counting by hand and scikit-learn."""

from __future__ import annotations

from math import nextafter

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from osteoct.classify.rules import load_rules
from osteoct.cohort.statistics.accuracy import TARGET, exceed_target, judge_counts
from osteoct.cohort.statistics.bootstrap import Ladder, make_generator, pick_youden, resample_youden
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.cohort_table import prepare_table
from osteoct.cohort.statistics.cutoffs import find_cutoff
from osteoct.cohort.statistics.intervals import measure_proportion
from osteoct.cohort.statistics.published import RULE_OUTCOMES, check_published_cutoffs
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.robustness import vary_choices
from osteoct.cohort.statistics.roc import make_roc, trace_curve

CHOICES = StatisticsChoices(n_bootstrap=200)


def _table(pos, neg, column="trabecular_hu", **more):
    values = [*pos, *neg]
    t = [-3.0] * len(pos) + [0.0] * len(neg)
    frame = pd.DataFrame({"t_lumbar": t, column: values, **more})
    return prepare_table(frame, CHOICES).table


def test_low_is_positive_and_never_turned():
    """HU that rise with disease give an area below a half, not its mirror image."""
    assert make_roc(_table([1.0, 2.0], [3.0, 4.0]), "low_bmd", "trabecular").auc == 1.0
    assert make_roc(_table([3.0, 4.0], [1.0, 2.0]), "low_bmd", "trabecular").auc == 0.0


def test_area_is_scikit_learns():
    """A second library, with ties."""
    random = np.random.default_rng(5)
    pos, neg = random.normal(140, 30, 80).round(-1), random.normal(160, 30, 120).round(-1)
    expected = roc_auc_score([1] * 80 + [0] * 120, -np.concatenate([pos, neg]))
    assert make_roc(_table(pos, neg), "low_bmd", "trabecular").auc == pytest.approx(expected)


def test_of_equal_youden_indices_the_most_sensitive_counts():
    """1|2|3|4 with outcomes + − + −: cut-offs 1.5 and 3.5 tie at one half."""
    cut = find_cutoff(_table([1.0, 3.0], [2.0, 4.0]), "low_bmd", "trabecular", CHOICES)
    assert (cut.cutoff_hu, cut.youden) == (3.5, 0.5)
    assert cut.apparent.sensitivity.value == 1.0


def test_resampled_cutoffs_are_those_of_drawing_patients():
    """The fast resamples against the plain way."""
    random = np.random.default_rng(8)
    pos, neg = random.normal(130, 25, 40).round(), random.normal(160, 25, 50).round()
    fast = resample_youden(Ladder.of(pos, neg), 4000, make_generator(1, "test"))
    slow = []
    for _ in range(4000):
        ladder = Ladder.of(random.choice(pos, 40), random.choice(neg, 50))
        up_pos, up_neg = ladder.cumulate()
        last = int(pick_youden(up_pos[None], up_neg[None])[0])
        slow.append((ladder.hu[last] + ladder.hu[last + 1]) / 2)
    assert fast.cutoffs.mean() == pytest.approx(np.mean(slow), abs=0.6)
    assert fast.cutoffs.std() == pytest.approx(np.std(slow), rel=0.06)


def test_optimism_is_what_a_fresh_cohort_takes_away():
    """The corrected Youden index is near that of 10⁵ new patients, the apparent above."""
    random = np.random.default_rng(9)
    apparent, corrected, true = [], [], []
    fresh_pos, fresh_neg = random.normal(140, 30, 100_000), random.normal(160, 30, 100_000)
    for _ in range(60):
        table = _table(random.normal(140, 30, 25), random.normal(160, 30, 25))
        cut = find_cutoff(table, "low_bmd", "trabecular", CHOICES)
        apparent.append(cut.youden)
        c = cut.corrected
        corrected.append(c.sensitivity.value + c.specificity.value - 1)
        true.append((fresh_pos < cut.cutoff_hu).mean() - (fresh_neg < cut.cutoff_hu).mean())
    assert np.mean(apparent) > np.mean(true) + 0.05
    assert abs(np.mean(corrected) - np.mean(true)) < abs(np.mean(apparent) - np.mean(true)) / 2


def test_the_line_of_seventy_percent():
    """Fires above, not below, and not exactly at the limit."""
    assert judge_counts(900, 100, 100, 900).both_above_70 is True
    assert judge_counts(700, 300, 100, 900).both_above_70 is False
    assert judge_counts(0, 0, 1, 9).both_above_70 is None
    low = judge_counts(900, 100, 100, 900).sensitivity.ci_low
    assert low > TARGET


@pytest.mark.parametrize(
    ("low", "above"), [(nextafter(0.70, 0), False), (0.70, False), (nextafter(0.70, 1), True)]
)
def test_a_bound_exactly_at_seventy_percent(low, above):
    """The line says "above": a bound of 0.70 itself is not, the next number is."""
    at = measure_proportion(90, 100).model_copy(update={"ci_low": low})
    clear = measure_proportion(990, 1000)
    assert exceed_target(at, clear) is above
    assert exceed_target(clear, at) is above


def test_a_table_with_an_empty_margin():
    """Nothing divides by 0, and nothing becomes infinite."""
    found = judge_counts(5, 0, 0, 5)
    assert found.lr_pos.reason is Absence.ZERO_COUNT
    assert (found.lr_neg.value, found.lr_neg.ci_reason) == (0.0, Absence.ZERO_COUNT)
    assert judge_counts(0, 5, 0, 5).ppv.reason is Absence.ZERO_COUNT


def test_likelihood_ratio_by_hand():
    """Simel's worked form: ln interval with 1/a − 1/n."""
    ratio = judge_counts(90, 10, 20, 80).lr_pos
    half = 1.959963984540054 * np.sqrt(1 / 90 - 1 / 100 + 1 / 20 - 1 / 100)
    assert ratio.value == pytest.approx(4.5)
    assert [ratio.ci_low, ratio.ci_high] == pytest.approx([4.5 * np.exp(-half), 4.5 * np.exp(half)])


def test_published_cutoffs_on_their_own_protocol_only():
    """Exactly at the cut-off is not below; every rule has an outcome."""
    assert {r.id for r in load_rules() if r.protocol} == set(RULE_OUTCOMES)
    table = _table([141.3, 141.2], [141.4, 141.3], kvp=120.0)
    rows = {r.rule: r for r in check_published_cutoffs(table, "vertebra-core-3.5")}
    own = rows["study-2026-trabecular-low"]
    assert (own.accuracy.true_pos, own.accuracy.false_neg, own.accuracy.false_pos) == (1, 1, 0)
    assert rows["pickhardt-2013-l1-110"].reason is Absence.OTHER_PROTOCOL
    assert rows["pickhardt-2013-l1-110"].accuracy is None
    for row in check_published_cutoffs(table, "body-core-4"):
        assert row.reason is Absence.OTHER_PROTOCOL


def test_published_cutoffs_leave_out_other_conditions_with_a_count():
    """Known other kVp or contrast goes; unknown kVp stays where 120 was assumed."""
    table = _table(
        [100.0] * 3,
        [200.0] * 2,
        kvp=[120, 100, None, 120, 120],
        phase=["native", "native", None, "portal-venous", "native"],
    )
    (row,) = [
        r
        for r in check_published_cutoffs(table, "vertebra-core-3.5")
        if r.rule == "study-2026-trabecular-low"
    ]
    assert (row.n_pos, row.n_neg, row.n_other_conditions) == (2, 1, 2)
    l1 = _table([100.0] * 2, [200.0], column="trabecular_hu_l1", kvp=[120, None, 120])
    rows = {r.rule: r for r in check_published_cutoffs(l1, "axial-roi")}
    assert rows["pickhardt-2013-l1-160"].n_other_conditions == 1
    assert rows["pickhardt-2013-l1-160"].accuracy.true_pos == 1


@pytest.mark.parametrize(("n", "reason"), [(9, Absence.TOO_SMALL), (10, None)])
def test_parts_below_the_least_size_are_not_shown(n, reason):
    """Nine of one outcome are too few to show, ten are shown."""
    random = np.random.default_rng(2)
    table = _table(random.normal(140, 20, n), random.normal(160, 20, 30))
    rows = [r for r in vary_choices(table, CHOICES) if r.factor == "all" and r.measure == "auc"]
    (row,) = [r for r in rows if (r.region, r.target) == ("trabecular", "low_bmd")]
    assert row.reason is reason
    assert (row.estimate is None) == (reason is not None)


@pytest.mark.parametrize("days", [90, 180, 365])
def test_windows_include_their_limit(days):
    """A scan exactly at the limit belongs to the window, one day later it does not."""
    table = _table([1.0] * 10, [2.0] * 11, days_between=[days] * 20 + [days + 1])
    rows = [r for r in vary_choices(table, CHOICES) if r.stratum == f"≤ {days} d"]
    assert {r.n for r in rows if r.measure == "auc" and r.region == "trabecular"} == {20}


def test_unknown_findings_are_a_part_of_their_own():
    """Of 30 patients 12 have none, 8 have one, of 10 nothing is known: no row is lost."""
    blocking = [False] * 6 + [True] * 4 + [None] * 5
    table = _table(range(15), range(10, 25), has_blocking=blocking * 2)
    rows = {
        r.stratum: r.n
        for r in vary_choices(table, CHOICES)
        if (r.factor, r.measure, r.region, r.target) == ("blocking", "auc", "trabecular", "low_bmd")
    }
    assert rows == {"kept": 30, "excluded": 12, "unknown": 10}
    known = _table(range(15), range(10, 25), has_blocking=False)
    strata = {r.stratum for r in vary_choices(known, CHOICES) if r.factor == "blocking"}
    assert strata == {"kept", "excluded"}


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    """At the limit every corner is there, one above it some are left out and counted."""
    values = np.arange(20.0)
    whole, n = trace_curve(values[::2], values[1::2], 21)
    assert (len(whole), n) == (21, 21)
    thin, n = trace_curve(values[::2], values[1::2], 20)
    assert (len(thin), n) == (20, 21)
    assert (thin[0], thin[-1]) == (whole[0], whole[-1])
    assert set(thin) < set(whole)
