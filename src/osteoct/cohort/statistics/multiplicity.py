"""Holm's adjustment of a family in which some P values are missing."""

from __future__ import annotations

from collections.abc import Sequence

from statsmodels.stats.multitest import multipletests


def adjust_holm(p: Sequence[float | None]) -> list[float | None]:
    """Adjust the P values that exist; the family is as large as their number (Holm 1979).

    >>> adjust_holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    known = [x for x in p if x is not None]
    if not known:
        return list(p)
    adjusted = iter(multipletests(known, method="holm")[1].tolist())
    return [None if x is None else next(adjusted) for x in p]
