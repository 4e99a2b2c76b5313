"""Levels that the border of the image cuts: at which face, and how much is missing."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from osteoct.compartments.boxes import is_cut_by_border
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Shape
from osteoct.records import Finding, Reason, Severity

FACES = {
    "low 0": "left",
    "high 0": "right",
    "low 1": "back",
    "high 1": "front",
    "low 2": "lower",
    "high 2": "upper",
}
"""Faces of a grid in canonical orientation, by what lies there in the patient."""

NEIGHBOURS = 2
"""Nearest whole levels from whose volume that of a cut one is expected."""

EXPECTED_SD = 0.15
"""Chosen: how far the volume of a vertebra may lie from that of its neighbours, as a share of it.

Neighbours differ by 1 to 5 % in the CT among the project's real examples, and by up to 8 % in two
sets of expert masks, but for L1, which is smaller than L2 by 21 and 29 % there.
"""


def check_borders(shape: Shape, levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """Find every level that the border cuts.

    Parameters
    ----------
    shape
        Of the grid that ``level.box`` indexes, in canonical orientation.
    """
    whole = [level for level in levels if not is_cut(level)]
    return tuple(_tell(level, shape, whole) for level in levels if is_cut(level))


def is_cut(level: LevelCompartments) -> bool:
    """Whether a level was not divided because the border cuts it."""
    return Reason.CUT_BY_BORDER in level.reasons.values()


def estimate_missing(level: LevelCompartments, whole: Sequence[LevelCompartments]) -> float | None:
    """Share of a cut level that was not scanned, from its neighbours; ``None`` without any."""
    near = sorted(whole, key=lambda other: abs(other.level.order - level.level.order))[:NEIGHBOURS]
    if not near:
        return None
    expected = median(_volume_mm3(other) for other in near)
    return float(np.clip(1 - _volume_mm3(level) / expected, 0, 1))


def _volume_mm3(level: LevelCompartments) -> float:
    """Volume of the level's mask."""
    return float(level.vertebra.sum()) * level.geometry.voxel_volume_mm3


def _tell(level: LevelCompartments, shape: Shape, whole: Sequence[LevelCompartments]) -> Finding:
    """A cut level, the faces, and what is missing."""
    faces = [FACES[face] for face in is_cut_by_border(level.box, shape)]
    missing = estimate_missing(level, whole)
    told = (
        ""
        if missing is None
        else (
            f" By its neighbours' volume about {missing:.0%} are missing (± {2 * EXPECTED_SD:.0%})."
        )
    )
    sides = " and ".join(faces) or "outer"
    return Finding(
        code="cut-by-border",
        severity=Severity.BLOCKING,
        level=level.level,
        message=(
            f"{level.level} touches the {sides} border of the image: part of it was not "
            f"scanned.{told}"
        ),
        place_mm=_place_mm(level, shape),
        evidence={
            "faces": ", ".join(faces),
            "missing_share": missing,
            "missing_within_share": None if missing is None else 2 * EXPECTED_SD,
        },
    )


def _place_mm(level: LevelCompartments, shape: Shape) -> tuple[float, float, float]:
    """The middle of the mask's voxels at the first border it touches."""
    places = np.argwhere(level.vertebra) + np.array([s.start for s in level.box])
    last = np.array(shape) - 1
    at_border = ((places == 0) | (places == last)).any(axis=1)
    chosen = places[at_border] if at_border.any() else places
    corner = np.array([s.start for s in level.box])
    x, y, z = (float(v) for v in level.geometry.to_patient(chosen.mean(axis=0) - corner))
    return x, y, z
