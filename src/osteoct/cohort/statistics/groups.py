"""Groups compared: Welch with Games–Howell, Kruskal–Wallis with Dunn, and effect sizes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.cohort_table import GROUPS, LEVELS, REGIONS, hu_column
from osteoct.cohort.statistics.effects import measure_effects
from osteoct.cohort.statistics.intervals import ALPHA
from osteoct.cohort.statistics.multiplicity import adjust_holm
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import EffectSize, GroupName, GroupTest, PostHoc
from osteoct.cohort.statistics.studentized_range import exceed_range, find_range

LEAST = 2
"""Groups, or values of a group, that a comparison needs."""

Values = NDArray[np.float64]
Samples = dict[GroupName, Values]


@dataclass(frozen=True, kw_only=True)
class GroupComparison:
    """All tests over groups, variable by variable."""

    tests: tuple[GroupTest, ...]
    post_hoc: tuple[PostHoc, ...]
    effect_sizes: tuple[EffectSize, ...]


def compare_groups(table: pd.DataFrame, choices: StatisticsChoices) -> GroupComparison:
    """Compare the HU of the groups, region by region, mean and level by level."""
    tests: list[GroupTest] = []
    pairs: list[PostHoc] = []
    effects: list[EffectSize] = []
    for column in _variables(table):
        samples = split_by_group(table, column)
        missing = len(table) - sum(map(len, samples.values()))
        welch = run_welch(column, samples, missing)
        rank = run_kruskal(column, samples, missing)
        tests += [welch, rank]
        pairs += compare_games_howell(column, samples)
        pairs += compare_dunn(column, samples)
        effects += measure_effects(column, samples, welch, rank, choices)
    return GroupComparison(tests=tuple(tests), post_hoc=tuple(pairs), effect_sizes=tuple(effects))


def _variables(table: pd.DataFrame) -> list[str]:
    names = [hu_column(region, level) for region in REGIONS for level in LEVELS]
    return [name for name in names if name in table]


def split_by_group(table: pd.DataFrame, column: str) -> Samples:
    """Known values of each group, in the order of the groups, empty ones included."""
    known = table[table[column].notna()]
    return {
        cast("GroupName", g): known.loc[known["group"] == g, column].to_numpy(dtype=float)
        for g in GROUPS
    }


def run_welch(variable: str, samples: Samples, n_missing: int) -> GroupTest:
    """Test equal means without equal variances (Welch 1951)."""
    fit = {g: v for g, v in samples.items() if len(v) > 1 and np.ptp(v) > 0}
    row = _start(variable, "welch_anova", samples, tuple(fit), n_missing)
    if len(fit) < LEAST:
        reason = Absence.CONSTANT if _some(samples) > 1 else Absence.TOO_FEW
        return row.model_copy(update={"reason": reason})
    found = anova_oneway(list(fit.values()), use_var="unequal", welch_correction=True)
    return row.model_copy(
        update={
            "statistic": float(found.statistic),
            "df": float(found.df_num),
            "df_denominator": float(found.df_denom),
            "p": float(found.pvalue),
        }
    )


def run_kruskal(variable: str, samples: Samples, n_missing: int) -> GroupTest:
    """Test equal distributions by ranks, with the correction for ties."""
    fit = {g: v for g, v in samples.items() if len(v)}
    row = _start(variable, "kruskal_wallis", samples, tuple(fit), n_missing)
    if len(fit) < LEAST:
        return row.model_copy(update={"reason": Absence.TOO_FEW})
    if np.ptp(np.concatenate(list(fit.values()))) == 0:
        return row.model_copy(update={"reason": Absence.CONSTANT})
    found = stats.kruskal(*fit.values())
    return row.model_copy(
        update={"statistic": float(found.statistic), "df": len(fit) - 1, "p": float(found.pvalue)}
    )


def _some(samples: Samples) -> int:
    """How many groups have two values or more."""
    return sum(len(v) > 1 for v in samples.values())


def _start(
    variable: str, method: str, samples: Samples, used: tuple[GroupName, ...], n_missing: int
) -> GroupTest:
    """A row with its counts."""
    return GroupTest(
        variable=variable,
        method="welch_anova" if method == "welch_anova" else "kruskal_wallis",
        groups=used,
        left_out=tuple(g for g in samples if g not in used),
        n=sum(len(samples[g]) for g in used),
        n_missing=n_missing,
    )


def compare_games_howell(variable: str, samples: Samples) -> list[PostHoc]:
    """Compare each pair of means by the studentized range (Games and Howell 1976).

    The range is over the groups that have two values or more.
    """
    k = _some(samples)
    rows = []
    for first, second in combinations(samples, 2):
        a, b = samples[first], samples[second]
        row = _pair(variable, "games_howell", first, second, samples)
        if min(len(a), len(b)) < LEAST:
            empty = Absence.TOO_FEW if min(len(a), len(b)) else Absence.EMPTY_GROUP
            rows.append(row.model_copy(update={"reason": empty}))
            continue
        va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
        difference = float(a.mean() - b.mean())
        if np.ptp(a) == 0 and np.ptp(b) == 0:
            update = {"difference": difference, "reason": Absence.ZERO_VARIANCE}
            rows.append(row.model_copy(update=update))
            continue
        df = float((va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)))
        se = sqrt((va + vb) / 2)
        q = find_range(ALPHA, k, df)
        rows.append(
            row.model_copy(
                update={
                    "difference": difference,
                    "ci_low": None if q is None else difference - q * se,
                    "ci_high": None if q is None else difference + q * se,
                    "statistic": difference / (se * sqrt(2)),
                    "df": df,
                    "p_adjusted": exceed_range(abs(difference) / se, k, df),
                }
            )
        )
    return rows


def compare_dunn(variable: str, samples: Samples) -> list[PostHoc]:
    """Compare each pair of mean ranks (Dunn 1964), Holm over the pairs."""
    values = np.concatenate(list(samples.values()))
    n = len(values)
    ranks = dict(
        zip(
            samples,
            np.split(stats.rankdata(values), np.cumsum([*map(len, samples.values())])[:-1]),
            strict=True,
        )
    )
    ties = np.unique(values, return_counts=True)[1].astype(float)
    variance = 0.0
    if n > 1:
        variance = (n * (n + 1) - float((ties**3 - ties).sum()) / (n - 1)) / 12
    rows = []
    for first, second in combinations(samples, 2):
        a, b = ranks[first], ranks[second]
        row = _pair(variable, "dunn", first, second, samples)
        if not len(a) or not len(b):
            rows.append(row.model_copy(update={"reason": Absence.EMPTY_GROUP}))
            continue
        if len(ties) < LEAST:
            rows.append(row.model_copy(update={"reason": Absence.CONSTANT}))
            continue
        difference = float(a.mean() - b.mean())
        z = difference / sqrt(variance * (1 / len(a) + 1 / len(b)))
        update = {"difference": difference, "statistic": z, "p": float(2 * stats.norm.sf(abs(z)))}
        rows.append(row.model_copy(update=update))
    holm = adjust_holm([row.p for row in rows])
    return [r.model_copy(update={"p_adjusted": p}) for r, p in zip(rows, holm, strict=True)]


def _pair(
    variable: str, method: str, first: GroupName, second: GroupName, samples: Samples
) -> PostHoc:
    """A row with its counts."""
    return PostHoc(
        variable=variable,
        method="dunn" if method == "dunn" else "games_howell",
        first=first,
        second=second,
        n_first=len(samples[first]),
        n_second=len(samples[second]),
    )
