"""Draw a synthetic cohort."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from osteoct.cohort.columns import COHORT_COLUMNS, REGIONS, SYNTHETIC
from osteoct.cohort.simulate.assumptions import (
    ASSUMED,
    CORE_SHARE,
    HEALTHY_ABOVE,
    OSTEOPOROSIS_BELOW,
    PUBLISHED,
    Assumptions,
)
from osteoct.errors import ConfigError

Floats = npt.NDArray[np.float64]

AGE_LIMITS: Final = (20.0, 100.0)
"""Ages are drawn between these; a normal of the study's moments makes patients of 115 years."""

GROUPS: Final = ("healthy", "osteopenia", "osteoporosis")


def draw_cohort(
    n: int = PUBLISHED.n, *, seed: int = 0, assumptions: Assumptions = ASSUMED
) -> pd.DataFrame:
    """Draw patients to the moments of the study.

    T-scores are drawn first and rounded to 0.1 as DXA prints them; the lowest of three sorts the
    patient. HU are the group's mean, plus what the T-scores say within the group, plus a residual.

    Returns
    -------
    DataFrame
        Columns of ``cohort.csv``, one row per patient, each called ``SYNTHETIC-…``.

    Raises
    ------
    ConfigError
        ``n`` below 1.

    >>> draw_cohort(2, seed=1)["patient"].tolist()
    ['SYNTHETIC-000001', 'SYNTHETIC-000002']
    """
    if n < 1:
        raise ConfigError("no patients to draw", where="--n", found=n, wanted="1 or more")
    rng = np.random.default_rng(seed)
    t_scores = _draw_t_scores(rng, n, assumptions)
    group = _sort_into_groups(t_scores)
    trabecular, cortical = _draw_hu(rng, t_scores, group, assumptions)
    columns = {
        "patient": [f"{SYNTHETIC}-{i:06d}" for i in range(1, n + 1)],
        **_draw_people(rng, n, assumptions),
        "ct_date": None,
        "dxa_date": None,
        "t_lumbar": t_scores[:, 0],
        "t_femoral_neck": t_scores[:, 1],
        "t_total_hip": t_scores[:, 2],
        "group": np.array(GROUPS)[group],
        "outcome_low_bmd": (group > 0).astype(int),
        "outcome_osteoporosis": (group == len(GROUPS) - 1).astype(int),
        **_spread_over_levels(rng, trabecular, cortical, assumptions),
        "kvp": 120.0,
        "phase": "native",
        "has_blocking": 0,
    }
    return pd.DataFrame(columns, columns=list(COHORT_COLUMNS))


def _draw_t_scores(rng: np.random.Generator, n: int, assumed: Assumptions) -> Floats:
    """Patients × (lumbar, femoral neck, total hip)."""
    lumbar_neck, lumbar_hip, neck_hip = assumed.t_correlation
    correlation = np.array(
        [[1, lumbar_neck, lumbar_hip], [lumbar_neck, 1, neck_hip], [lumbar_hip, neck_hip, 1]]
    )
    normal = rng.standard_normal((n, 3)) @ np.linalg.cholesky(correlation).T
    drawn: Floats = np.round(np.array(assumed.t_mean) + np.array(assumed.t_sd) * normal, 1) + 0.0
    return drawn


def _sort_into_groups(t_scores: Floats) -> npt.NDArray[np.int64]:
    """0 healthy, 1 osteopenia, 2 osteoporosis, by the study's definition."""
    lowest = t_scores.min(axis=1)
    limits = (lowest <= HEALTHY_ABOVE, lowest < OSTEOPOROSIS_BELOW)
    sorted_in: npt.NDArray[np.int64] = np.sum(limits, axis=0, dtype=np.int64)
    return sorted_in


def _draw_hu(
    rng: np.random.Generator, t_scores: Floats, group: npt.NDArray[np.int64], assumed: Assumptions
) -> tuple[Floats, Floats]:
    """Trabecular and cortical HU of each patient."""
    deviation = t_scores - np.array(assumed.t_group_means)[group]
    first, second = rng.standard_normal((2, len(group)))
    rho = assumed.residual_correlation
    normals = (first, rho * first + np.sqrt(1 - rho**2) * second)
    regions = ("trabecular", "cortical")
    slopes = (assumed.trabecular_slopes, assumed.cortical_slopes)
    drawn = []
    for i, region in enumerate(regions):
        means = (
            PUBLISHED.healthy_hu[region],
            PUBLISHED.osteopenia_hu[region],
            assumed.osteoporosis_hu[i],
        )
        spread = np.array([assumed.healthy_spread[i], 1.0, assumed.osteoporosis_spread[i]])
        residual = _skewed(normals[i], assumed.residual_skew[i]) * assumed.residual_sd_hu[i]
        drawn.append(
            np.array(means)[group] + deviation @ np.array(slopes[i]) + spread[group] * residual
        )
    return drawn[0], drawn[1]


def _skewed(normal: Floats, shape: float) -> Floats:
    """Standard normals as a lognormal of the shape, shifted and scaled to mean 0 and SD 1."""
    variance = shape**2
    made: Floats = (np.exp(shape * normal) - np.exp(variance / 2)) / np.sqrt(
        np.expm1(variance) * np.exp(variance)
    )
    return made


def _spread_over_levels(
    rng: np.random.Generator, trabecular: Floats, cortical: Floats, assumed: Assumptions
) -> dict[str, Floats]:
    """HU of L1–L5 per region, whose means are the patient's."""
    offsets = np.array(assumed.level_offsets_hu)
    scatter = rng.standard_normal((2, len(trabecular), len(offsets))) * assumed.level_sd_hu
    scatter -= scatter.mean(axis=2, keepdims=True)
    levels = {
        "trabecular": trabecular[:, None] + offsets + scatter[0],
        "cortical": cortical[:, None] + offsets + scatter[1],
    }
    levels["total"] = CORE_SHARE * levels["trabecular"] + (1 - CORE_SHARE) * levels["cortical"]
    made = {f"{region}_hu": np.round(levels[region].mean(axis=1), 3) for region in REGIONS}
    for region in REGIONS:
        for i in range(len(offsets)):
            made[f"{region}_hu_l{i + 1}"] = np.round(levels[region][:, i], 3)
    return made


def _draw_people(
    rng: np.random.Generator, n: int, assumed: Assumptions
) -> dict[str, npt.NDArray[np.generic]]:
    """Age, sex, BMI and days between the scans."""
    low, high = AGE_LIMITS
    mean = (PUBLISHED.age_mean - low) / (high - low)
    total = mean * (1 - mean) / (PUBLISHED.age_sd / (high - low)) ** 2 - 1
    log_variance = np.log1p((PUBLISHED.bmi_sd / PUBLISHED.bmi_mean) ** 2)
    log_mean = np.log(PUBLISHED.bmi_mean) - log_variance / 2
    days = assumed.days_window
    return {
        "sex": np.where(rng.random(n) < PUBLISHED.female_share, "F", "M"),
        "age": np.round(low + (high - low) * rng.beta(mean * total, (1 - mean) * total, n), 1),
        "bmi": np.round(rng.lognormal(log_mean, np.sqrt(log_variance), n), 1),
        "days_between": rng.integers(-days, days, n, endpoint=True),
    }
