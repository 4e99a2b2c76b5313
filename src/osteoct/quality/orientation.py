"""Whether the image is flipped: do organs and muscles lie where they belong?

The header says where right, front and head are. Where it is wrong, or a program mirrored the array,
organs lie on the wrong side: the liver left, the muscles of the back in front. Each comparison is a
vote; the majority decides. A left-right flip moves no HU and may be an inverted body; the others
say that the geometry of the file cannot be trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.level import LevelCompartments
from osteoct.measure.tissues import TissueHus
from osteoct.records import BodySource, Finding, Severity

LEAST_OFFSET_MM = 5.0
"""Chosen: nearer than this two structures do not tell a side."""

LEAST_VOTES = 2
"""One structure may lie anywhere; a kidney in the pelvis does."""

SPINE = "spine"

PAIRS: Mapping[str, tuple[int, tuple[tuple[str, str], ...]]] = {
    "left-right": (
        0,
        (
            ("liver", SPINE),
            (SPINE, "spleen"),
            ("inferior_vena_cava", "aorta"),
            ("kidney_right", "kidney_left"),
            ("autochthon_right", "autochthon_left"),
            ("iliopsoas_right", "iliopsoas_left"),
        ),
    ),
    "front-back": (
        1,
        (
            ("aorta", SPINE),
            ("inferior_vena_cava", SPINE),
            ("liver", "autochthon_right"),
            ("aorta", "autochthon_left"),
            (SPINE, "autochthon_left"),
            (SPINE, "autochthon_right"),
        ),
    ),
    "head-feet": (
        2,
        (
            ("liver", "iliopsoas_left"),
            ("liver", "iliopsoas_right"),
            ("spleen", "iliopsoas_left"),
            ("spleen", "iliopsoas_right"),
        ),
    ),
}
"""Per axis its number in patient space (R, A, S) and pairs whose first lies further along it."""


@dataclass(frozen=True, kw_only=True)
class Votes:
    """Comparisons that fit the header's directions, and those that contradict it."""

    right: int = 0
    wrong: int = 0

    @property
    def is_flipped(self) -> bool:
        """Whether enough comparisons were made and most of them contradict."""
        return self.right + self.wrong >= LEAST_VOTES and self.wrong > self.right


def check_orientation(
    levels: Sequence[LevelCompartments], tissues: TissueHus
) -> tuple[Finding, ...]:
    """Find an image that is flipped left-right, front-back or head-feet."""
    places = {name: np.array(t.centre_mm) for name, t in tissues.found.items()}
    if levels:
        grids = [level.geometry for level in levels]
        centres = [grid.to_patient((np.array(grid.shape) - 1) / 2) for grid in grids]
        places[SPINE] = np.mean(centres, axis=0)
    votes = {axis: count_votes(axis, places) for axis in PAIRS}
    votes["front-back"] = _add_bodies(votes["front-back"], levels)
    return tuple(_describe(axis, v) for axis, v in votes.items() if v.is_flipped)


def count_votes(axis: str, places_mm: Mapping[str, NDArray[np.float64]]) -> Votes:
    """Compare every pair of an axis that is there; places nearer than the least offset abstain."""
    number, pairs = PAIRS[axis]
    offsets = [
        float(places_mm[ahead][number] - places_mm[behind][number])
        for ahead, behind in pairs
        if ahead in places_mm and behind in places_mm
    ]
    return Votes(
        right=sum(offset >= LEAST_OFFSET_MM for offset in offsets),
        wrong=sum(offset <= -LEAST_OFFSET_MM for offset in offsets),
    )


def _add_bodies(votes: Votes, levels: Sequence[LevelCompartments]) -> Votes:
    """Count every level whose body mask lies in front of, or behind, its posterior elements."""
    known = [lv.axes for lv in levels if lv.axes and lv.body_source is BodySource.MASK]
    wrong = sum(bool(axes.anterior[1] < 0) for axes in known)
    return Votes(right=votes.right + len(known) - wrong, wrong=votes.wrong + wrong)


def _describe(axis: str, votes: Votes) -> Finding:
    """The finding of one axis."""
    total = votes.right + votes.wrong
    aside = " or the body is inverted; HU do not depend on it" if axis == "left-right" else ""
    return Finding(
        code="image-flipped",
        severity=Severity.WARNING if axis == "left-right" else Severity.BLOCKING,
        message=(
            f"{votes.wrong} of {total} comparisons find organs the wrong way round ({axis}): "
            f"the image is flipped{aside}."
        ),
        certainty=votes.wrong / total,
        evidence={"axis": axis, "wrong": votes.wrong, "compared": total},
    )
