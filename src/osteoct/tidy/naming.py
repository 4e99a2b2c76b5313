"""Which body is which: the names that the labels give them, in the order of the spine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level

RARE_LEVELS = (Level.T13, Level.L6)
"""Names that only a column has whose labels use them."""

LEAST_MARGIN = 0.4
"""Votes by which the best naming must beat every other one; a body has one vote to give.

A body cut in half gives half a vote to its name; with less, a column can be read in two ways.
"""


@dataclass(frozen=True, kw_only=True)
class Naming:
    """One name per body, head to feet.

    Parameters
    ----------
    votes
        What the labels give to this naming, of as many votes as there are bodies.
    margin
        Votes by which it beats the next; ``inf`` where there is no other.
    """

    levels: tuple[Level, ...]
    votes: float
    margin: float

    @property
    def is_sure(self) -> bool:
        """Whether the column leaves no doubt."""
        return self.margin >= LEAST_MARGIN


def name_bodies(votes: Sequence[dict[Level, float]]) -> Naming | None:
    """Name bodies such that names go down the spine and most votes are kept.

    Only names from the highest to the lowest of the labels are given. ``None`` where there are
    more bodies than such names.

    Parameters
    ----------
    votes
        Per body, head to feet, the share of its voxels per level.

    >>> name_bodies([{Level.L1: 1}, {Level.L3: 1}, {Level.L2: 1}, {Level.L4: 1}]).levels
    (<Level.L1: 'L1'>, <Level.L2: 'L2'>, <Level.L3: 'L3'>, <Level.L4: 'L4'>)
    """
    used = {level for body in votes for level in body}
    if not used:
        return None
    first, last = min(lv.order for lv in used), max(lv.order for lv in used)
    names = [
        lv for lv in Level if first <= lv.order <= last and (lv in used or lv not in RARE_LEVELS)
    ]
    table = np.array([[body.get(name, 0.0) for name in names] for body in votes])
    best = _best(table)
    if best is None:
        return None
    total = float(table[np.arange(len(best)), best].sum())
    margin = np.inf
    for body, name in enumerate(best):
        other = table.copy()
        other[body, name] = -np.inf
        second = _best(other)
        if second is not None:
            margin = min(margin, total - float(other[np.arange(len(second)), second].sum()))
    return Naming(levels=tuple(names[n] for n in best), votes=total, margin=margin)


def _best(table: NDArray[np.float64]) -> list[int] | None:
    """Column per row, strictly growing, with the largest sum; ``None`` where none is finite."""
    bodies, names = table.shape
    best = np.full((bodies, names), -np.inf)
    before = np.zeros((bodies, names), dtype=int)
    for body in range(bodies):
        for name in range(body, names):
            if body == 0:
                best[body, name] = table[body, name]
                continue
            came = int(np.argmax(best[body - 1, :name])) if name else 0
            earlier = best[body - 1, came] if name else -np.inf
            best[body, name], before[body, name] = earlier + table[body, name], came
    if not bodies or names < bodies or not np.isfinite(best[-1].max()):
        return None
    chosen = [int(np.argmax(best[-1]))]
    for body in range(bodies - 1, 0, -1):
        chosen.append(int(before[body, chosen[-1]]))
    return chosen[::-1]
