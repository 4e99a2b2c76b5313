"""Records of diagnostic accuracy: curves, cut-offs and what follows at a cut-off.

Low HU is positive everywhere: a patient is positive where HU < cut-off, as in the rules of
:mod:`osteoct.classify`.
"""

from __future__ import annotations

from typing import Literal

from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import HuRegion, Outcome
from osteoct.record import Record


class RocPoint(Record):
    """One corner of a curve; ``cutoff_hu`` is absent at the two ends (nobody, everybody
    positive).
    """

    cutoff_hu: float | None = None
    sensitivity: float
    specificity: float


class Roc(Record):
    """Area under the curve of one region for one outcome.

    Parameters
    ----------
    auc
        Chance that a patient with the outcome has lower HU than one without, ties counting half.
        The direction is fixed: an area below 0.5 is reported as such, never turned.
    se, ci_low, ci_high
        DeLong 1988; normal interval cut at 0 and 1, as in R's pROC.
    points
        The curve from (0, 1) to (1, 0) in sensitivity and specificity; long curves are thinned to
        ``ROC_POINTS`` corners, ``n_points`` says how many there were.
    """

    outcome: Outcome
    region: HuRegion
    n_pos: int
    n_neg: int
    n_missing: int
    auc: float | None = None
    se: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    points: tuple[RocPoint, ...] = ()
    n_points: int = 0
    reason: Absence | None = None
    ci_reason: Absence | None = None


class RocPair(Record):
    """Two regions on the same patients: paired DeLong test of equal areas.

    ``auc_a`` and ``auc_b`` are those of the patients who have both regions.
    """

    outcome: Outcome
    region_a: HuRegion
    region_b: HuRegion
    n_pos: int
    n_neg: int
    n_missing: int
    auc_a: float | None = None
    auc_b: float | None = None
    difference: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    z: float | None = None
    p: float | None = None
    p_holm: float | None = None
    reason: Absence | None = None


class Proportion(Record):
    """A proportion with its Wilson interval; ``denominator`` 0 leaves it absent."""

    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    numerator: float
    denominator: float
    reason: Absence | None = None


class Ratio(Record):
    """A likelihood ratio with its interval by the log method (Simel 1991).

    Absent where it divides by 0; without interval where it is 0 itself.
    """

    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    reason: Absence | None = None
    ci_reason: Absence | None = None


class Accuracy(Record):
    """What a cut-off does on these patients.

    Counts are whole numbers, except in the optimism-corrected table, where they are what the
    corrected sensitivity and specificity imply. PPV and NPV hold at this cohort's prevalence alone.

    Parameters
    ----------
    both_above_70
        Whether the lower 95 % bounds of sensitivity and specificity both exceed 70 %; ``None``
        where one of them is absent.
    """

    true_pos: float
    false_neg: float
    false_pos: float
    true_neg: float
    prevalence: float | None = None
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion
    lr_pos: Ratio
    lr_neg: Ratio
    both_above_70: bool | None = None


class Cutoff(Record):
    """The cut-off with the largest Youden index, found and judged on the same patients.

    Parameters
    ----------
    cutoff_hu
        Midway between the two neighbouring values it divides. Of equal indices the most
        sensitive cut-off counts.
    cutoff_ci_low, cutoff_ci_high
        2.5th and 97.5th percentile of the cut-offs of ``n_bootstrap`` resamples drawn within each
        outcome.
    apparent
        At ``cutoff_hu`` on the patients it was chosen on: too good.
    corrected
        Apparent less Harrell's optimism, on average over the resamples: what to expect elsewhere.
    optimism_sensitivity, optimism_specificity
        What was subtracted.
    """

    outcome: Outcome
    region: HuRegion
    n_pos: int
    n_neg: int
    n_missing: int
    cutoff_hu: float | None = None
    cutoff_ci_low: float | None = None
    cutoff_ci_high: float | None = None
    youden: float | None = None
    n_bootstrap: int = 0
    seed: int | None = None
    apparent: Accuracy | None = None
    corrected: Accuracy | None = None
    optimism_sensitivity: float | None = None
    optimism_specificity: float | None = None
    reason: Absence | None = None


class FixedCutoff(Record):
    """A published cut-off tested on this cohort; it was not chosen here, so nothing is corrected.

    Parameters
    ----------
    rule, title
        Id and title of the rule in :mod:`osteoct.classify`.
    column
        HU column compared.
    n_missing
        Patients without HU or outcome.
    n_other_conditions
        Patients left out since kVp or phase are known not to be the cut-off's, or are unknown where
        the source states them.
    reason
        ``other-protocol`` and nothing else is filled where the HU were not measured by the rule's
        protocol.
    """

    rule: str
    title: str
    protocol: str
    outcome: Outcome
    region: HuRegion
    column: str
    cutoff_hu: float
    n_pos: int = 0
    n_neg: int = 0
    n_missing: int = 0
    n_other_conditions: int = 0
    accuracy: Accuracy | None = None
    reason: Absence | None = None


CutoffKind = Literal["youden_apparent", "youden_corrected", "published"]
"""How rows of ``cutoffs.csv`` are named."""
