"""Table 1: who the patients are, overall and by group."""

from __future__ import annotations

from itertools import combinations
from math import sqrt
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln

from osteoct.cohort.statistics.cohort_table import GROUPS, REGIONS, hu_column
from osteoct.cohort.statistics.groups import run_kruskal, run_welch, split_by_group
from osteoct.cohort.statistics.intervals import measure_proportion
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import (
    DescribeRow,
    GroupName,
    Share,
    StandardisedDifference,
    Summary,
)
from osteoct.cohort.statistics.tscore import SITES

SKEWED = 1.0
"""Skewness of a group beyond which median and quartiles are shown: that of an exponential is 2, of
a normal 0; chosen."""

LEAST_EXPECTED = 5.0
"""Expected count of a cell below which χ² is not trusted (Cochran 1954) and Fisher's test is
used."""

MOST_TABLES = 1_000_000
"""Tables that Fisher's test may enumerate; beyond it χ² stands."""

_SAME_CHANCE = 1 + 1e-7
"""Tables this close in chance are equally likely, as in R's fisher.test."""

Values = NDArray[np.float64]


def describe_cohort(table: pd.DataFrame) -> tuple[DescribeRow, ...]:
    """Describe sex, age, BMI, days between CT and DXA, T-scores and HU."""
    units = {"age": "y", "bmi": "kg/m²", "days_between": "d"}
    units |= {f"t_{site}": "T" for site in SITES} | {hu_column(region): "HU" for region in REGIONS}
    return (_describe_sex(table), *(_describe_number(table, v, u) for v, u in units.items()))


def _describe_number(table: pd.DataFrame, variable: str, unit: str) -> DescribeRow:
    """One continuous variable."""
    samples = split_by_group(table, variable)
    everyone = table[variable].to_numpy(dtype=float)
    summaries = [summarise(everyone[~np.isnan(everyone)], "all", len(table))]
    for g, v in samples.items():
        summaries.append(summarise(v, g, int((table["group"] == g).sum())))
    is_skewed = any(abs(s.skewness or 0.0) > SKEWED for s in summaries[1:])
    run = run_kruskal if is_skewed else run_welch
    test = run(variable, samples, 0)
    return DescribeRow(
        variable=variable,
        unit=unit,
        shown="median_iqr" if is_skewed else "mean_sd",
        summaries=tuple(summaries),
        test=test.method,
        statistic=test.statistic,
        p=test.p,
        reason=test.reason,
        differences=tuple(_differ(samples, a, b) for a, b in combinations(samples, 2)),
    )


def summarise(values: Values, group: str, size: int) -> Summary:
    """Describe the known values of a group of ``size`` patients."""
    n = len(values)
    counts: dict[str, Any] = {"group": group, "n": n, "n_missing": size - n}
    if n:
        q25, median, q75 = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
        counts |= {"mean": float(values.mean()), "median": median, "q25": q25, "q75": q75}
        counts |= {"minimum": float(values.min()), "maximum": float(values.max())}
    if n > 1:
        counts["sd"] = float(values.std(ddof=1))
    if n > 2 and np.ptp(values) > 0:  # noqa: PLR2004 - the formula divides by n - 2
        z = (values - values.mean()) / values.std()
        counts["skewness"] = float((z**3).mean() * sqrt(n * (n - 1)) / (n - 2))
    return Summary(**counts)


def _differ(samples: dict[GroupName, Values], a: GroupName, b: GroupName) -> StandardisedDifference:
    """Standardised difference of two groups' means."""
    one, two = samples[a], samples[b]
    if min(len(one), len(two)) < 2:  # noqa: PLR2004 - an SD needs two
        return StandardisedDifference(first=a, second=b, reason=Absence.TOO_FEW)
    pooled = sqrt((one.var(ddof=1) + two.var(ddof=1)) / 2)
    if pooled == 0 or (np.ptp(one) == 0 and np.ptp(two) == 0):
        return StandardisedDifference(first=a, second=b, reason=Absence.ZERO_VARIANCE)
    return StandardisedDifference(first=a, second=b, value=float(one.mean() - two.mean()) / pooled)


def _describe_sex(table: pd.DataFrame) -> DescribeRow:
    """Share of women, overall and by group."""
    shares = [_share(table["sex"], "all")]
    shares += [_share(table.loc[table["group"] == g, "sex"], g) for g in GROUPS]
    counts = np.array([[s.count, s.n - s.count] for s in shares[1:]], dtype=np.int64)
    return DescribeRow(
        variable="female",
        unit="%",
        shown="count",
        shares=tuple(shares),
        differences=tuple(
            _differ_shares(shares[1 + i], shares[1 + j]) for i, j in combinations(range(3), 2)
        ),
        **compare_shares(counts),
    )


def _share(sex: pd.Series[str], group: str) -> Share:
    """Women of one group."""
    n, count = int(sex.notna().sum()), int((sex == "F").sum())
    share = measure_proportion(count, n)
    return Share(
        group=cast("GroupName", group),
        n=n,
        n_missing=len(sex) - n,
        count=count,
        share=share.value,
        ci_low=share.ci_low,
        ci_high=share.ci_high,
    )


def _differ_shares(one: Share, two: Share) -> StandardisedDifference:
    """Standardised difference of two shares."""
    first, second = cast("GroupName", one.group), cast("GroupName", two.group)
    if one.share is None or two.share is None:
        return StandardisedDifference(first=first, second=second, reason=Absence.EMPTY_GROUP)
    spread = sqrt((one.share * (1 - one.share) + two.share * (1 - two.share)) / 2)
    if spread == 0:
        return StandardisedDifference(first=first, second=second, reason=Absence.ZERO_VARIANCE)
    return StandardisedDifference(
        first=first, second=second, value=(one.share - two.share) / spread
    )


def compare_shares(counts: NDArray[np.int64]) -> dict[str, Any]:
    """χ² without correction, or Fisher's exact test where an expected count is small.

    Parameters
    ----------
    counts
        Groups × (with, without); empty groups do not count.
    """
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < 2:  # noqa: PLR2004 - one group has nothing to differ from
        return {"reason": Absence.TOO_FEW}
    if (counts.sum(axis=0) == 0).any():
        return {"reason": Absence.CONSTANT}
    found = stats.chi2_contingency(counts, correction=False)
    sizes = np.sort(counts.sum(axis=1))
    tables = int(np.prod(sizes[:-1] + 1))
    if found.expected_freq.min() >= LEAST_EXPECTED or tables > MOST_TABLES:
        statistic, p = float(found.statistic), float(found.pvalue)
        return {"test": "chi_square", "statistic": statistic, "p": p}
    return {"test": "fisher_exact", "p": _fisher(counts)}


def _fisher(counts: NDArray[np.int64]) -> float:
    """Fisher's exact P of a table of two columns: all tables with its margins, the less likely."""
    counts = counts[np.argsort(counts.sum(axis=1))]
    sizes, total = counts.sum(axis=1), int(counts[:, 0].sum())
    grids = np.meshgrid(*(np.arange(s + 1) for s in sizes[:-1]), indexing="ij")
    last = total - np.sum(grids, axis=0)
    fits = (last >= 0) & (last <= sizes[-1])
    ways = [_log_choose(s, g[fits]) for s, g in zip(sizes, [*grids, last], strict=True)]
    chances = np.sum(ways, axis=0)
    pairs = zip(sizes, counts[:, 0], strict=True)
    given = sum(_log_choose(size, np.array([count]))[0] for size, count in pairs)
    whole = _log_choose(int(sizes.sum()), np.array([total]))[0]
    weight = np.exp(chances - whole)
    limit = np.exp(given - whole) * _SAME_CHANCE
    return min(1.0, float(weight[weight <= limit].sum()))


def _log_choose(n: int, k: NDArray[np.int64]) -> Values:
    """Logarithm of the binomial coefficient."""
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=float)
