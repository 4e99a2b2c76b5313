"""How large a difference between groups is, with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import exp, lgamma, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.cohort.statistics.bootstrap import make_generator
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.delong import measure_areas
from osteoct.cohort.statistics.intervals import (
    ALPHA,
    Z,
    noncentral_f_limits,
    noncentral_t_limits,
)
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import EffectSize, GroupName, GroupTest

Values = NDArray[np.float64]
Samples = Mapping[GroupName, Values]

MOST_BOOTSTRAP_CELLS = 40_000_000
"""Patients × resamples of a rank effect size; above it fewer resamples are drawn, since the
interval of a cohort of that size is narrower than the print."""

LEAST_RESAMPLES = 200


def measure_effects(
    variable: str, samples: Samples, welch: GroupTest, rank: GroupTest, choices: StatisticsChoices
) -> list[EffectSize]:
    """ω² and ε² over the groups; Hedges' g and Cliff's δ of each pair."""
    effects = [measure_omega(variable, welch), measure_epsilon(variable, samples, rank, choices)]
    for first, second in combinations(samples, 2):
        a, b = samples[first], samples[second]
        common: dict[str, Any] = {"variable": variable, "first": first, "second": second}
        common["n"] = len(a) + len(b)
        effects.append(EffectSize(measure="hedges_g", **common, **measure_hedges(a, b)))
        effects.append(EffectSize(measure="cliffs_delta", **common, **measure_cliff(a, b)))
    return effects


def measure_omega(variable: str, welch: GroupTest) -> EffectSize:
    """ω² from Welch's F, at least 0; interval from the noncentral F (Steiger 2004)."""
    row = EffectSize(variable=variable, measure="omega_squared", n=welch.n, reason=welch.reason)
    f, df, rest = welch.statistic, welch.df, welch.df_denominator
    if f is None or df is None or rest is None:
        return row
    limits = noncentral_f_limits(f, df, rest)
    values: dict[str, object] = {"value": max(0.0, (f - 1) * df / (f * df + rest + 1))}
    if limits is None:
        return row.model_copy(update=values | {"ci_reason": Absence.NOT_CONVERGED})
    low, high = (ncp / (ncp + df + rest + 1) for ncp in limits)
    return row.model_copy(
        update=values | {"ci_low": low, "ci_high": high, "ci_method": "noncentral_f"}
    )


def measure_epsilon(
    variable: str, samples: Samples, rank: GroupTest, choices: StatisticsChoices
) -> EffectSize:
    """ε² = H / (n − 1) of the ranks; interval by resampling within the groups."""
    row = EffectSize(variable=variable, measure="epsilon_squared", n=rank.n, reason=rank.reason)
    if rank.statistic is None:
        return row
    value = rank.statistic / (rank.n - 1)
    groups = [v for v in samples.values() if len(v)]
    places = np.unique(np.concatenate(groups), return_inverse=True)[1]
    ladders = np.split(places, np.cumsum([len(v) for v in groups])[:-1])
    times = min(choices.n_bootstrap, max(LEAST_RESAMPLES, MOST_BOOTSTRAP_CELLS // rank.n))
    random = make_generator(choices.seed, "epsilon", variable)
    size = int(places.max()) + 1
    drawn = [
        e for e in (_resample_epsilon(ladders, size, random) for _ in range(times)) if e is not None
    ]
    if not drawn:
        return row.model_copy(update={"value": value, "ci_reason": Absence.CONSTANT})
    low, high = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2]).tolist()
    ends = {"ci_low": low, "ci_high": high, "ci_method": "bootstrap", "n_bootstrap": len(drawn)}
    return row.model_copy(update={"value": value} | ends)


def _resample_epsilon(
    groups: list[NDArray[np.intp]], size: int, random: np.random.Generator
) -> float | None:
    """ε² of one resample; ``None`` where all its values are one.

    ``groups`` holds each patient's place among ``size`` distinct values, so that ranks are counts
    and nothing is sorted again.
    """
    drawn = [g[random.integers(0, len(g), len(g))] for g in groups]
    counts = np.array([np.bincount(d, minlength=size) for d in drawn], dtype=float)
    total = counts.sum(axis=0)
    ranks = np.cumsum(total) - (total + total.sum()) / 2  # less their mean
    spread = float(total @ ranks**2)
    if spread == 0:
        return None
    sums = counts @ ranks
    return float((sums**2 / counts.sum(axis=1)).sum()) / spread


def measure_hedges(a: Values, b: Values) -> dict[str, Any]:
    """Hedges' g: difference of means in pooled SD, corrected exactly for small samples.

    Interval by the noncentral t. J = Γ(df/2) / (√(df/2) Γ((df − 1)/2)) (Hedges 1981).
    """
    if min(len(a), len(b)) == 0:
        return {"reason": Absence.EMPTY_GROUP}
    df = len(a) + len(b) - 2
    if df < 2:  # noqa: PLR2004 - a variance needs two
        return {"reason": Absence.TOO_FEW}
    pooled = sqrt((float(((a - a.mean()) ** 2).sum()) + float(((b - b.mean()) ** 2).sum())) / df)
    if pooled == 0 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return {"reason": Absence.ZERO_VARIANCE}
    j = exp(lgamma(df / 2) - log(sqrt(df / 2)) - lgamma((df - 1) / 2))
    d = float(a.mean() - b.mean()) / pooled
    scale = sqrt(1 / len(a) + 1 / len(b))
    limits = noncentral_t_limits(d / scale, df)
    if limits is None:
        return {"value": d * j, "ci_reason": Absence.NOT_CONVERGED}
    low, high = (ncp * scale * j for ncp in limits)
    return {"value": d * j, "ci_low": low, "ci_high": high, "ci_method": "noncentral_t"}


def measure_cliff(a: Values, b: Values) -> dict[str, Any]:
    """Cliff's δ = P(a > b) − P(a < b) = 2 AUC − 1, with DeLong's interval of the area."""
    if min(len(a), len(b)) == 0:
        return {"reason": Absence.EMPTY_GROUP}
    areas, covariance = measure_areas(b[None], a[None])
    value, variance = 2 * float(areas[0]) - 1, float(covariance[0, 0])
    if not variance > 0:
        few = Absence.TOO_FEW if np.isnan(variance) else Absence.ZERO_VARIANCE
        return {"value": value, "ci_reason": few}
    half = 2 * Z * sqrt(variance)
    ends = {"ci_low": max(-1.0, value - half), "ci_high": min(1.0, value + half)}
    return {"value": value, "ci_method": "delong"} | ends
