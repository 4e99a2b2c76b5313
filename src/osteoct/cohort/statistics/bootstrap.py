"""Resamples of Youden's cut-off, many at a time."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Counts = NDArray[np.int64]

CHUNK = 250_000
"""Cells (resamples × distinct values) worked on at once: 2 MB a table, which a cache holds."""


def make_generator(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each named result: none depends on which others were computed."""
    digest = sha256("/".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """HU of both outcomes as counts at their distinct values, lowest first.

    Parameters
    ----------
    hu
        Distinct HU, ascending.
    pos_places, neg_places
        Index into ``hu`` of every patient with and without the outcome.
    """

    hu: Values
    pos_places: NDArray[np.intp]
    neg_places: NDArray[np.intp]

    @classmethod
    def of(cls, positives: Values, negatives: Values) -> Ladder:
        """Sort two sets of HU."""
        values, place = np.unique(np.concatenate([positives, negatives]), return_inverse=True)
        m = len(positives)
        return cls(hu=values, pos_places=place[:m], neg_places=place[m:])

    def cumulate(self) -> tuple[Counts, Counts]:
        """How many of each outcome lie at or below each distinct value."""
        size = len(self.hu)
        pos = np.cumsum(np.bincount(self.pos_places, minlength=size), dtype=np.int64)
        neg = np.cumsum(np.bincount(self.neg_places, minlength=size), dtype=np.int64)
        return pos, neg


def pick_youden(pos: Counts, neg: Counts) -> NDArray[np.intp]:
    """Index of the last distinct value called positive at the largest Youden index.

    In whole numbers, so that equal indices are equal; the highest of them counts. The last value is
    no candidate: above it all patients are positive and there is nothing to be midway to.

    Parameters
    ----------
    pos, neg
        Cumulated counts, resamples × distinct values.
    """
    index = pos * neg[:, -1:] - neg * pos[:, -1:]
    candidates = index[:, -2::-1]
    last: NDArray[np.intp] = candidates.shape[1] - 1 - np.argmax(candidates, axis=1)
    return last


@dataclass(frozen=True, kw_only=True)
class YoudenResamples:
    """The cut-off of each resample, and the optimism it showed, both of shape (resamples,)."""

    cutoffs: Values
    optimism_sensitivity: Values
    optimism_specificity: Values


def resample_youden(ladder: Ladder, n: int, random: np.random.Generator) -> YoudenResamples:
    """Draw resamples within each outcome and find each one's cut-off.

    Optimism is the accuracy of a resample's cut-off on the resample, less that on the patients
    (Harrell 1996, Stat Med 15:361).
    """
    size = len(ladder.hu)
    rows = max(1, min(n, CHUNK // size))
    parts = [_resample_chunk(ladder, min(rows, n - start), random) for start in range(0, n, rows)]
    return YoudenResamples(
        cutoffs=np.concatenate([p.cutoffs for p in parts]),
        optimism_sensitivity=np.concatenate([p.optimism_sensitivity for p in parts]),
        optimism_specificity=np.concatenate([p.optimism_specificity for p in parts]),
    )


def _resample_chunk(ladder: Ladder, rows: int, random: np.random.Generator) -> YoudenResamples:
    """Some resamples at once."""
    size, line = len(ladder.hu), np.arange(rows)
    pos = _draw(ladder.pos_places, rows, size, random)
    neg = _draw(ladder.neg_places, rows, size, random)
    m, n = len(ladder.pos_places), len(ladder.neg_places)
    last = pick_youden(pos, neg)
    total = pos + neg
    reached = total[line, last]
    lower = np.count_nonzero(total < reached[:, None], axis=1)
    upper = np.minimum(np.count_nonzero(total <= reached[:, None], axis=1), size - 1)
    cutoffs = (ladder.hu[lower] + ladder.hu[upper]) / 2
    known_pos, known_neg = ladder.cumulate()
    at = np.searchsorted(ladder.hu, cutoffs, side="left") - 1
    there_pos, there_neg = (np.where(at < 0, 0, c[at]) for c in (known_pos, known_neg))
    return YoudenResamples(
        cutoffs=cutoffs,
        optimism_sensitivity=(pos[line, last] - there_pos) / m,
        optimism_specificity=(there_neg - neg[line, last]) / n,
    )


def _draw(places: NDArray[np.intp], rows: int, size: int, random: np.random.Generator) -> Counts:
    """Cumulated counts of patients drawn with replacement, resamples × distinct values."""
    drawn = places[random.integers(0, len(places), size=(rows, len(places)), dtype=np.int32)]
    drawn += np.arange(rows)[:, None] * size
    counts = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
    return np.cumsum(counts, axis=1, dtype=np.int64)
