"""The CT's profile across an end plate, and the fit that finds the plate's place in it.

Soft tissue, a thin dense shell and the core behind it, blurred by the slice: where half of the
contrast is reached depends on the slice, so half a maximum would make a body with a thin shell a
whole slice too high. Fitting the blurred profile finds the shell itself, and stays right where
slices are much thicker than the shell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

OUTSIDE_HU = (70.0, 40.0)
"""HU expected beyond an end plate, with its SD: between a disc and its surroundings, chosen."""

CORE_SD_HU = 40.0
"""SD of the HU below an end plate about the median of the body's middle, chosen."""

SHELL_HU_MM = (400.0, 400.0)
"""Excess of the shell over the core times its thickness, with its SD, chosen: 1 mm of 500 HU more,
from nothing to 2 mm."""

SHELL_MM = (1.0, 0.4)
"""Thickness of the shell with its SD, chosen; slices of 1 mm tell it, slices of 5 mm do not."""

SHELL_RANGE_MM = (0.2, 3.0)
"""Thicknesses that the fit may take."""

BEND_MM = 0.5
"""Bend of a face per 4 mm of depth, as SD.

The dish of a plate hollowed by 45 % has 1.3 mm, which thin slices show against it; on slices of
5 mm, where nothing shows it, 1 mm left heights 4.5 mm off and this leaves 2.3.
"""

LEAST_DATA_HU = 20.0
"""Least SD of a voxel about the profile: noise, and a core that is not homogeneous, chosen. Where
the first fit leaves more unexplained than this, a second one expects that much."""

MOST_WEIGHT = 1000.0
"""Number of voxels that count as independent; more of them weigh as much as so many, chosen."""

HUBER = 2.5
"""Residuals beyond this many SD count less: veins, bone bridges, calcified discs."""

ROUNDS = 80
"""Most steps of the fit; 6 to 15 are usual on phantoms."""

SETTLED_MM = 0.01
"""Largest move of a face in the last step."""


@dataclass(frozen=True, kw_only=True)
class Blur:
    """What the scanner does to a step across the face: a box, blurred by a Gaussian, in mm."""

    box_mm: float
    sigma_mm: float

    def step(self, depth_mm: Floats) -> tuple[Floats, Floats]:
        """Share of a voxel at a depth that lies inside, and its slope per mm."""
        far, near = depth_mm + self.box_mm / 2, depth_mm - self.box_mm / 2
        (a, ramp_far), (b, ramp_near) = self._ramp(far), self._ramp(near)
        return (ramp_far - ramp_near) / self.box_mm, (a - b) / self.box_mm

    def _ramp(self, depth_mm: Floats) -> tuple[Floats, Floats]:
        """Normal distribution and its integral."""
        z = depth_mm / self.sigma_mm
        share: Floats = ndtr(z)
        bell = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
        return share, depth_mm * share + self.sigma_mm * bell


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceVoxels:
    """Voxels (N,) around a face: where along its knots, how far out from the centre, and HU."""

    place_mm: Floats
    outward_mm: Floats
    hu: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceGuess:
    """What is expected of a face before the CT is asked.

    Parameters
    ----------
    knots_mm, face_mm
        Evenly spaced knots (K,) and the face at each of them, outwards from the body's centre.
    sd_mm
        How far the face may lie elsewhere.
    core_hu
        HU expected below the face.
    shifts_mm
        Other places to start looking from, as shifts of the whole face.
    """

    knots_mm: Floats
    face_mm: Floats
    sd_mm: float
    core_hu: float
    shifts_mm: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceFit:
    """A face found in the CT.

    Parameters
    ----------
    face_mm
        The face at each knot (K,), outwards from the body's centre.
    contrast_hu
        How far the brightest part of the blurred profile stands out from what lies beyond it.
    misfit_hu
        Root mean square of what the profile leaves unexplained.
    is_settled
        Whether the last step of the fit moved the face by less than ``SETTLED_MM``.
    """

    face_mm: Floats
    contrast_hu: float
    misfit_hu: float
    is_settled: bool


def fit_face(voxels: FaceVoxels, guess: FaceGuess, blur: Blur) -> FaceFit:
    """Find a face, a line through its knots, in the HU of the voxels around it.

    What the voxels cannot tell stays at what was expected. On thick slices a shell fits at more
    than one place, so the fit starts at several and the best one counts.
    """
    problem, knots = _Problem.of(voxels, guess, blur), len(guess.knots_mm)
    is_knot = np.arange(problem.start.size) < knots
    starts = [problem.start + is_knot * shift for shift in (0.0, *guess.shifts_mm)]
    _, found, moved = min((_descend(problem, s, knots) for s in starts), key=lambda end: end[0])
    misfit = problem.misfit_hu(found)
    if misfit > LEAST_DATA_HU:
        _, found, moved = _descend(replace(problem, data_hu=misfit), found, knots)
    return FaceFit(
        face_mm=found[:knots],
        contrast_hu=_contrast(found, blur),
        misfit_hu=problem.misfit_hu(found),
        is_settled=moved < SETTLED_MM,
    )


def _descend(problem: _Problem, start: Floats, knots: int) -> tuple[float, Floats, float]:
    """Damped Gauss-Newton steps from a start: cost, unknowns, and the face's last move in mm."""
    found, damping, moved = start, 1e-2, np.inf
    here = problem.expand(found)
    for _ in range(ROUNDS):
        trial = _bounded(found + here.step(damping))
        there = problem.expand(trial)
        if there.cost > here.cost:
            damping *= 10
            continue
        moved = float(np.abs(trial - found)[:knots].max())
        found, here, damping = trial, there, damping / 5
        if moved < SETTLED_MM:
            break
    return here.cost, found, moved


@dataclass(frozen=True, kw_only=True, eq=False)
class _Expansion:
    """Cost at a point, and the equations for a step from there."""

    cost: float
    normal: Floats
    pull: Floats

    def step(self, damping: float) -> Floats:
        """The step that lowers the cost, the shorter the more it is damped."""
        damped = self.normal + damping * np.diag(np.diag(self.normal))
        return np.asarray(np.linalg.solve(damped, self.pull), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """Voxels and expectations as least squares; unknowns are knots, core, outside, shell, width."""

    voxels: FaceVoxels
    blur: Blur
    spread: Floats
    prior: Floats
    wanted: Floats
    start: Floats
    data_hu: float = LEAST_DATA_HU

    @classmethod
    def of(cls, voxels: FaceVoxels, guess: FaceGuess, blur: Blur) -> _Problem:
        """Set up the least squares."""
        rest = [guess.core_hu, OUTSIDE_HU[0], SHELL_HU_MM[0], SHELL_MM[0]]
        spreads = [CORE_SD_HU, OUTSIDE_HU[1], SHELL_HU_MM[1], SHELL_MM[1]]
        start = np.concatenate([guess.face_mm, rest])
        knots = len(guess.knots_mm)
        own = np.diag(1 / np.concatenate([np.full(knots, guess.sd_mm * knots**0.5), spreads]))
        spacing = guess.knots_mm[1] - guess.knots_mm[0]
        bend = np.zeros((knots - 2, len(start)))
        bend[:, :knots] = np.diff(np.eye(knots), n=2, axis=0) / (BEND_MM * (spacing / 4.0) ** 2)
        return cls(
            voxels=voxels,
            blur=blur,
            spread=_spread_over_knots(voxels.place_mm, guess.knots_mm),
            prior=np.vstack([own, bend]),
            wanted=np.concatenate([own @ start, np.zeros(knots - 2)]),
            start=start,
        )

    def expand(self, at: Floats) -> _Expansion:
        """Cost, gradient and curvature at a point."""
        model, slope = self._profile(at)
        # a thousand voxels weigh as much as more of them: neighbours err together
        weight = min(1.0, (MOST_WEIGHT / model.size) ** 0.5) / self.data_hu
        off = (self.voxels.hu - model) / self.data_hu
        robust = 1 / np.maximum(np.abs(off) / HUBER, 1.0)
        rest = self.wanted - self.prior @ at
        loss = np.where(np.abs(off) <= HUBER, off**2, 2 * HUBER * np.abs(off) - HUBER**2)
        weighted = slope * (robust * weight**2)[:, None]
        return _Expansion(
            cost=float((weight * self.data_hu) ** 2 * loss.sum() + rest @ rest),
            normal=slope.T @ weighted + self.prior.T @ self.prior,
            pull=weighted.T @ (off * self.data_hu) + self.prior.T @ rest,
        )

    def misfit_hu(self, at: Floats) -> float:
        """Root mean square of the residuals at a point."""
        return float(np.sqrt(np.mean((self.voxels.hu - self._profile(at)[0]) ** 2)))

    def _profile(self, at: Floats) -> tuple[Floats, Floats]:
        """HU of every voxel under the model (N,), and their slopes (N, unknowns)."""
        core, outside, shell, width = at[-4:]
        depth = self.spread @ at[:-4] - self.voxels.outward_mm
        inside, rise = self.blur.step(depth)
        beneath, fall = self.blur.step(depth - width)
        in_shell = (inside - beneath) / width
        model = outside + (core - outside) * inside + shell * in_shell
        by_face = (core - outside) * rise + shell / width * (rise - fall)
        by_width = shell / width * (fall - in_shell)
        others = np.column_stack([inside, 1 - inside, in_shell, by_width])
        slopes: Floats = np.hstack([self.spread * by_face[:, None], others])
        return model, slopes


def _spread_over_knots(place_mm: Floats, knots_mm: Floats) -> Floats:
    """Share of every knot (N, K) in the line through the knots; its ends go on straight."""
    spacing = knots_mm[1] - knots_mm[0]
    position = (place_mm - knots_mm[0]) / spacing
    left = np.clip(position.astype(int), 0, len(knots_mm) - 2)
    share = position - left
    spread = np.zeros((len(place_mm), len(knots_mm)))
    rows = np.arange(len(place_mm))
    spread[rows, left], spread[rows, left + 1] = 1 - share, share
    return spread


def _bounded(unknowns: Floats) -> Floats:
    """The unknowns with a shell that is none or denser than the core, and of a possible width."""
    bounded = unknowns.copy()
    bounded[-2] = max(bounded[-2], 0.0)
    bounded[-1] = np.clip(bounded[-1], *SHELL_RANGE_MM)
    return bounded


def _contrast(unknowns: Floats, blur: Blur) -> float:
    """Brightest part of the blurred profile above what lies outside, in HU."""
    core, outside, shell, width = unknowns[-4:]
    depth = np.linspace(-blur.box_mm, 2 * blur.box_mm + SHELL_RANGE_MM[1], 60)
    inside, beneath = blur.step(depth)[0], blur.step(depth - width)[0]
    profile = (core - outside) * inside + shell * (inside - beneath) / width
    return float(profile.max())
