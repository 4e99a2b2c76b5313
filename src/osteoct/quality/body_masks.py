"""Whether body masks are there and fill the bodies of their vertebrae."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteoct.compartments.level import LevelCompartments
from osteoct.quality.frontal import places_along_front_mm
from osteoct.quality.mask_sides import middle_mm
from osteoct.records import BodySource, Finding, Severity

MOST_UNCOVERED = 0.25
"""Part of a vertebra in front of the body's back wall that its body mask leaves out, over the body.

Up to 0.19 where one segmenter made both masks of the project's real example on 3 mm voxels, 0 on
phantoms; 0.27 and more for body masks 6 mm too far back.
"""

WALL_MM = 3.0
"""Nearer to the back wall pedicles begin."""

WALL_PERCENTILE = 1.0

MOST_SHARE = 0.78
"""Of the vertebra's volume: bodies of the project's real examples and of phantoms have 0.51 to
0.69, body masks that hold much of the arch 0.80 and more."""


def check_bodies(levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """Find body masks that are missing here and there, too small, too far back or too large."""
    by_mask = [level for level in levels if level.body_source is BodySource.MASK]
    found = [_tell_missing(level, len(by_mask)) for level in levels if by_mask and _lacks(level)]
    for level in by_mask:
        uncovered = measure_uncovered(level)
        share = measure_share(level)
        if uncovered is not None and uncovered > MOST_UNCOVERED:
            found.append(_tell_uncovered(level, uncovered))
        elif share > MOST_SHARE:
            found.append(_tell_large(level, share))
    return tuple(found)


def _lacks(level: LevelCompartments) -> bool:
    """Whether a level had to do without a body mask."""
    return level.body_source is BodySource.GEOMETRY


def measure_share(level: LevelCompartments) -> float:
    """Share of the vertebra that is body."""
    return 0.0 if level.body is None else float(level.body.sum() / level.vertebra.sum())


def measure_uncovered(level: LevelCompartments) -> float | None:
    """Volume of the vertebra beside, above, below and in front of its body, over the body's."""
    if level.body is None or level.axes is None:
        return None
    body = places_along_front_mm(level.body, level.geometry, level.axes)
    wall = np.percentile(body, WALL_PERCENTILE)
    rest = level.vertebra & ~level.body
    if not rest.any():
        return 0.0
    points = places_along_front_mm(rest, level.geometry, level.axes)
    in_front = float((points > wall + WALL_MM).mean())
    return in_front * float(rest.sum() / level.body.sum())


def _tell_missing(level: LevelCompartments, others: int) -> Finding:
    """A level without a body mask among levels with one."""
    return Finding(
        code="body-mask-missing",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"{level.level} has no body mask while {others} other level"
            f"{'s have' if others > 1 else ' has'} one: its body was found by geometry, so that "
            "levels are not measured alike."
        ),
        place_mm=middle_mm(level),
        evidence={"levels_with_mask": others},
    )


def _tell_uncovered(level: LevelCompartments, uncovered: float) -> Finding:
    """A body mask that leaves out part of the body."""
    return Finding(
        code="body-mask-disagrees",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"The body mask of {level.level} leaves out {uncovered:.0%} of its volume beside and "
            f"in front of it (limit {MOST_UNCOVERED:.0%}): it is too small or too far back, or "
            "the vertebra's mask is too large."
        ),
        certainty=0.8,
        place_mm=middle_mm(level),
        evidence={"uncovered_share": uncovered, "limit_share": MOST_UNCOVERED},
    )


def _tell_large(level: LevelCompartments, share: float) -> Finding:
    """A body mask that holds more than a body."""
    return Finding(
        code="body-mask-disagrees",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"The body mask of {level.level} holds {share:.0%} of the vertebra (limit "
            f"{MOST_SHARE:.0%}): part of the arch may be in it, or the arch is not labelled."
        ),
        certainty=0.8,
        place_mm=middle_mm(level),
        evidence={"body_share": share, "limit_share": MOST_SHARE},
    )
