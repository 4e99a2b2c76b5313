"""HU against T-scores: Pearson, Spearman and both partial on age, sex and BMI."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from osteoct.cohort.statistics.cohort_table import LEVELS, REGIONS, hu_column
from osteoct.cohort.statistics.intervals import ALPHA, fisher_interval
from osteoct.cohort.statistics.multiplicity import adjust_holm
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import (
    Correlation,
    CorrelationMethod,
    HuRegion,
    LevelName,
    Site,
)
from osteoct.cohort.statistics.tscore import SITES

COVARIATES = ("age", "sex", "bmi")
METHODS = ("pearson", "spearman", "partial_pearson", "partial_spearman")

SAME = 1e-10
"""Spread left in a residual, as a fraction of the variable's own, that is rounding and no
spread."""

Values = NDArray[np.float64]


def correlate(table: pd.DataFrame) -> tuple[Correlation, ...]:
    """Correlate each region's HU, mean and level by level, with the T-score of each site.

    Holm's family is all rows of one method. Columns absent from the table give no row, except for
    the means of L1–L5, which are always reported.
    """
    rows = [
        _correlate_columns(table, region, level, site, method)
        for method in METHODS
        for region in REGIONS
        for level in LEVELS
        if level == "mean" or hu_column(region, level) in table
        for site in SITES
    ]
    adjusted: dict[int, float | None] = {}
    for method in METHODS:
        family = [i for i, row in enumerate(rows) if row.method == method]
        adjusted |= dict(zip(family, adjust_holm([rows[i].p for i in family]), strict=True))
    return tuple(r.model_copy(update={"p_holm": adjusted[i]}) for i, r in enumerate(rows))


def _correlate_columns(
    table: pd.DataFrame, region: str, level: str, site: str, method: str
) -> Correlation:
    """One row: the patients who have both values and, if partial, the covariates."""
    covariates = COVARIATES if method.startswith("partial") else ()
    columns = table[[hu_column(region, level), f"t_{site}", *covariates]]
    if covariates:
        columns = columns.assign(
            sex=(table["sex"] == "F").astype(float).where(table["sex"].notna())
        )
    complete = columns.dropna().to_numpy(dtype=float)
    return correlate_values(
        complete[:, 0],
        complete[:, 1],
        complete[:, 2:],
        Correlation(
            region=cast("HuRegion", region),
            level=cast("LevelName", level),
            site=cast("Site", site),
            method=cast("CorrelationMethod", method),
            adjusted_for=covariates,
            n=len(complete),
            n_missing=len(table) - len(complete),
        ),
    )


def correlate_values(hu: Values, t: Values, covariates: Values, row: Correlation) -> Correlation:
    """Fill a row from complete values; ``covariates`` is patients × variables, maybe none."""
    n, k = len(hu), covariates.shape[1]
    if n < 3 + k:
        return row.model_copy(update={"reason": Absence.TOO_FEW})
    is_rank = row.method.endswith("spearman")
    x, y, z = (_ranks(v) for v in (hu, t, covariates)) if is_rank else (hu, t, covariates)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return row.model_copy(update={"reason": Absence.CONSTANT})
    if k:
        design = np.column_stack([np.ones(n), z - z.mean(axis=0)])
        if np.linalg.matrix_rank(design) < k + 1:
            return row.model_copy(update={"reason": Absence.COLLINEAR})
        fit_x, fit_y = _residuals(x, design), _residuals(y, design)
        if any(r.std() <= SAME * v.std() for r, v in ((fit_x, x), (fit_y, y))):
            return row.model_copy(update={"reason": Absence.COLLINEAR})
        x, y = fit_x, fit_y
    r = _pearson(x, y)
    df = n - 2 - k
    ci = fisher_interval(r, n, k, is_rank=is_rank)
    few = Absence.TOO_FEW if n - 3 - k < 1 else Absence.ZERO_VARIANCE
    values = {
        "r": r,
        "ci_low": None if ci is None else ci[0],
        "ci_high": None if ci is None else ci[1],
        "ci_reason": few if ci is None else None,
        "p": _p_value(r, df),
    }
    if row.method == "pearson":
        values |= _line(hu, t)
    return row.model_copy(update=values)


def _pearson(x: Values, y: Values) -> float:
    """Pearson's r, which rounding may not carry beyond 1."""
    x, y = x - x.mean(), y - y.mean()
    r = float(x @ y / np.sqrt((x @ x) * (y @ y)))
    nearest = round(r)
    return float(nearest) if abs(nearest) == 1 and abs(r - nearest) < SAME**1.4 else r


def _p_value(r: float, df: int) -> float:
    """Two-sided P of r by t."""
    if abs(r) >= 1:
        return 0.0
    return float(2 * stats.t.sf(abs(r) * np.sqrt(df / (1 - r * r)), df))


def _line(hu: Values, t: Values) -> dict[str, float | None]:
    """Least squares of T-score on HU."""
    spread = hu - hu.mean()
    squares = float(spread @ spread)
    slope = float(spread @ t) / squares
    residual = t - t.mean() - slope * spread
    return {
        "slope": slope,
        "intercept": float(t.mean() - slope * hu.mean()),
        "residual_sd": float(np.sqrt(residual @ residual / (len(hu) - 2))),
        "mean_hu": float(hu.mean()),
        "sum_squares_hu": squares,
    }


def _ranks(values: Values) -> Values:
    """Mid-ranks, column by column."""
    return np.asarray(stats.rankdata(values, axis=0), dtype=float)


def _residuals(y: Values, design: Values) -> Values:
    """What least squares leaves of a variable."""
    return np.asarray(y - design @ np.linalg.lstsq(design, y, rcond=None)[0], dtype=float)


def fit_band(correlation: Correlation, hu: Values) -> tuple[Values, Values, Values]:
    """The fitted T-score at each HU and the 95 % confidence band of the line.

    Raises
    ------
    ValueError
        The row holds no line: it is not ``pearson`` or was not computed.
    """
    c = correlation
    if c.slope is None or c.intercept is None or c.residual_sd is None:
        msg = f"no line in a row of method {c.method} with reason {c.reason}"
        raise ValueError(msg)
    line = c.intercept + c.slope * hu
    distance = (hu - (c.mean_hu or 0.0)) ** 2 / (c.sum_squares_hu or 1.0)
    half = stats.t.ppf(1 - ALPHA / 2, c.n - 2) * c.residual_sd * np.sqrt(1 / c.n + distance)
    return line, line - half, line + half
