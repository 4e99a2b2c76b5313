"""Records of the logistic models: coefficients, validation, calibration, decision curve."""

from __future__ import annotations

from typing import Literal

from osteoct.cohort.statistics.reasons import Absence
from osteoct.cohort.statistics.records import HuRegion, Outcome
from osteoct.record import Record


class Coefficient(Record):
    """One term of a model on the scale of log odds.

    ``per`` is the step the odds ratio is for: 10 HU lower, 10 years older, 5 kg/m², female against
    male. Intervals are Wald; for Firth's model as well (its profile interval is wider).
    """

    term: str
    per: str
    estimate: float
    se: float | None = None
    p: float | None = None
    odds_ratio: float | None = None
    odds_ci_low: float | None = None
    odds_ci_high: float | None = None


class Index(Record):
    """A measure of a model's performance, apparent and corrected for optimism (Harrell)."""

    name: Literal["auc", "brier", "calibration_slope", "calibration_intercept"]
    apparent: float
    optimism: float | None = None
    corrected: float | None = None


class CalibrationPoint(Record):
    """Patients of like predicted risk: mean predicted against observed, Wilson interval."""

    n: int
    events: int
    predicted: float
    observed: float
    ci_low: float
    ci_high: float


class DecisionPoint(Record):
    """Net benefit per patient at one threshold probability (Vickers and Elkin 2006).

    ``corrected`` is the model's less its optimism; ``treat_none`` is always 0.
    """

    threshold: float
    model: float
    corrected: float | None = None
    treat_all: float


class LogisticModel(Record):
    """A logistic model of one outcome on one region's HU, alone or with age, sex and BMI.

    Parameters
    ----------
    predictors
        Columns, HU first.
    method
        ``maximum_likelihood``, or ``firth`` where predictors separate the outcomes, or some
        patients, and maximum likelihood has no finite estimate; ``reason`` then says so and nothing
        is validated, since resamples would be separated, too.
    indices
        AUC, Brier score, calibration slope and intercept (joint, on the logit scale).
    n_bootstrap, n_bootstrap_failed
        Resamples asked for, and those of them without a finite fit, which do not count.
    """

    outcome: Outcome
    region: HuRegion
    predictors: tuple[str, ...]
    method: Literal["maximum_likelihood", "firth"] | None = None
    n_pos: int
    n_neg: int
    n_missing: int
    coefficients: tuple[Coefficient, ...] = ()
    log_likelihood: float | None = None
    indices: tuple[Index, ...] = ()
    calibration: tuple[CalibrationPoint, ...] = ()
    decision_curve: tuple[DecisionPoint, ...] = ()
    n_bootstrap: int = 0
    n_bootstrap_failed: int = 0
    seed: int | None = None
    reason: Absence | None = None
