"""Logistic regression by Newton's method: one fit, Firth's fit, and many weighted fits at once.

statsmodels fits one model at a time; 200 resamples of twelve models on 10⁵ patients need all at
once. The single fit is checked against statsmodels and R, Firth's against R's brglm2.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Values = NDArray[np.float64]

STEPS = 50
STEP_TOLERANCE = 1e-10
"""Largest change of a coefficient (of standardised predictors) at which a fit has converged."""

LINEAR_LIMIT = 30.0
"""Log odds beyond which a fitted risk is 0 or 1 to thirteen digits: the fit runs off to
infinity."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """Coefficients and their covariance, on the scale of the design given."""

    beta: Values
    covariance: Values
    log_likelihood: float


def fit_logistic(design: Values, y: Values, start: Values | None = None) -> Fit | None:
    """Fit by maximum likelihood; ``None`` where no finite maximum is reached.

    So it is where a combination of predictors separates the outcomes, or some of the patients.
    """
    beta = np.zeros(design.shape[1]) if start is None else start
    p = expit(design @ beta)
    for _ in range(STEPS):
        information = design.T @ (design * (p * (1 - p))[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (y - p))
        except np.linalg.LinAlgError:
            return None
        beta = beta + step
        eta = design @ beta
        if not np.isfinite(eta).all():
            return None
        if np.abs(step).max() < STEP_TOLERANCE:
            return None if is_separated(eta, y) else _finish(design, y, beta)
        p = expit(eta)
    return None


def is_separated(eta: Values, y: Values) -> bool:
    """Whether log odds order the outcomes without error, or with ties alone."""
    return bool(eta[y == 1].min() >= eta[y == 0].max())


def _finish(design: Values, y: Values, beta: Values) -> Fit:
    """Covariance and likelihood at a solution."""
    eta = design @ beta
    p = expit(eta)
    information = design.T @ (design * (p * (1 - p))[:, None])
    likelihood = float((y * eta - np.logaddexp(0, eta)).sum())
    return Fit(
        beta=beta,
        covariance=np.asarray(np.linalg.inv(information), dtype=float),
        log_likelihood=likelihood,
    )


def fit_firth(design: Values, y: Values) -> Fit | None:
    """Fit with Firth's penalty (1993, Biometrika 80:27): finite even under separation."""
    beta = np.zeros(design.shape[1])
    for _ in range(10 * STEPS):
        p = expit(design @ beta)
        weighted = design * np.sqrt(p * (1 - p))[:, None]
        try:
            inverse = np.linalg.inv(weighted.T @ weighted)
        except np.linalg.LinAlgError:
            return None
        leverage = np.einsum("ij,jk,ik->i", weighted, inverse, weighted)
        step = inverse @ (design.T @ (y - p + leverage * (0.5 - p)))
        largest = float(np.abs(step).max())
        beta = beta + step * min(1.0, 1.0 / max(largest, STEP_TOLERANCE))
        if largest < STEP_TOLERANCE:
            return _finish(design, y, beta)
    return None


def fit_weighted(design: Values, y: Values, weights: Values, start: Values) -> Values:
    """Fit one model per row of weights; rows without a finite fit are NaN.

    Parameters
    ----------
    design, y
        Patients × terms, and patients.
    weights
        Resamples × patients: how often each patient was drawn.
    start
        Coefficients to begin from, such as those of the patients themselves.

    Returns
    -------
    beta
        Resamples × terms.
    """
    terms = design.shape[1]
    upper = np.triu_indices(terms)
    products = design[:, upper[0]] * design[:, upper[1]]
    beta = np.tile(start, (len(weights), 1))
    information = np.empty((len(weights), terms, terms))
    for _ in range(STEPS):
        p = expit(beta @ design.T)
        gradient = (weights * (y - p)) @ design
        packed = (weights * (p * (1 - p))) @ products
        information[:, upper[0], upper[1]] = packed
        information[:, upper[1], upper[0]] = packed
        step = _solve_each(information, gradient)
        beta += step
        beta[np.abs(beta).max(axis=1) > LINEAR_LIMIT] = np.nan
        if not np.nanmax(np.abs(step), initial=0.0) > STEP_TOLERANCE**0.8:
            break
    else:
        beta[np.abs(step).max(axis=1) > STEP_TOLERANCE**0.8] = np.nan
    return beta


def _solve_each(information: Values, gradient: Values) -> Values:
    """Newton steps; NaN where the information is singular."""
    step = np.full_like(gradient, np.nan)
    finite = np.isfinite(information).all(axis=(1, 2)) & np.isfinite(gradient).all(axis=1)
    rows = np.flatnonzero(finite)
    try:
        step[rows] = np.linalg.solve(information[rows], gradient[rows][..., None])[..., 0]
    except np.linalg.LinAlgError:
        for row in rows:
            with suppress(np.linalg.LinAlgError):
                step[row] = np.linalg.solve(information[row], gradient[row])
    return step
