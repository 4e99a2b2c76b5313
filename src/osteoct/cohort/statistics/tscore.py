"""Which group a T-score puts a patient in, by a named definition and a named site."""

from __future__ import annotations

import numpy as np
import pandas as pd

from osteoct.cohort.statistics.choices import DecidingSite, Definition

OSTEOPENIA_T = -1.0
"""Border of healthy and osteopenia in both definitions (WHO 1994; the study of 2026)."""

OSTEOPOROSIS_T = -2.5
"""Border of osteopenia and osteoporosis in both definitions."""

SITES = ("lumbar", "femoral_neck", "total_hip")


def deciding_t_score(table: pd.DataFrame, site: DecidingSite) -> pd.Series[float]:
    """T-score that sorts each patient: of one site, or the lowest of those known."""
    if site == "lowest":
        return table[[f"t_{s}" for s in SITES]].min(axis=1, skipna=True)
    return table[f"t_{site}"]


def assign_groups(t_score: pd.Series[float], definition: Definition) -> pd.Series[str]:
    """Sort T-scores into ``healthy``, ``osteopenia``, ``osteoporosis``; missing stays missing.

    ``who`` and ``study`` differ at exactly −1.0 and −2.5: WHO calls −1.0 healthy and −2.5
    osteoporosis, the study calls both osteopenia.

    >>> t = pd.Series([-1.0, -2.5])
    >>> list(assign_groups(t, "who")), list(assign_groups(t, "study"))
    (['healthy', 'osteoporosis'], ['osteopenia', 'osteopenia'])
    """
    t = t_score.to_numpy(dtype=float)
    if definition == "who":
        healthy, porotic = t >= OSTEOPENIA_T, t <= OSTEOPOROSIS_T
    else:
        healthy, porotic = t > OSTEOPENIA_T, t < OSTEOPOROSIS_T
    names = np.where(healthy, "healthy", np.where(porotic, "osteoporosis", "osteopenia"))
    groups = pd.Series(names, index=t_score.index, dtype=object)
    return groups.where(~np.isnan(t), None)
