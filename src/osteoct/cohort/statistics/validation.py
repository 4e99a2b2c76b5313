"""A logistic model judged on its own patients and corrected for having seen them (Harrell)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from osteoct.cohort.statistics.logistic_fit import fit_logistic, fit_weighted
from osteoct.cohort.statistics.model_records import DecisionPoint, Index

Values = NDArray[np.float64]

THRESHOLDS = np.arange(1, 100) / 100
"""Threshold probabilities of the decision curve."""

CHUNK = 250_000
"""Cells (resamples × patients) worked on at once."""

MOST_VALIDATION_CELLS = 2_000_000
"""Resamples × patients of one model; above it fewer resamples are drawn, since the optimism of a
model of four predictors shrinks as 1/n: with 10⁵ patients it is beyond the third decimal."""

LEAST_VALIDATION = 20

INDICES = ("auc", "brier", "calibration_slope", "calibration_intercept")


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Indices and decision curve, and how many resamples had no finite fit."""

    indices: tuple[Index, ...]
    decision_curve: tuple[DecisionPoint, ...]
    n_failed: int


def count_resamples(asked: int, patients: int) -> int:
    """Resamples that validate a model of so many patients: as asked up to 10⁴ by default.

    >>> count_resamples(200, 10_000), count_resamples(200, 20_000), count_resamples(5, 10**6)
    (200, 100, 5)
    """
    return min(asked, max(LEAST_VALIDATION, MOST_VALIDATION_CELLS // max(1, patients)))


def validate_model(
    design: Values, y: Values, beta: Values, n: int, random: np.random.Generator
) -> Validation:
    """Judge a fitted model and subtract the optimism of ``n`` resamples of patients.

    Each resample is fitted anew; optimism is what the new model shows on its resample, less what it
    shows on the patients (Harrell 1996, Stat Med 15:361).
    """
    order = np.argsort(design @ beta)  # resamples of one predictor are in order, too
    design, y = design[order], y[order]
    rows = max(1, min(n, CHUNK // len(y)))
    gaps: list[Values] = []
    for start in range(0, n, rows):
        weights = _draw(len(y), min(rows, n - start), random)
        for w, b in zip(weights, fit_weighted(design, y, weights, beta), strict=True):
            gap = _optimism(design @ b, y, w) if np.isfinite(b).all() else None
            if gap is not None:
                gaps.append(gap)
    apparent = _judge(design @ beta, y, np.ones(len(y)))
    optimism = np.mean(gaps, axis=0) if gaps else None
    return Validation(
        indices=_indices(apparent, optimism),
        decision_curve=_decisions(apparent, optimism, float(y.mean())),
        n_failed=n - len(gaps),
    )


def _draw(patients: int, rows: int, random: np.random.Generator) -> Values:
    """How often each patient is drawn, resamples × patients."""
    drawn = random.integers(0, patients, size=(rows, patients))
    drawn += np.arange(rows)[:, None] * patients
    counts = np.bincount(drawn.ravel(), minlength=rows * patients)
    return counts.reshape(rows, patients).astype(float)


def _optimism(eta: Values, y: Values, weights: Values) -> Values | None:
    """What a model shows on its resample less what it shows on the patients."""
    if not (eta[1:] >= eta[:-1]).all():
        order = np.argsort(eta)
        eta, y, weights = eta[order], y[order], weights[order]
    everyone = _measure_sorted(eta, y, np.ones(len(y)))
    resample = _measure_sorted(eta, y, weights)
    calibration = _recalibrate(eta, y)
    if resample is None or everyone is None or calibration is None:
        return None
    # on its own resample a maximum-likelihood fit has slope 1 and intercept 0
    seen = np.concatenate([resample[:2], [1.0, 0.0], resample[2:]])
    gap: Values = seen - np.concatenate([everyone[:2], calibration, everyone[2:]])
    return gap


def _judge(eta: Values, y: Values, weights: Values) -> Values:
    """AUC, Brier score, slope 1, intercept 0, then net benefits, of the model on its patients."""
    order = np.argsort(eta)
    found = _measure_sorted(eta[order], y[order], weights[order])
    if found is None:  # both outcomes are there: the model was fitted
        found = np.zeros(2 + len(THRESHOLDS))
    return np.concatenate([found[:2], [1.0, 0.0], found[2:]])


def _measure_sorted(eta: Values, y: Values, weights: Values) -> Values | None:
    """AUC, Brier score and net benefits of patients in ascending order of log odds."""
    n, n_pos = weights.sum(), float(weights @ y)
    if n_pos in (0.0, n):
        return None
    p = expit(eta)
    w_pos, w_neg = weights * y, weights * (1 - y)
    edges = np.flatnonzero(np.concatenate([[True], np.diff(eta) != 0]))
    tied_pos, tied_neg = np.add.reduceat(w_pos, edges), np.add.reduceat(w_neg, edges)
    below = np.cumsum(tied_neg) - tied_neg / 2
    auc = float(tied_pos @ below) / (n_pos * (n - n_pos))
    brier = float(weights @ (y - p) ** 2) / n
    first = np.searchsorted(p, THRESHOLDS, side="left")
    above_pos, above_neg = (_from(w, first) for w in (w_pos, w_neg))
    benefit = (above_pos - above_neg * THRESHOLDS / (1 - THRESHOLDS)) / n
    return np.concatenate([[auc, brier], benefit])


def _from(weights: Values, first: NDArray[np.intp]) -> Values:
    """Sums of weights from each index to the end."""
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    return np.asarray(sums[-1] - sums[first], dtype=float)


def _recalibrate(eta: Values, y: Values) -> Values | None:
    """Slope and intercept of the outcome on a model's log odds."""
    start = np.array([0.0, 1.0])
    fit = fit_logistic(np.column_stack([np.ones(len(y)), eta]), y, start)
    return None if fit is None else fit.beta[::-1]


def _indices(apparent: Values, optimism: Values | None) -> tuple[Index, ...]:
    """The named indices; brier is better when lower, its optimism is negative."""
    rows = []
    for i, name in enumerate(("auc", "brier", "calibration_slope", "calibration_intercept")):
        seen = float(apparent[i])
        gap = None if optimism is None else float(optimism[i])
        corrected = None if gap is None else seen - gap
        rows.append(
            Index.model_validate(
                {"name": name, "apparent": seen, "optimism": gap, "corrected": corrected}
            )
        )
    return tuple(rows)


def _decisions(
    apparent: Values, optimism: Values | None, prevalence: float
) -> tuple[DecisionPoint, ...]:
    """The decision curve beside treating everybody."""
    rest = len(INDICES)
    return tuple(
        DecisionPoint(
            threshold=float(t),
            model=float(apparent[rest + i]),
            corrected=None if optimism is None else float(apparent[rest + i] - optimism[rest + i]),
            treat_all=prevalence - (1 - prevalence) * float(t / (1 - t)),
        )
        for i, t in enumerate(THRESHOLDS)
    )
