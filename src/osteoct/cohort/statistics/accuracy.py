"""What follows from a two-by-two table."""

from __future__ import annotations

from osteoct.cohort.statistics.diagnostic_records import Accuracy, Proportion
from osteoct.cohort.statistics.intervals import measure_proportion, measure_ratio

TARGET = 0.70
"""Bound that the lower 95 % limits of sensitivity and specificity are held against: the usual line
in clearances of screening software; a target for reading, no rule of a diagnosis."""


def judge_counts(tp: float, fn: float, fp: float, tn: float) -> Accuracy:
    """Judge a cut-off by its counts, which may be fractions after a correction.

    >>> judge_counts(90, 10, 20, 80).sensitivity.value
    0.9
    """
    sensitivity = measure_proportion(tp, tp + fn)
    specificity = measure_proportion(tn, tn + fp)
    n_pos, n_neg = tp + fn, tn + fp
    return Accuracy(
        true_pos=tp,
        false_neg=fn,
        false_pos=fp,
        true_neg=tn,
        prevalence=n_pos / (n_pos + n_neg) if n_pos + n_neg > 0 else None,
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=measure_proportion(tp, tp + fp),
        npv=measure_proportion(tn, tn + fn),
        lr_pos=measure_ratio(tp, n_pos, fp, n_neg),
        lr_neg=measure_ratio(fn, n_pos, tn, n_neg),
        both_above_70=exceed_target(sensitivity, specificity),
    )


def exceed_target(sensitivity: Proportion, specificity: Proportion) -> bool | None:
    """Whether both lower bounds lie above the target; exactly on it is not above."""
    if sensitivity.ci_low is None or specificity.ci_low is None:
        return None
    return sensitivity.ci_low > TARGET and specificity.ci_low > TARGET
