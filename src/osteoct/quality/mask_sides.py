"""One side of one level's mask that does not end where its bone does.

A mask that stops short inside the bone, or runs on into the disc, has no step of HU at that side;
the same side of the other levels' masks has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.level import LevelCompartments
from osteoct.quality.bone_edge import EdgeFit, EdgeReader
from osteoct.records import Finding, Severity

SIDES: Mapping[str, tuple[int, int]] = {
    "right": (0, 1),
    "left": (0, -1),
    "front": (1, 1),
    "back": (1, -1),
    "upper": (2, 1),
    "lower": (2, -1),
}
"""Patient axis and direction of each side."""

FACING = 0.7
"""Least cosine between a point's direction and the side's: end plates of a lumbar spine lean by up
to 40 degrees."""

LEAST_POINTS = 20
"""Chosen: with 25 HU noise the mean step of so many is known to 8 HU."""

THICK_MM = 3.0
THICK_SHARE = 0.5
"""On slices thicker than this an end plate may lie half a slice from where a right mask ends, at
another place at every level: the best step so near is taken."""

THICK_SIDE_SHARE = 0.2
"""The share that end plates must reach on such slices: a thin plate between two of them has half of
the step of one within a slice, and over porous bone a quarter."""

END_PLATES = ("upper", "lower")

LEAST_LEVELS = 3
"""Levels needed to say which one is unlike the others."""

SIDE_SHARE = 0.5
"""Of the median step of the same side of all levels, which a side must reach; sides of clean
phantoms and of the real example reach 0.63 and more."""

LEAST_USUAL_HU = 90.0
"""Median step of a side below which it tells nothing: beside dense discs, or on slices of 5 mm that
blur thin end plates, where clean phantoms had 63 HU and shares of 0.49."""


def check_sides(
    read: Sequence[tuple[LevelCompartments, EdgeReader]], fit: EdgeFit
) -> tuple[Finding, ...]:
    """Find levels of which one side has much less of a step than that side of the others."""
    steps = [steps_of_sides_hu(reader, fit) for _, reader in read]
    worst = compare_sides(steps, is_thick=_slice_mm(read[0][1]) > THICK_MM)
    return tuple(
        _tell_side(level, side)
        for (level, _), side in zip(read, worst, strict=True)
        if side is not None
    )


@dataclass(frozen=True, kw_only=True)
class Side:
    """A side of one level, its step, the median step of that side over all levels, its limit."""

    name: str
    step_hu: float
    usual_hu: float

    limit_share: float

    @property
    def share(self) -> float:
        """Of the usual step."""
        return self.step_hu / self.usual_hu


def compare_sides(
    steps: Sequence[Mapping[str, float]], *, is_thick: bool = False
) -> tuple[Side | None, ...]:
    """The worst side of every level, where it has less than its share of the usual step.

    Parameters
    ----------
    is_thick
        Whether slices are so thick that end plates fall between them.
    """
    found: list[Side | None] = []
    for mine in steps:
        sides = [
            Side(
                name=name,
                step_hu=step,
                usual_hu=usual,
                limit_share=(THICK_SIDE_SHARE if is_thick and name in END_PLATES else SIDE_SHARE),
            )
            for name, step in mine.items()
            if (usual := _usual_hu(name, steps)) is not None
        ]
        wrong = [side for side in sides if side.share < side.limit_share]
        found.append(min(wrong, key=lambda side: side.share, default=None))
    return tuple(found)


def steps_of_sides_hu(reader: EdgeReader, fit: EdgeFit) -> dict[str, float]:
    """Mean step of every side with enough points, where the common fit puts the outline."""
    slice_mm = _slice_mm(reader)
    half = THICK_SHARE * slice_mm
    sizes = (-half, 0.0, half) if slice_mm > THICK_MM else (0.0,)
    moves = np.array([[*fit.shift_mm, fit.size_mm + size] for size in sizes])
    steps = reader.steps_by_point_hu(moves)
    sides = {}
    for side, (axis, sign) in SIDES.items():
        mine: NDArray[np.bool_] = sign * reader.normal[:, axis] >= FACING
        if mine.sum() >= LEAST_POINTS:
            sides[side] = float(steps[:, mine].mean(axis=1).max())
    return sides


def _slice_mm(reader: EdgeReader) -> float:
    """Distance of slices, in canonical orientation."""
    return float(1 / np.linalg.norm(reader.inverse[2]))


def _usual_hu(side: str, steps: Sequence[Mapping[str, float]]) -> float | None:
    """Median step of a side over the levels that have it; ``None`` where it tells nothing."""
    known = [mine[side] for mine in steps if side in mine]
    usual = median(known) if len(known) >= LEAST_LEVELS else 0.0
    return usual if usual >= LEAST_USUAL_HU else None


def middle_mm(level: LevelCompartments) -> tuple[float, float, float]:
    """Where to look: the body's centre, else that of the level's box."""
    middle = (
        level.geometry.to_patient((np.array(level.geometry.shape) - 1) / 2)
        if level.axes is None
        else level.axes.origin_mm
    )
    x, y, z = (float(v) for v in middle)
    return x, y, z


def _tell_side(level: LevelCompartments, side: Side) -> Finding:
    """A side without its edge."""
    return Finding(
        code="outline-misfit",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"The {side.name} side of the mask of {level.level} does not end where its bone does: "
            f"HU step by {side.step_hu:.0f}, {max(side.share, 0):.0%} of the other levels' (wanted "
            f"{side.limit_share:.0%}). Part of the level may not be labelled, or more than it."
        ),
        certainty=0.7,
        place_mm=middle_mm(level),
        evidence={
            "side": side.name,
            "step_hu": side.step_hu,
            "others_hu": side.usual_hu,
            "limit_share": side.limit_share,
        },
    )
