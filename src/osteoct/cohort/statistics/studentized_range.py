"""The studentized range: chance and quantile, by quadrature.

scipy's ``studentized_range`` is right but takes half a second for a quantile, and a cohort needs
54; it is what this is checked against. R's ``ptukey`` is off by 2e-6 near two degrees of freedom
and has no answer below; its ``qtukey`` stops at 1e-4.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy import special, stats
from scipy.optimize import brentq

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)

_REACH = 9.0
"""Normal deviates integrated over: beyond lies less than 1e-18."""

_WEIGHTS_OF_DEVIATES = stats.norm.pdf(_NODES * _REACH) * _WEIGHTS * _REACH

_REACH_SD = 12.0
"""SDs of S = √(χ²/df) around 1 that are integrated over."""

MOST = 1e5
"""Largest quantile looked for: with one degree of freedom and three groups it is 27."""


def exceed_range(q: float, k: int, df: float) -> float:
    """Chance that the range of ``k`` means over its standard error exceeds ``q`` (Tukey 1949).

    >>> round(exceed_range(3.877, 3, 10), 4)  # the tables' 5 % point
    0.05
    """
    z = _NODES * _REACH
    sd = 1 / sqrt(2 * df)
    low, high = max(0.0, 1 - _REACH_SD * sd), 1 + _REACH_SD * sd
    u = (_NODES + 1) / 2
    # the fourth power smooths the density's corner at 0, where degrees of freedom are few
    power = 1 if low else 4
    s = low + (high - low) * u**power
    width = (high - low) * power * u ** (power - 1) / 2
    inside = special.ndtr(z) - special.ndtr(z - q * s[:, None])
    among = 1 - k * (inside ** (k - 1)) @ _WEIGHTS_OF_DEVIATES
    density = stats.chi.pdf(s * sqrt(df), df) * sqrt(df)
    return min(1.0, max(0.0, float((among * density * width) @ _WEIGHTS)))


def find_range(chance: float, k: int, df: float) -> float | None:
    """Quantile that the range exceeds with a chance; ``None`` where it lies beyond ``MOST``."""
    low, high = 0.0, 4.0
    while exceed_range(high, k, df) > chance:
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    return float(brentq(lambda q: exceed_range(q, k, df) - chance, low, high, xtol=1e-10))
