"""Records of agreement between two methods and of repeated measurements."""

from __future__ import annotations

from typing import Literal

from osteoct.cohort.statistics.reasons import Absence
from osteoct.record import Record


class BlandAltman(Record):
    """Differences first − second against their means (Bland and Altman 1986, 1999).

    Parameters
    ----------
    bias, sd_difference
        Mean and SD of the differences.
    lower, upper
        Limits of agreement, bias ± 1.96 SD.
    *_ci_low, *_ci_high
        Bias: t. Limits: t with variance s² (1/n + 1.96²/(2 (n − 1))) (Bland and Altman 1999).
    slope, slope_p
        Of differences on means: a proportional bias, which limits of agreement do not show.
    """

    n: int
    n_missing: int
    bias: float | None = None
    bias_ci_low: float | None = None
    bias_ci_high: float | None = None
    sd_difference: float | None = None
    lower: float | None = None
    lower_ci_low: float | None = None
    lower_ci_high: float | None = None
    upper: float | None = None
    upper_ci_low: float | None = None
    upper_ci_high: float | None = None
    slope: float | None = None
    slope_p: float | None = None
    reason: Absence | None = None


class Icc(Record):
    """An intraclass correlation of single measurements (McGraw and Wong 1996).

    ``ICC(1)`` one-way random; ``ICC(A,1)`` two-way random, absolute agreement; ``ICC(C,1)``
    two-way, consistency. Over the patients with every measurement.
    """

    form: Literal["ICC(1)", "ICC(A,1)", "ICC(C,1)"]
    n: int
    n_missing: int
    k: int
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    reason: Absence | None = None
    ci_reason: Absence | None = None


class Precision(Record):
    """How far repeats of one patient scatter, and the change that is more than scatter.

    Parameters
    ----------
    n_patients, degrees_of_freedom
        Patients with two or more repeats, and Σ(repeats − 1).
    rms_sd, rms_cv_percent
        Root mean square of the patients' SD and of SD/mean, each weighted by its degrees of freedom
        (Glüer 1995). CV is absent where a patient's mean is not above 0, as HU can be.
    sd_ci_low … cv_ci_high
        From χ² with the degrees of freedom.
    least_change, least_change_percent
        2.77 × RMS-SD and 2.77 × RMS-CV: 1.96 · √2.
    """

    n_patients: int
    n_missing: int
    degrees_of_freedom: int
    rms_sd: float | None = None
    sd_ci_low: float | None = None
    sd_ci_high: float | None = None
    rms_cv_percent: float | None = None
    cv_ci_low: float | None = None
    cv_ci_high: float | None = None
    least_change: float | None = None
    least_change_percent: float | None = None
    reason: Absence | None = None
    cv_reason: Absence | None = None


class Agreement(Record):
    """All of one comparison or set of repeats."""

    name: str
    bland_altman: BlandAltman | None = None
    icc: tuple[Icc, ...] = ()
    precision: Precision | None = None


class AgreementRow(Record):
    """Agreement of one quantity: a line of ``agreement.csv``.

    Parameters
    ----------
    kind
        ``methods``: first against second side. ``repeats``: CTs of one patient, in order of time;
        Bland–Altman and ICC then compare the first two, precision takes all.
    n
        Patients, or pairs, with the quantity on both sides.
    n_missing
        Pairs without it on a side.
    mean_first, mean_second
        Over the ``n``.
    """

    kind: Literal["methods", "repeats"]
    region: str
    level: str
    unit: str
    n: int
    n_missing: int
    mean_first: float | None = None
    mean_second: float | None = None
    bland_altman: BlandAltman
    icc: tuple[Icc, ...]
    precision: Precision
