"""One side of one level's mask that does not end where its bone does.

A mask that stops short inside the bone, or runs on into the disc, has no step of HU at that side;
the same side of the other levels' masks has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    if len(read) < LEAST_LEVELS:
        return ()
    steps = [steps_of_sides_hu(reader, fit) for _, reader in read]
    found = []
    for (level, _), mine in zip(read, steps, strict=True):
        shares = {
            side: (step / usual, step, usual)
            for side, step in mine.items()
            if (usual := _usual_hu(side, steps)) is not None
        }
        if not shares:
            continue
        worst = min(shares, key=lambda side: shares[side][0])
        share, step, usual = shares[worst]
        if share < SIDE_SHARE:
            found.append(_tell_side(level, worst, step, usual))
    return tuple(found)


def steps_of_sides_hu(reader: EdgeReader, fit: EdgeFit) -> dict[str, float]:
    """Mean step of every side with enough points, where the common fit puts the outline."""
    steps = reader.steps_by_point_hu(np.array([[*fit.shift_mm, fit.size_mm]]))[0]
    sides = {}
    for side, (axis, sign) in SIDES.items():
        mine: NDArray[np.bool_] = sign * reader.normal[:, axis] >= FACING
        if mine.sum() >= LEAST_POINTS:
            sides[side] = float(steps[mine].mean())
    return sides


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


def _tell_side(level: LevelCompartments, side: str, step_hu: float, usual_hu: float) -> Finding:
    """A side without its edge."""
    return Finding(
        code="outline-misfit",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"The {side} side of the mask of {level.level} does not end where its bone does: HU "
            f"step by {step_hu:.0f}, {max(step_hu, 0) / usual_hu:.0%} of the other levels' "
            f"(wanted {SIDE_SHARE:.0%}). Part of the level may not be labelled, or more than it."
        ),
        certainty=0.7,
        place_mm=middle_mm(level),
        evidence={
            "side": side,
            "step_hu": step_hu,
            "others_hu": usual_hu,
            "limit_share": SIDE_SHARE,
        },
    )
