"""Intervals with a closed form: Wilson, Fisher z, likelihood ratios, noncentral t and F."""

from __future__ import annotations

from collections.abc import Callable
from math import atanh, exp, isfinite, log, sqrt, tanh

import numpy as np
from scipy import special, stats
from scipy.optimize import brentq
from statsmodels.stats.proportion import proportion_confint

from osteoct.cohort.statistics.diagnostic_records import Proportion, Ratio
from osteoct.cohort.statistics.reasons import Absence

LEVEL = 0.95
ALPHA = 1 - LEVEL
Z = float(stats.norm.ppf(1 - ALPHA / 2))
"""1.96: two-sided 95 % of the normal distribution."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)
_REACH_SD = 12.0
"""SDs of S around 1 that are integrated over: beyond them lies less than 1e-16."""

_NCP_TOLERANCE = 1e-10
"""Absolute error left in a noncentrality: R agrees to 1e-6 with four digits to spare."""


def measure_proportion(numerator: float, denominator: float) -> Proportion:
    """A proportion with Wilson's interval (1927, without continuity correction).

    >>> p = measure_proportion(0, 10)
    >>> round(p.ci_low, 4), round(p.ci_high, 4)
    (0.0, 0.2775)
    """
    if denominator <= 0:
        return Proportion(numerator=numerator, denominator=denominator, reason=Absence.ZERO_COUNT)
    low, high = proportion_confint(numerator, denominator, alpha=ALPHA, method="wilson")
    return Proportion(
        value=numerator / denominator,
        ci_low=max(0.0, float(low)),
        ci_high=min(1.0, float(high)),
        numerator=numerator,
        denominator=denominator,
    )


def measure_ratio(a: float, n_a: float, b: float, n_b: float) -> Ratio:
    """(a / n_a) / (b / n_b) with its interval on the log scale (Simel 1991)."""
    if min(n_a, n_b, b) <= 0:
        return Ratio(reason=Absence.ZERO_COUNT)
    value = (a / n_a) / (b / n_b)
    if a <= 0:
        return Ratio(value=value, ci_reason=Absence.ZERO_COUNT)
    se = sqrt(max(0.0, 1 / a - 1 / n_a + 1 / b - 1 / n_b))
    return Ratio(value=value, ci_low=exp(log(value) - Z * se), ci_high=exp(log(value) + Z * se))


def fisher_interval(r: float, n: int, k: int, *, is_rank: bool) -> tuple[float, float] | None:
    """Interval of a correlation by Fisher z; ``None`` at |r| = 1 and below n = 4 + k.

    ``k`` covariates were partialled out. Ranks: Bonett and Wright 2000, Psychometrika 65:23.
    """
    if n - 3 - k < 1 or abs(r) >= 1:
        return None
    se = sqrt((1 + r * r / 2 if is_rank else 1.0) / (n - 3 - k))
    return tanh(atanh(r) - Z * se), tanh(atanh(r) + Z * se)


def noncentral_t_limits(t: float, df: float) -> tuple[float, float] | None:
    """Noncentralities under which ``t`` is the 97.5th and the 2.5th percentile."""
    reach = 10 + abs(t)
    return _pivot(lambda ncp: noncentral_t_below(t, df, ncp), t - reach, t + reach)


def noncentral_t_below(t: float, df: float, ncp: float) -> float:
    """Distribution function of the noncentral t: E Φ(t S − ncp), S = √(χ²/df), by quadrature.

    scipy's own is NaN for many noncentralities (seen in 1.17.1: df 3, t 9, ncp 9.3).
    """
    sd = 1 / sqrt(2 * df)
    low, high = max(0.0, 1 - _REACH_SD * sd), 1 + _REACH_SD * sd
    s = low + (high - low) * (_NODES + 1) / 2
    density = stats.chi.pdf(s * sqrt(df), df) * sqrt(df)
    return float((special.ndtr(t * s - ncp) * density) @ _WEIGHTS * (high - low) / 2)


def noncentral_f_limits(f: float, df: float, df_denominator: float) -> tuple[float, float] | None:
    """Noncentralities under which ``f`` is the 97.5th and the 2.5th percentile; at least 0."""
    reach = 4 * f * df + 100

    def below(ncp: float) -> float:
        if ncp <= 0:
            return float(stats.f.cdf(f, df, df_denominator))
        return float(stats.ncf.cdf(f, df, df_denominator, ncp))

    return _pivot(below, 0.0, reach)


def _pivot(
    below: Callable[[float], float], least: float, most: float
) -> tuple[float, float] | None:
    """Where a falling distribution function passes 97.5 % and 2.5 %; the ends else."""
    limits = []
    for target in (1 - ALPHA / 2, ALPHA / 2):
        at_least, at_most = below(least) - target, below(most) - target
        if not (isfinite(at_least) and isfinite(at_most)) or at_most > 0:
            return None
        if at_least <= 0:
            limits.append(least)
        else:
            limits.append(
                float(brentq(lambda x, t=target: below(x) - t, least, most, xtol=_NCP_TOLERANCE))
            )
    return limits[0], limits[1]
