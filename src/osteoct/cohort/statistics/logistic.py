"""Logistic models of each outcome on each region's HU, alone and with age, sex and BMI."""

from __future__ import annotations

from math import exp
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from osteoct.cohort.statistics.bootstrap import make_generator
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.cohort.statistics.cohort_table import OUTCOMES, REGIONS, hu_column
from osteoct.cohort.statistics.intervals import Z, measure_proportion
from osteoct.cohort.statistics.logistic_fit import Fit, fit_firth, fit_logistic, is_separated
from osteoct.cohort.statistics.model_records import CalibrationPoint, Coefficient, LogisticModel
from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import HuRegion, Outcome
from osteoct.cohort.statistics.validation import count_resamples, validate_model

STEPS_OF_ODDS = {"age": (10.0, "10 y older"), "bmi": (5.0, "5 kg/m² more"), "sex": (1.0, "female")}
HU_STEP = (-10.0, "10 HU lower")
"""Odds ratios per step a reader can picture; per 1 HU they all read 0.99."""

LEAST_PER_OUTCOME = 2
"""Patients with and without the outcome below which nothing is fitted."""

CALIBRATION_BINS = 10

Values = NDArray[np.float64]


def fit_models(table: pd.DataFrame, choices: StatisticsChoices) -> tuple[LogisticModel, ...]:
    """Fit and validate two models per region and outcome."""
    return tuple(
        fit_model(table, cast("Outcome", o), cast("HuRegion", r), covariates, choices)
        for o in OUTCOMES
        for r in REGIONS
        for covariates in ((), ("age", "sex", "bmi"))
    )


def fit_model(
    table: pd.DataFrame,
    outcome: Outcome,
    region: HuRegion,
    covariates: tuple[str, ...],
    choices: StatisticsChoices,
) -> LogisticModel:
    """Fit one model; by Firth, unvalidated and with its reason where outcomes are separated."""
    predictors = (hu_column(region), *covariates)
    columns = table[[f"outcome_{outcome}", *predictors]]
    if "sex" in predictors:
        is_female = (table["sex"] == "F").astype(float).where(table["sex"].notna())
        columns = columns.assign(sex=is_female)
    complete = columns.dropna().to_numpy(dtype=float)
    y, x = complete[:, 0], complete[:, 1:]
    row = LogisticModel(
        outcome=outcome,
        region=region,
        predictors=predictors,
        n_pos=int(y.sum()),
        n_neg=int((1 - y).sum()),
        n_missing=len(table) - len(y),
    )
    reason = _refuse(x, row)
    if reason is not None:
        return row.model_copy(update={"reason": reason})
    centre, scale = x.mean(axis=0), x.std(axis=0)
    design = np.column_stack([np.ones(len(y)), (x - centre) / scale])
    fit = fit_logistic(design, y)
    if fit is None:
        return _fit_separated(row, design, y, centre, scale)
    random = make_generator(choices.seed, "logistic", outcome, *predictors)
    times = count_resamples(choices.n_validation, len(y))
    validation = validate_model(design, y, fit.beta, times, random)
    return row.model_copy(
        update={
            "method": "maximum_likelihood",
            "coefficients": _coefficients(predictors, fit, centre, scale),
            "log_likelihood": fit.log_likelihood,
            "indices": validation.indices,
            "calibration": bin_risks(expit(design @ fit.beta), y),
            "decision_curve": validation.decision_curve,
            "n_bootstrap": times,
            "n_bootstrap_failed": validation.n_failed,
            "seed": choices.seed,
        }
    )


def _refuse(x: Values, row: LogisticModel) -> Absence | None:
    """Why nothing can be fitted; ``None`` where something can be."""
    if not row.n_pos or not row.n_neg:
        return Absence.ONE_CLASS if row.n_pos + row.n_neg else Absence.TOO_FEW
    if min(row.n_pos, row.n_neg) < LEAST_PER_OUTCOME or len(x) < x.shape[1] + 2:
        return Absence.TOO_FEW
    spread = x.std(axis=0)
    if np.ptp(x[:, 0]) == 0:
        return Absence.CONSTANT
    if (np.ptp(x, axis=0) == 0).any():
        return Absence.COLLINEAR
    standard = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / spread])
    return Absence.COLLINEAR if np.linalg.matrix_rank(standard) < standard.shape[1] else None


def _fit_separated(
    row: LogisticModel, design: Values, y: Values, centre: Values, scale: Values
) -> LogisticModel:
    """Firth's model where maximum likelihood has none."""
    fit = fit_firth(design, y)
    if fit is None:
        return row.model_copy(update={"reason": Absence.NOT_CONVERGED})
    is_whole = is_separated(design @ fit.beta, y)
    return row.model_copy(
        update={
            "method": "firth",
            "coefficients": _coefficients(row.predictors, fit, centre, scale),
            "log_likelihood": fit.log_likelihood,
            "reason": Absence.PERFECT_SEPARATION if is_whole else Absence.NOT_CONVERGED,
        }
    )


def _coefficients(
    predictors: tuple[str, ...], fit: Fit, centre: Values, scale: Values
) -> tuple[Coefficient, ...]:
    """Coefficients per unit of the predictors, which were fitted standardised."""
    back = np.diag(np.concatenate([[1.0], 1 / scale]))
    back[0, 1:] = -centre / scale
    beta = back @ fit.beta
    errors = np.sqrt(np.diag(back @ fit.covariance @ back.T))
    terms = [("intercept", 0.0, "")]
    terms += [(name, *STEPS_OF_ODDS.get(name, HU_STEP)) for name in predictors]
    return tuple(
        _coefficient(term, per, step, float(b), float(se))
        for (term, step, per), b, se in zip(terms, beta, errors, strict=True)
    )


def _coefficient(term: str, per: str, step: float, b: float, se: float) -> Coefficient:
    """One term with Wald's test and the odds ratio of its step."""
    p = float(2 * stats.norm.sf(abs(b) / se))
    if not step:
        return Coefficient(term=term, per=per, estimate=b, se=se, p=p)
    half = Z * se * abs(step)
    return Coefficient(
        term=term,
        per=per,
        estimate=b,
        se=se,
        p=p,
        odds_ratio=exp(b * step),
        odds_ci_low=exp(b * step - half),
        odds_ci_high=exp(b * step + half),
    )


def bin_risks(risk: Values, y: Values) -> tuple[CalibrationPoint, ...]:
    """Patients in up to ten bins of equal size by predicted risk; equal risks stay together."""
    edges = np.quantile(risk, np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1])
    place = np.searchsorted(edges, risk, side="left")
    points = []
    for i in np.unique(place):
        inside = place == i
        share = measure_proportion(float(y[inside].sum()), float(inside.sum()))
        points.append(
            CalibrationPoint(
                n=int(inside.sum()),
                events=int(y[inside].sum()),
                predicted=float(risk[inside].mean()),
                observed=share.value or 0.0,
                ci_low=share.ci_low or 0.0,
                ci_high=share.ci_high or 0.0,
            )
        )
    return tuple(points)
