"""Two methods on the same patients, and repeats of one method."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from osteoct.cohort.statistics.intervals import ALPHA, Z
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.repeat_records import Agreement, BlandAltman, Icc, Precision

LEAST_CHANGE = 2.77
"""1.96 · √2, as the field rounds it: a change beyond it is more than scatter with 95 % (Glüer)."""

LEAST_PATIENTS = 3
"""Below it neither limits of agreement nor their intervals mean anything."""

Values = NDArray[np.float64]


def compare_methods(first: ArrayLike, second: ArrayLike, *, name: str) -> Agreement:
    """Compare two measurements of the same patients, in the same order; NaN is missing."""
    both = np.column_stack([np.asarray(first, dtype=float), np.asarray(second, dtype=float)])
    return Agreement(name=name, bland_altman=compare_differences(both), icc=measure_icc(both))


def measure_precision(repeats: ArrayLike, *, name: str) -> Agreement:
    """Measure the scatter of repeats, patients × repeats; NaN is a repeat that was not made."""
    values = np.asarray(repeats, dtype=float)
    return Agreement(name=name, icc=measure_icc(values), precision=measure_scatter(values))


def compare_differences(both: Values) -> BlandAltman:
    """Bland and Altman's limits of agreement of two columns."""
    known = both[np.isfinite(both).all(axis=1)]
    n = len(known)
    row = BlandAltman(n=n, n_missing=len(both) - n)
    if n < LEAST_PATIENTS:
        return row.model_copy(update={"reason": Absence.TOO_FEW})
    difference, mean = known[:, 0] - known[:, 1], known.mean(axis=1)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = float(stats.t.ppf(1 - ALPHA / 2, n - 1))
    at_bias = t * sd / sqrt(n)
    at_limit = t * sd * sqrt(1 / n + Z**2 / (2 * (n - 1)))
    values: dict[str, float] = {"bias": bias, "sd_difference": sd}
    values |= {"bias_ci_low": bias - at_bias, "bias_ci_high": bias + at_bias}
    for side, limit in (("lower", bias - Z * sd), ("upper", bias + Z * sd)):
        values |= {side: limit, f"{side}_ci_low": limit - at_limit}
        values[f"{side}_ci_high"] = limit + at_limit
    if np.ptp(mean) > 0 and np.ptp(difference) > 0:
        line = stats.linregress(mean, difference)
        values |= {"slope": float(line.slope), "slope_p": float(line.pvalue)}
    return row.model_copy(update=values)


def measure_icc(repeats: Values) -> tuple[Icc, ...]:
    """Three forms of the intraclass correlation of single measurements (McGraw and Wong 1996)."""
    known = repeats[np.isfinite(repeats).all(axis=1)]
    n, k = known.shape
    counts: dict[str, Any] = {"n": n, "n_missing": len(repeats) - n, "k": k}
    forms = ("ICC(1)", "ICC(A,1)", "ICC(C,1)")
    if n < 2 or k < 2:  # noqa: PLR2004 - nothing to compare
        return tuple(Icc(form=f, reason=Absence.TOO_FEW, **counts) for f in forms)
    if np.ptp(known) == 0:
        return tuple(Icc(form=f, reason=Absence.CONSTANT, **counts) for f in forms)
    m = _mean_squares(known)
    found = (_one_way(m, n, k), _absolute(m, n, k), _consistent(m, n, k))
    return tuple(Icc(form=f, **counts, **values) for f, values in zip(forms, found, strict=True))


def _mean_squares(x: Values) -> dict[str, float]:
    """Mean squares of rows, columns, what is left, and within rows."""
    n, k = x.shape
    rows, columns, grand = x.mean(axis=1), x.mean(axis=0), x.mean()
    left = x - rows[:, None] - columns[None] + grand
    scale = float(((x - grand) ** 2).sum())
    squares = {
        "r": k * float(((rows - grand) ** 2).sum()) / (n - 1),
        "c": n * float(((columns - grand) ** 2).sum()) / (k - 1),
        "e": float((left**2).sum()) / ((n - 1) * (k - 1)),
        "w": float(((x - rows[:, None]) ** 2).sum()) / (n * (k - 1)),
    }
    return {name: v if v > scale * 1e-24 else 0.0 for name, v in squares.items()}


def _ends(f: float, df1: float, df2: float) -> tuple[float, float]:
    """F divided by its upper quantile, and times the one of swapped degrees of freedom."""
    upper = 1 - ALPHA / 2
    return f / float(stats.f.ppf(upper, df1, df2)), f * float(stats.f.ppf(upper, df2, df1))


def _one_way(m: dict[str, float], n: int, k: int) -> dict[str, Any]:
    """ICC(1): which repeat is which does not matter."""
    value = (m["r"] - m["w"]) / (m["r"] + (k - 1) * m["w"])
    if not m["w"] or not m["r"]:
        return {"value": value, "ci_reason": Absence.ZERO_VARIANCE}
    low, high = _ends(m["r"] / m["w"], n - 1, n * (k - 1))
    return {"value": value} | _limits(low, high, k)


def _consistent(m: dict[str, float], n: int, k: int) -> dict[str, Any]:
    """ICC(C,1): a constant difference between columns does not count."""
    if not m["r"] and not m["e"]:
        return {"reason": Absence.CONSTANT}
    value = (m["r"] - m["e"]) / (m["r"] + (k - 1) * m["e"])
    if not m["e"] or not m["r"]:
        return {"value": value, "ci_reason": Absence.ZERO_VARIANCE}
    low, high = _ends(m["r"] / m["e"], n - 1, (n - 1) * (k - 1))
    return {"value": value} | _limits(low, high, k)


def _limits(low: float, high: float, k: int) -> dict[str, float]:
    """Limits of F as limits of a correlation."""
    return {"ci_low": (low - 1) / (low + k - 1), "ci_high": (high - 1) / (high + k - 1)}


def _absolute(m: dict[str, float], n: int, k: int) -> dict[str, Any]:
    """ICC(A,1): a constant difference between columns counts."""
    value = (m["r"] - m["e"]) / (m["r"] + (k - 1) * m["e"] + k * (m["c"] - m["e"]) / n)
    if not m["e"] or not m["r"] or value >= 1:
        return {"value": value, "ci_reason": Absence.ZERO_VARIANCE}
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    df = (a * m["c"] + b * m["e"]) ** 2 / (
        (a * m["c"]) ** 2 / (k - 1) + (b * m["e"]) ** 2 / ((n - 1) * (k - 1))
    )
    upper = 1 - ALPHA / 2
    f_low, f_high = (float(stats.f.ppf(upper, *d)) for d in ((n - 1, df), (df, n - 1)))
    rest = k * m["c"] + (k * n - k - n) * m["e"]
    low = n * (m["r"] - f_low * m["e"]) / (f_low * rest + n * m["r"])
    high = n * (f_high * m["r"] - m["e"]) / (rest + n * f_high * m["r"])
    return {"value": value, "ci_low": low, "ci_high": high}


def measure_scatter(repeats: Values) -> Precision:
    """Root-mean-square SD and CV of repeats, and the least significant change (Glüer 1995)."""
    is_made = np.isfinite(repeats)
    times = is_made.sum(axis=1)
    used = times > 1
    df = int((times[used] - 1).sum())
    row = Precision(n_patients=int(used.sum()), n_missing=int((~used).sum()), degrees_of_freedom=df)
    if not df:
        return row.model_copy(update={"reason": Absence.TOO_FEW})
    values, made, times = np.where(is_made, repeats, 0.0)[used], is_made[used], times[used]
    means = values.sum(axis=1) / times
    squares = np.where(made, (values - means[:, None]) ** 2, 0.0).sum(axis=1)
    sd = sqrt(float(squares.sum()) / df)
    reach = tuple(sqrt(df / float(stats.chi2.ppf(q, df))) for q in (1 - ALPHA / 2, ALPHA / 2))
    found: dict[str, Any] = {"rms_sd": sd, "least_change": LEAST_CHANGE * sd}
    found |= {"sd_ci_low": sd * reach[0], "sd_ci_high": sd * reach[1]}
    if (means <= 0).any():
        return row.model_copy(update=found | {"cv_reason": Absence.ZERO_COUNT})
    cv = 100 * sqrt(float((squares / means**2).sum()) / df)
    found |= {"rms_cv_percent": cv, "least_change_percent": LEAST_CHANGE * cv}
    found |= {"cv_ci_low": cv * reach[0], "cv_ci_high": cv * reach[1]}
    return row.model_copy(update=found)
