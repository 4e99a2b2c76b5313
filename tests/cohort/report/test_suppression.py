"""Small cells: hidden at four, shown at five, and not to be computed from what is shown."""

from __future__ import annotations

import pytest

from osteoct.cohort.report.suppression import suppress, suppress_counts
from osteoct.cohort.report.table_one import make_table_one

LEAST = 5


def proportion(numerator, denominator):
    value = numerator / denominator
    return {
        "value": value, "ci_low": 0.1, "ci_high": 0.9,
        "numerator": numerator, "denominator": denominator, "reason": None,
    }  # fmt: skip


def accuracy(true_pos, false_neg, false_pos, true_neg):
    ratio = {"value": 2.0, "ci_low": 1.0, "ci_high": 3.0, "reason": None}
    return {
        "true_pos": true_pos, "false_neg": false_neg, "false_pos": false_pos, "true_neg": true_neg,
        "prevalence": 0.5,
        "sensitivity": proportion(true_pos, true_pos + false_neg),
        "specificity": proportion(true_neg, true_neg + false_pos),
        "ppv": proportion(true_pos, true_pos + false_pos),
        "npv": proportion(true_neg, true_neg + false_neg),
        "lr_pos": ratio, "lr_neg": ratio, "both_above_70": True,
    }  # fmt: skip


@pytest.mark.parametrize(("n", "shown"), [(0, 0), (1, "<5"), (4, "<5"), (5, 5)])
def test_a_count_at_the_limit(n, shown):
    """One to four are hidden; nobody and five are shown."""
    assert suppress({"n": n, "mean": 1.0}, LEAST)["n"] == shown


def test_statistics_of_a_small_group_go_with_its_count():
    """The mean of three patients says something about each of them; of five it stays."""
    small = suppress({"n": 3, "mean": 1.0, "points": [1.0], "group": "healthy"}, LEAST)
    assert small == {
        "n": "<5", "mean": None, "points": [], "group": "healthy", "reason": "suppressed",
    }  # fmt: skip
    assert suppress({"n": 5, "mean": 1.0}, LEAST) == {"n": 5, "mean": 1.0}


def test_a_lone_small_outcome_hides_the_other():
    """With the total known, one of two counts gives the other."""
    hidden = suppress({"n_pos": 3, "n_neg": 40, "auc": 0.8}, LEAST)
    assert (hidden["n_pos"], hidden["n_neg"], hidden["auc"]) == ("<5", "hidden", None)


def test_a_lone_small_group_takes_the_next_with_it():
    """Likewise for three groups; two small ones hide each other."""
    counts = {"healthy": 3, "osteopenia": 20, "osteoporosis": 9, "unknown": 0}
    assert suppress_counts(counts, LEAST) == {
        "healthy": "<5", "osteopenia": 20, "osteoporosis": "hidden", "unknown": 0,
    }  # fmt: skip
    two = suppress_counts({"a": 3, "b": 2, "c": 9}, LEAST)
    assert two == {"a": "<5", "b": "<5", "c": 9}
    summaries = [{"group": g, "n": n} for g, n in (("all", 32), ("a", 3), ("b", 20), ("c", 9))]
    assert [s["n"] for s in suppress(summaries, LEAST)] == [32, "<5", 20, "hidden"]


def test_extremes_are_one_patients():
    """Minimum and maximum are values of single patients, in groups of any size."""
    assert suppress({"n": 50, "minimum": -3.0, "maximum": 4.0}, LEAST) == {
        "n": 50, "minimum": None, "maximum": None,
    }  # fmt: skip


def test_corners_of_a_curve_lose_their_hu():
    """A corner lies between two patients' values."""
    point = {"cutoff_hu": 141.2, "sensitivity": 0.5, "specificity": 0.5}
    assert suppress({"points": [point]}, LEAST)["points"][0]["cutoff_hu"] is None


def test_a_small_share_is_hidden_either_way():
    """Three men of forty are known where thirty-seven women are."""
    for count in (3, 37):
        assert suppress({"n": 40, "count": count, "share": count / 40}, LEAST)["share"] is None
    assert suppress({"n": 40, "count": 35, "share": 0.875}, LEAST)["share"] == 0.875


def test_a_small_cell_of_a_two_by_two_table():
    """It hides its row, the proportion of that row and those across; the other row stays."""
    hidden = suppress(accuracy(40, 3, 20, 60), LEAST)
    assert (hidden["true_pos"], hidden["false_neg"]) == ("hidden", "<5")
    assert hidden["sensitivity"]["value"] is None
    assert hidden["specificity"]["value"] == 0.75
    assert hidden["ppv"]["value"] is None
    shown = suppress(accuracy(40, 5, 20, 60), LEAST)
    assert shown == accuracy(40, 5, 20, 60)


def test_allowed_means_untouched_counts():
    """The user may switch it off."""
    record = {"n": 1, "n_pos": 3, "n_neg": 4, "auc": 0.7}
    assert suppress(record, 1) == record


def share(group, n, count):
    return {
        "group": group, "n": n, "n_missing": 0, "count": count, "share": count / n,
        "ci_low": 0.1, "ci_high": 0.9,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("count", "shown"), [(4, "<5"), (5, 5), (48, 48), (49, "hidden"), (53, 53)]
)
def test_a_share_whose_rest_is_small(count, shown):
    """49 women of 53 tell of 4 men: hidden, but not as if they were fewer than five."""
    assert suppress(share("healthy", 53, count), LEAST)["count"] == shown


def test_a_lone_hidden_share_takes_another_with_it():
    """198 women in all, 93 and 56 in two groups: the third would have 49."""
    row = {
        "variable": "female",
        "shares": [
            share("all", 229, 198), share("healthy", 53, 49), share("osteopenia", 109, 93),
            share("osteoporosis", 67, 56),
        ],
        "statistic": 1.2, "p": 0.3, "differences": [{"value": 0.1}],
    }  # fmt: skip
    made = suppress(row, LEAST)
    counts = {s["group"]: s["count"] for s in made["shares"]}
    assert counts == {"all": 198, "healthy": "hidden", "osteopenia": 93, "osteoporosis": "hidden"}
    assert made["shares"][3]["share"] is None
    assert (made["statistic"], made["p"], made["differences"]) == (None, None, [])
    table = make_table_one(
        [made | {"shown": "count", "unit": "%", "summaries": [], "test": None}], {}
    )
    assert table.rows[1][3:7] == ("198 (86.5)", "hidden", "93 (85.3)", "hidden")


def test_a_risk_bin_whose_rest_is_small():
    """21 events of 23 tell of two without."""
    made = suppress(
        {"n": 23, "events": 21, "observed": 21 / 23, "ci_low": 0.7, "ci_high": 1.0}, LEAST
    )
    assert (made["events"], made["observed"]) == ("hidden", None)
