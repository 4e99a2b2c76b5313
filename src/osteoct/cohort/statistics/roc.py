"""ROC curves of HU for each outcome, their areas, and regions compared on the same patients."""

from __future__ import annotations

from itertools import combinations
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from osteoct.cohort.statistics.cohort_table import OUTCOMES, REGIONS, hu_column
from osteoct.cohort.statistics.delong import measure_areas
from osteoct.cohort.statistics.diagnostic_records import Roc, RocPair, RocPoint
from osteoct.cohort.statistics.intervals import Z
from osteoct.cohort.statistics.multiplicity import adjust_holm
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import HuRegion, Outcome

ROC_POINTS = 1000
"""Corners kept of a curve: more than a figure at 300 dpi can show."""

NO_VARIANCE = 1e-15
"""Variance of an area, or of a difference of two, that is rounding: with 10⁵ patients it is
1e-6."""

Values = NDArray[np.float64]


def split_by_outcome(table: pd.DataFrame, outcome: str, *columns: str) -> tuple[Values, Values]:
    """Values (columns × patients) of those with and without the outcome who have all columns."""
    names = (f"outcome_{outcome}", *columns)
    values = np.stack([table[name].to_numpy(dtype=float) for name in names])
    values = values[:, ~np.isnan(values).any(axis=0)]
    return values[1:, values[0] == 1], values[1:, values[0] == 0]


def lacking(positives: Values, negatives: Values) -> Absence | None:
    """Why two groups cannot be told apart at all; ``None`` where they can be."""
    if not positives.size and not negatives.size:
        return Absence.TOO_FEW
    return Absence.ONE_CLASS if not positives.size or not negatives.size else None


def analyze_rocs(table: pd.DataFrame) -> tuple[Roc, ...]:
    """Make the curve and area of each region for each outcome."""
    return tuple(
        make_roc(table, cast("Outcome", outcome), cast("HuRegion", region))
        for outcome in OUTCOMES
        for region in REGIONS
    )


def make_roc(
    table: pd.DataFrame, outcome: Outcome, region: HuRegion, *, with_points: bool = True
) -> Roc:
    """Make one curve with DeLong's interval of its area, or the area alone."""
    pos, neg = split_by_outcome(table, outcome, hu_column(region))
    n = pos.shape[1] + neg.shape[1]
    row = Roc(
        outcome=outcome,
        region=region,
        n_pos=pos.shape[1],
        n_neg=neg.shape[1],
        n_missing=len(table) - n,
        reason=lacking(pos, neg),
    )
    if row.reason is not None:
        return row
    areas, covariance = measure_areas(pos, neg)
    points, n_points = trace_curve(pos[0], neg[0], ROC_POINTS) if with_points else ((), 0)
    values: dict[str, object] = {"auc": float(areas[0]), "n_points": n_points, "points": points}
    return row.model_copy(update=values | _interval(float(areas[0]), float(covariance[0, 0])))


def _interval(auc: float, variance: float) -> dict[str, object]:
    """Standard error and interval of an area, or why there is none."""
    if np.isnan(variance):
        return {"ci_reason": Absence.TOO_FEW}
    if variance <= NO_VARIANCE:
        separated = auc in (0.0, 1.0)
        return {"ci_reason": Absence.PERFECT_SEPARATION if separated else Absence.ZERO_VARIANCE}
    se = float(np.sqrt(variance))
    return {"se": se, "ci_low": max(0.0, auc - Z * se), "ci_high": min(1.0, auc + Z * se)}


def trace_curve(
    positives: Values, negatives: Values, most: int | None = None
) -> tuple[tuple[RocPoint, ...], int]:
    """Corners of a curve and how many there are; cut-offs lie midway between neighbouring values.

    Above ``most`` corners evenly spaced ones are made, both ends among them.
    """
    values, place = np.unique(np.concatenate([positives, negatives]), return_inverse=True)
    m, size = len(positives), len(values) + 1
    tp = np.cumsum(np.bincount(place[:m], minlength=len(values))) / m
    fp = np.cumsum(np.bincount(place[m:], minlength=len(values))) / len(negatives)
    cutoffs = [None, *((values[:-1] + values[1:]) / 2).tolist(), None]
    kept = np.arange(size)
    if most is not None and size > most:
        kept = np.unique(np.linspace(0, size - 1, most).round().astype(int))
    points = (
        RocPoint(cutoff_hu=cutoffs[i], sensitivity=s, specificity=1 - f)
        for i, s, f in zip(
            kept.tolist(),
            np.concatenate([[0.0], tp])[kept].tolist(),
            np.concatenate([[0.0], fp])[kept].tolist(),
            strict=True,
        )
    )
    return tuple(points), size


def compare_rocs(table: pd.DataFrame) -> tuple[RocPair, ...]:
    """Compare the areas of each pair of regions; Holm over the pairs of one outcome."""
    rows: list[RocPair] = []
    for outcome in OUTCOMES:
        family = [_compare_pair(table, outcome, a, b) for a, b in combinations(REGIONS, 2)]
        holm = adjust_holm([row.p for row in family])
        rows += [r.model_copy(update={"p_holm": p}) for r, p in zip(family, holm, strict=True)]
    return tuple(rows)


def _compare_pair(table: pd.DataFrame, outcome: str, a: str, b: str) -> RocPair:
    """Paired DeLong test of one pair."""
    pos, neg = split_by_outcome(table, outcome, hu_column(a), hu_column(b))
    row = RocPair(
        outcome=cast("Outcome", outcome),
        region_a=cast("HuRegion", a),
        region_b=cast("HuRegion", b),
        n_pos=pos.shape[1],
        n_neg=neg.shape[1],
        n_missing=len(table) - pos.shape[1] - neg.shape[1],
        reason=lacking(pos, neg),
    )
    if row.reason is not None:
        return row
    areas, covariance = measure_areas(pos, neg)
    values: dict[str, object] = {"auc_a": float(areas[0]), "auc_b": float(areas[1])}
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    values["difference"] = difference
    if np.isnan(variance):
        values["reason"] = Absence.TOO_FEW
    elif variance <= NO_VARIANCE:
        values["reason"] = Absence.ZERO_VARIANCE
    else:
        se = float(np.sqrt(variance))
        values |= {"ci_low": difference - Z * se, "ci_high": difference + Z * se}
        values |= {"z": difference / se, "p": float(2 * stats.norm.sf(abs(difference) / se))}
    return row.model_copy(update=values)
