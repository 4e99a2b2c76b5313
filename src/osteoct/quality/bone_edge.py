"""Where the CT's bone edge lies about the surface of a mask.

At the edge of bone HU step up on the way in. The step is read across every point of the surface,
a little inside against a little outside, and averaged. Moved to where its bone is, and grown or
shrunk to its size, the surface has the largest step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from osteoct.quality.outline import Floats, Outline, look_up_axes
from osteoct.volume import CTVolume

HU_LIMITS = (40.0, 500.0)
"""HU are clipped: below, so that the edge of muscle against fat or air is none; above, so that
metal, contrast and the densest cortex do not outweigh the rest."""

HALF_STEP_MM = 1.0
HALF_STEP_VOXELS = 0.5
"""How far inside and outside HU are read, both together: beyond the blur, short of thin parts."""

FAR_MM = 10.0
COARSE_MM = 2.5
"""Shifts tried first: to this distance in every direction, so far apart. The step falls to half
when the surface is moved by 2.5 to 3 mm, so none is missed."""

COARSE_POINTS = 250
"""Points per vertebra of the first search; the vertebrae are looked at together."""

SIZES_MM = tuple(np.arange(-6.0, 6.1, 1.0).tolist())
"""Distances tried first along the surface's own directions: masks too large or too small."""

FINE_STEPS_MM = (1.25, 0.6, 0.3)
MOST_MOVES = 3
"""Steps of the search around the best one, and moves with each of them."""

MOST_AT_ONCE = 2
"""Coordinates that one move changes."""

PLATEAU_MM = 2.5
PLATEAU_SHARE = 0.7
"""A thin shell gives two best places, with either of its faces at the surface: the middle of all
that reach this share of the best step, so near to it, is taken."""

PLATEAU_STEPS = 11

GOOD_PERCENTILE = 75.0
WORTH_SHARE = 0.4
"""A step worth the name has this share of the upper quartile of all points, chosen: half of it is
lost where an end plate falls between two slices."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EdgeReader:
    """Reads the step across one outline wherever it is moved.

    Parameters
    ----------
    index
        Points (N, 3) as indices of ``hu``.
    inverse
        Index steps per mm, (3, 3).
    half_mm
        Distance of both readings from the surface (N,).
    """

    hu: NDArray[np.generic]
    index: Floats
    normal: Floats
    inverse: Floats
    half_mm: Floats

    @classmethod
    def of(cls, ct: CTVolume, outline: Outline) -> EdgeReader:
        """Prepare to read a CT across an outline."""
        inverse = np.linalg.inv(ct.geometry.affine[:3, :3]).astype(np.float64)
        along = np.linalg.norm(outline.normal @ inverse.T, axis=1)
        return cls(
            hu=ct.array,
            index=outline.index,
            normal=outline.normal,
            inverse=inverse,
            half_mm=HALF_STEP_MM + HALF_STEP_VOXELS / along,
        )

    def thinned(self, most: int) -> EdgeReader:
        """Every n-th point, so that no more than ``most`` are left."""
        every = slice(None, None, -(-len(self.index) // most) or 1)
        return EdgeReader(
            hu=self.hu,
            index=self.index[every],
            normal=self.normal[every],
            inverse=self.inverse,
            half_mm=self.half_mm[every],
        )

    def steps_hu(self, moves_mm: Floats) -> Floats:
        """Mean step (M,) with the surface moved by (M, 4): along the axes, and outwards."""
        mean: Floats = self.steps_by_point_hu(moves_mm).mean(axis=1)
        return mean

    def steps_by_point_hu(self, moves_mm: Floats) -> Floats:
        """Step (M, N) at every point."""
        shift = moves_mm[:, :3] @ self.inverse.T
        out = self.normal @ self.inverse.T
        inwards = moves_mm[:, 3, None] - self.half_mm
        outwards = moves_mm[:, 3, None] + self.half_mm
        # axis by axis: an array of triples is read in steps of three, at twice the time
        moved = [index + by[:, None] for index, by in zip(self.index.T, shift.T, strict=True)]
        inner = [at + inwards * along for at, along in zip(moved, out.T, strict=True)]
        outer = [at + outwards * along for at, along in zip(moved, out.T, strict=True)]
        return _clipped(self.hu, inner) - _clipped(self.hu, outer)


def _clipped(hu: NDArray[np.generic], index: Sequence[Floats]) -> Floats:
    """HU of the voxels nearest to indices along each axis, within the limits."""
    limited: Floats = np.clip(look_up_axes(hu, index).astype(np.float64), *HU_LIMITS)
    return limited


@dataclass(frozen=True, kw_only=True)
class EdgeFit:
    """Where the bone edge lies.

    Parameters
    ----------
    shift_mm
        From the masks to their bone, patient space.
    size_mm
        How far the edge lies outside the surface all around; negative for masks too large.
    step_hu
        Mean step there, and ``here_hu`` where the masks are.
    fitting_share
        Share of all points at which there is a step worth the name: where an outline has the
        bone's shape nearly all, however faint or dense the bone is.
    level_steps_hu
        Step there of each outline.
    """

    shift_mm: tuple[float, float, float]
    size_mm: float
    step_hu: float
    here_hu: float
    fitting_share: float
    level_steps_hu: tuple[float, ...]

    @property
    def distance_mm(self) -> float:
        """Length of the shift."""
        return float(np.linalg.norm(self.shift_mm))


def fit_edge(readers: Sequence[EdgeReader]) -> EdgeFit:
    """Find the common shift and size of outlines that were all moved alike."""
    few = [reader.thinned(COARSE_POINTS) for reader in readers]
    shifts = _shifts_mm()
    sizes = np.zeros((len(SIZES_MM), 4))
    sizes[:, 3] = SIZES_MM
    starts = [tried[int(_mean_steps(few, tried).argmax())] for tried in (shifts, sizes)]
    ends = [_climb(few, start) for start in starts]
    best = max(ends, key=lambda move: float(_mean_steps(few, move[None])[0]))
    best = _middle(readers, best)
    by_point = [reader.steps_by_point_hu(np.stack([best, np.zeros(4)])) for reader in readers]
    steps = np.array([step.mean(axis=1) for step in by_point])
    there = np.concatenate([step[0] for step in by_point])
    x, y, z, size = (float(v) for v in best)
    return EdgeFit(
        shift_mm=(x, y, z),
        size_mm=size,
        step_hu=float(steps[:, 0].mean()),
        here_hu=float(steps[:, 1].mean()),
        fitting_share=float((there >= WORTH_SHARE * np.percentile(there, GOOD_PERCENTILE)).mean()),
        level_steps_hu=tuple(float(step) for step in steps[:, 0]),
    )


def _shifts_mm() -> Floats:
    """Shifts (M, 4) to every side within the distance."""
    line = np.arange(-FAR_MM, FAR_MM + COARSE_MM / 2, COARSE_MM)
    moves = np.array([(*shift, 0.0) for shift in product(line, repeat=3)])
    near: Floats = moves[np.linalg.norm(moves, axis=1) <= FAR_MM + COARSE_MM / 2]
    return near


def _mean_steps(readers: Sequence[EdgeReader], moves_mm: Floats) -> Floats:
    """Mean step (M,) over all outlines."""
    mean: Floats = np.mean([reader.steps_hu(moves_mm) for reader in readers], axis=0)
    return mean


def _climb(readers: Sequence[EdgeReader], start: Floats) -> Floats:
    """The best move near a start: one coordinate up or down at a time, or two of them at once."""
    best = start
    near = np.array(list(product((0.0, -1.0, 1.0), repeat=4)))
    around = near[np.abs(near).sum(axis=1) <= MOST_AT_ONCE]
    for step in FINE_STEPS_MM:
        for _ in range(MOST_MOVES):
            tried = best + step * around
            chosen = int(_mean_steps(readers, tried).argmax())
            best = tried[chosen]
            if chosen == 0:
                break
    return best


def _middle(readers: Sequence[EdgeReader], best: Floats) -> Floats:
    """The middle of the plateau around the best move, one coordinate after the other."""
    along = np.linspace(-PLATEAU_MM, PLATEAU_MM, PLATEAU_STEPS)
    middle = best.copy()
    for axis in range(4):
        tried = np.tile(best, (PLATEAU_STEPS, 1))
        tried[:, axis] += along
        steps = _mean_steps(readers, tried)
        weight = np.clip(steps - PLATEAU_SHARE * steps.max(), 0, None)
        if weight.sum() > 0:
            middle[axis] += float((weight * along).sum() / weight.sum())
    return middle
