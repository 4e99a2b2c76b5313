"""Area under the ROC curve and its covariance (DeLong 1988, Biometrics 44:837)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Values = NDArray[np.float64]


def measure_areas(positives: Values, negatives: Values) -> tuple[Values, Values]:
    """Areas of several markers measured on the same patients, and their covariance.

    By mid-ranks, O(n log n) (Sun and Xu 2014, IEEE Signal Process Lett 21:1389). Low is positive.

    Parameters
    ----------
    positives, negatives
        HU, markers × patients; at least one patient each.

    Returns
    -------
    areas, covariance
        Shapes (markers,) and (markers, markers); the covariance is NaN where a group has a single
        patient, since its part of the variance cannot be estimated.
    """
    m, n = positives.shape[1], negatives.shape[1]
    within_pos = rankdata(-positives, axis=1)
    within_neg = rankdata(-negatives, axis=1)
    among_all = rankdata(-np.concatenate([positives, negatives], axis=1), axis=1)
    v_pos = (among_all[:, :m] - within_pos) / n
    v_neg = 1 - (among_all[:, m:] - within_neg) / m
    areas = v_pos.mean(axis=1)
    if min(m, n) < 2:  # noqa: PLR2004 - a variance needs two
        return areas, np.full((len(areas), len(areas)), np.nan)
    covariance = np.atleast_2d(np.cov(v_pos)) / m + np.atleast_2d(np.cov(v_neg)) / n
    return areas, covariance
