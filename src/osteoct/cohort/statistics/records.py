"""What the statistics return: frozen records, one per row of a table or line of a figure.

A number that could not be computed is ``None`` and ``reason`` says why. ``n`` counts the patients
that entered, ``n_missing`` those of the table that did not because a value they need is missing.
Intervals are 95 % and two-sided unless their docstring says otherwise. P values are two-sided.

The curves, models and tests of repeated measurements are in the files beside this one:
:mod:`~osteoct.cohort.statistics.diagnostic_records`,
:mod:`~osteoct.cohort.statistics.model_records` and
:mod:`~osteoct.cohort.statistics.repeat_records`.
"""

from __future__ import annotations

from typing import Literal

from osteoct.cohort.statistics.reasons import Absence
from osteoct.record import Record

HuRegion = Literal["total", "trabecular", "cortical"]
LevelName = Literal["mean", "L1", "L2", "L3", "L4", "L5"]
"""``mean`` is the mean of L1–L5, the column without a level in its name."""
Site = Literal["lumbar", "femoral_neck", "total_hip"]
GroupName = Literal["healthy", "osteopenia", "osteoporosis"]
Outcome = Literal["low_bmd", "osteoporosis"]
CorrelationMethod = Literal["pearson", "spearman", "partial_pearson", "partial_spearman"]


class Summary(Record):
    """One continuous variable in one group.

    Parameters
    ----------
    n, n_missing
        Patients of the group with and without a value; together they are the group.
    sd
        Sample SD (n − 1); absent below two values.
    q25, q75
        Linear between order statistics (R's type 7).
    skewness
        Adjusted Fisher–Pearson; absent below three values or where nothing varies.
    """

    group: GroupName | Literal["all"]
    n: int
    n_missing: int
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    q25: float | None = None
    q75: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    skewness: float | None = None


class Share(Record):
    """How many of a group's known patients have a property; interval by Wilson."""

    group: GroupName | Literal["all"]
    n: int
    n_missing: int
    count: int
    share: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


class StandardisedDifference(Record):
    """Difference of two groups in units of SD, sign of first − second (Austin 2009).

    Continuous: (m1 − m2) / sqrt((s1² + s2²) / 2); share: the same with s² = p (1 − p).
    """

    first: GroupName
    second: GroupName
    value: float | None = None
    reason: Absence | None = None


class DescribeRow(Record):
    """One row of Table 1: a variable, overall and by group.

    Parameters
    ----------
    variable
        Column of the table (``age``, ``bmi``, ``total_hu`` …) or ``female``.
    unit
        As printed: ``y``, ``kg/m²``, ``HU``, ``d``, ``T``, or ``%``.
    shown
        ``mean_sd``, ``median_iqr`` (some group is skewed beyond the stated limit) or ``count``.
    summaries
        Of a continuous variable: all, then each group.
    shares
        Of a yes/no variable: all, then each group.
    test
        What ``p`` comes from: ``welch_anova``, ``kruskal_wallis``, ``chi_square`` or
        ``fisher_exact``.
    """

    variable: str
    unit: str
    shown: Literal["mean_sd", "median_iqr", "count"]
    summaries: tuple[Summary, ...] = ()
    shares: tuple[Share, ...] = ()
    test: Literal["welch_anova", "kruskal_wallis", "chi_square", "fisher_exact"] | None = None
    statistic: float | None = None
    p: float | None = None
    reason: Absence | None = None
    differences: tuple[StandardisedDifference, ...] = ()


class Correlation(Record):
    """HU of one region and level against the T-score of one site.

    Parameters
    ----------
    method
        ``pearson`` and ``spearman``, and the same partial on ``adjusted_for``.
    ci_low, ci_high
        Fisher z. Standard error of z: Pearson 1/√(n − 3 − k), Spearman √((1 + r²/2)/(n − 3 − k))
        (Bonett and Wright 2000), k covariates. Absent at |r| = 1 and below n = 4 + k.
    p
        t with n − 2 − k degrees of freedom, also for Spearman (no exact table).
    p_holm
        Adjusted over the rows of one method with a P.
    slope, intercept
        Least-squares line T-score = intercept + slope · HU, for ``pearson`` alone.
    residual_sd, mean_hu, sum_squares_hu
        What a band around the line needs, for ``pearson`` alone (see ``fit_band``).
    """

    region: HuRegion
    level: LevelName
    site: Site
    method: CorrelationMethod
    adjusted_for: tuple[str, ...] = ()
    n: int
    n_missing: int
    r: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    slope: float | None = None
    intercept: float | None = None
    residual_sd: float | None = None
    mean_hu: float | None = None
    sum_squares_hu: float | None = None
    reason: Absence | None = None
    ci_reason: Absence | None = None


class GroupTest(Record):
    """A test over all groups of one variable.

    ``df_denominator`` is absent for Kruskal–Wallis. Groups too small for the test are named in
    ``left_out``; Welch needs two values and some spread in each group.
    """

    variable: str
    method: Literal["welch_anova", "kruskal_wallis"]
    groups: tuple[GroupName, ...]
    left_out: tuple[GroupName, ...] = ()
    n: int
    n_missing: int
    statistic: float | None = None
    df: float | None = None
    df_denominator: float | None = None
    p: float | None = None
    reason: Absence | None = None


class PostHoc(Record):
    """Two groups compared after the test over all of them.

    Parameters
    ----------
    method
        ``games_howell``: studentized range, adjusted within. ``dunn``: z of mean ranks with ties,
        Holm over the pairs of one variable.
    difference
        First − second: of means in HU (or the variable's unit), or of mean ranks.
    ci_low, ci_high
        Of the difference of means, simultaneous 95 %; absent for Dunn.
    """

    variable: str
    method: Literal["games_howell", "dunn"]
    first: GroupName
    second: GroupName
    n_first: int
    n_second: int
    difference: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    statistic: float | None = None
    df: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    reason: Absence | None = None


class EffectSize(Record):
    """How large a difference is.

    ``omega_squared`` of Welch's F and ``epsilon_squared`` of the ranks span all groups (``first``
    and ``second`` are absent); ``hedges_g`` (pooled SD) and ``cliffs_delta`` compare two.
    ``ci_method`` names the interval: ``noncentral_f``, ``noncentral_t``, ``delong`` or
    ``bootstrap``. ``n_bootstrap`` counts the resamples behind a bootstrapped interval, less those
    that had nothing to compare; 0 where the interval is of another kind, or absent.
    """

    variable: str
    measure: Literal["omega_squared", "epsilon_squared", "hedges_g", "cliffs_delta"]
    first: GroupName | None = None
    second: GroupName | None = None
    n: int
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_method: Literal["noncentral_f", "noncentral_t", "delong", "bootstrap"] | None = None
    n_bootstrap: int = 0
    reason: Absence | None = None
    ci_reason: Absence | None = None


class RobustnessRow(Record):
    """One line of the forest plot: the result again in a part of the cohort.

    Parameters
    ----------
    factor
        ``all``, ``sex``, ``age``, ``kvp``, ``phase``, ``window`` or ``blocking``.
    stratum
        The part, in words: ``F``, ``60–69 y``, ``120 kVp``, ``≤ 90 d``, ``without blocking`` …
    estimate
        AUC (low HU is positive, DeLong) or Pearson's r against the site (Fisher z).
    n_pos, n_neg
        For AUC.
    reason
        ``too-small`` where the part is below the least size: nothing is shown then.
    """

    factor: Literal["all", "sex", "age", "kvp", "phase", "window", "blocking"]
    stratum: str
    region: HuRegion
    measure: Literal["auc", "pearson"]
    target: Outcome | Site
    n: int
    n_pos: int | None = None
    n_neg: int | None = None
    estimate: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    reason: Absence | None = None
    ci_reason: Absence | None = None
