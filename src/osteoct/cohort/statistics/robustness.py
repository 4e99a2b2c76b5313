"""The main results again in parts of the cohort: does the result hang on a choice?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pandas as pd

from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.cohort_table import OUTCOMES, REGIONS, hu_column
from osteoct.cohort.statistics.correlation import correlate_values
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import (
    Correlation,
    HuRegion,
    Outcome,
    RobustnessRow,
    Site,
)
from osteoct.cohort.statistics.roc import make_roc
from osteoct.cohort.statistics.tscore import SITES

AGE_BANDS = ((0, 60), (60, 70), (70, 80), (80, 200))
"""Decades around the study's mean age of 71 y; lower bound within, upper without."""

MOST_KVPS = 8
"""Different tube voltages shown: more than any scanner offers."""

Strata = Iterator[tuple[str, str, "pd.Series[bool]"]]


def vary_choices(table: pd.DataFrame, choices: StatisticsChoices) -> tuple[RobustnessRow, ...]:
    """Repeat AUCs and Pearson correlations in every part of the cohort."""
    rows: list[RobustnessRow] = []
    known: dict[bytes, list[RobustnessRow]] = {}
    for factor, stratum, inside in _strata(table, choices):
        common = {"factor": factor, "stratum": stratum}
        who = inside.to_numpy(dtype=bool).tobytes()
        if who not in known:  # one scanner and one phase make many parts that are all patients
            known[who] = _repeat(table[inside], common, choices)
        rows += [row.model_copy(update=common) for row in known[who]]
    return tuple(rows)


def _repeat(
    part: pd.DataFrame, common: dict[str, str], choices: StatisticsChoices
) -> list[RobustnessRow]:
    """Every AUC and correlation of one part."""
    rows: list[RobustnessRow] = []
    for region in REGIONS:
        rows += [_area(part, common, region, outcome, choices) for outcome in OUTCOMES]
        rows += [_correlation(part, common, region, site, choices) for site in SITES]
    return rows


def _strata(table: pd.DataFrame, choices: StatisticsChoices) -> Strata:
    """Every part: factor, words, and who belongs to it. Unknown is a part of its own."""
    yield "all", "all", pd.Series(data=True, index=table.index)
    for sex, words in (("F", "women"), ("M", "men")):
        yield "sex", words, table["sex"] == sex
    for low, high in AGE_BANDS:
        words = f"{low}–{high - 1} y" if low and high < AGE_BANDS[-1][1] else ""
        words = words or (f"≥ {low} y" if low else f"< {high} y")
        yield "age", words, (table["age"] >= low) & (table["age"] < high)
    for kvp in np.sort(table["kvp"].dropna().unique())[:MOST_KVPS]:
        yield "kvp", f"{kvp:g} kVp", table["kvp"] == kvp
    for phase in sorted(table["phase"].dropna().unique()):
        yield "phase", str(phase), table["phase"] == phase
    for name, column in (("sex", "sex"), ("age", "age"), ("kvp", "kvp"), ("phase", "phase")):
        if table[column].isna().any():
            yield name, "unknown", table[column].isna()
    for days in choices.windows_days:
        yield "window", f"≤ {days} d", table["days_between"].abs() <= days
    yield "blocking", "kept", pd.Series(data=True, index=table.index)
    yield "blocking", "excluded", table["has_blocking"] == 0
    if table["has_blocking"].isna().any():
        yield "blocking", "unknown", table["has_blocking"].isna()


def _area(
    part: pd.DataFrame,
    common: dict[str, str],
    region: str,
    outcome: str,
    choices: StatisticsChoices,
) -> RobustnessRow:
    """AUC of one region in one part."""
    roc = make_roc(part, cast("Outcome", outcome), cast("HuRegion", region), with_points=False)
    row = RobustnessRow.model_validate(
        common
        | {"region": region, "measure": "auc", "target": outcome, "n": roc.n_pos + roc.n_neg}
        | {"n_pos": roc.n_pos, "n_neg": roc.n_neg}
    )
    if min(roc.n_pos, roc.n_neg) < choices.least_group:
        return row.model_copy(update={"reason": Absence.TOO_SMALL})
    return row.model_copy(
        update={
            "estimate": roc.auc,
            "ci_low": roc.ci_low,
            "ci_high": roc.ci_high,
            "reason": roc.reason,
            "ci_reason": roc.ci_reason,
        }
    )


def _correlation(
    part: pd.DataFrame,
    common: dict[str, str],
    region: str,
    site: str,
    choices: StatisticsChoices,
) -> RobustnessRow:
    """Pearson's r of one region and site in one part."""
    names = (hu_column(region), f"t_{site}")
    known = np.column_stack([part[name].to_numpy(dtype=float) for name in names])
    known = known[~np.isnan(known).any(axis=1)]
    row = RobustnessRow.model_validate(
        common | {"region": region, "measure": "pearson", "target": site, "n": len(known)}
    )
    if len(known) < choices.least_group:
        return row.model_copy(update={"reason": Absence.TOO_SMALL})
    empty = Correlation(
        region=cast("HuRegion", region),
        level="mean",
        site=cast("Site", site),
        method="pearson",
        n=len(known),
        n_missing=len(part) - len(known),
    )
    found = correlate_values(known[:, 0], known[:, 1], np.empty((len(known), 0)), empty)
    return row.model_copy(
        update={
            "estimate": found.r,
            "ci_low": found.ci_low,
            "ci_high": found.ci_high,
            "reason": found.reason,
            "ci_reason": found.ci_reason,
        }
    )
