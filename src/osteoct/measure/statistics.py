"""HU statistics of a set of voxels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoct.records import HuStatistics

PERCENTILES = (5, 25, 50, 75, 95)


def describe_hu(hu: NDArray[np.float32]) -> HuStatistics:
    """Describe the HU of at least one voxel.

    Every voxel counts: 0 HU is water, not background, and negative HU is marrow fat. Sums run in
    float64. Percentiles are linear between order statistics (numpy's default, R's type 7).

    >>> describe_hu(np.array([0, 100], dtype=np.float32)).mean_hu
    50.0
    """
    mean = float(hu.mean(dtype=np.float64))
    p05, p25, median, p75, p95 = (float(p) for p in np.percentile(hu, PERCENTILES))
    return HuStatistics(
        mean_hu=mean,
        median_hu=median,
        sd_hu=float(hu.std(dtype=np.float64)),
        p05_hu=p05,
        p25_hu=p25,
        p75_hu=p75,
        p95_hu=p95,
    )
