"""Findings about the masks: absent, fragmented, out of order, implausible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from scipy import ndimage as ndi

from osteoct.anatomy import Level
from osteoct.compartments.column import centre_mm
from osteoct.compartments.level import LevelCompartments
from osteoct.quality.reference_sizes import SOURCE, volume_range_cm3
from osteoct.records import BodySource, Finding, Reason, Severity

STRAY_SHARE = 0.01
"""Share of a level's voxels outside its largest part above which it counts as fragmented."""

BROKEN_SHARE = 0.10
"""Share outside the largest part above which no number of the level is believed."""

VOLUME_RANGE_CM3 = (20.0, 130.0)
"""Volumes a whole lumbar vertebra can have; chosen wide, not published.

The levels of the project's real example have 58 … 66 cm³ (voxel counts); a third and the double of
that leave room for small women and large men and still catch merged or truncated labels.
"""

NEIGHBOUR_RATIO = 1.6
"""Ratio of the volumes of neighbouring lumbar levels above which one of them is doubted."""

LEAST_BODY_CERTAINTY = 0.8
"""Share of a body mask that must lie inside the vertebra mask."""


def check_segmentation(
    asked: Sequence[Level], levels: Sequence[LevelCompartments]
) -> tuple[Finding, ...]:
    """Check the masks of the asked levels, one by one and as a column."""
    present = {level.level: level for level in levels}
    findings = [check_presence(level, present) for level in asked]
    for level in levels:
        findings += [check_fragments(level), check_body(level)]
        findings += [check_volume(level)]
    findings += [check_order(levels), *check_neighbours(levels)]
    return tuple(finding for finding in findings if finding is not None)


def check_presence(level: Level, present: Mapping[Level, LevelCompartments]) -> Finding | None:
    """Find a level that was asked for and that the masks do not hold."""
    if level in present:
        return None
    return Finding(
        code="level-absent",
        severity=Severity.WARNING,
        level=level,
        message=f"The masks hold no voxel of {level}.",
    )


def check_fragments(level: LevelCompartments) -> Finding | None:
    """Find a label in several parts."""
    parts, count = ndi.label(level.vertebra, structure=np.ones((3, 3, 3)))
    if count <= 1:
        return None
    sizes = np.bincount(parts.ravel())[1:]
    stray = float(1 - sizes.max() / sizes.sum())
    if stray <= STRAY_SHARE:
        return None
    return Finding(
        code="fragmented-label",
        severity=Severity.BLOCKING if stray > BROKEN_SHARE else Severity.WARNING,
        level=level.level,
        message=(
            f"The mask of {level.level} is in {count} parts; {stray:.1%} lie outside the largest."
        ),
        evidence={"parts": int(count), "stray_share": stray, "limit_share": STRAY_SHARE},
    )


def check_body(level: LevelCompartments) -> Finding | None:
    """Find a body that is absent, estimated, or at odds with the vertebra."""
    if level.body is None:
        if Reason.CUT_BY_BORDER in level.reasons.values():
            return None
        return Finding(
            code="no-body",
            severity=Severity.WARNING,
            level=level.level,
            message=f"The body of {level.level} could not be told from its posterior elements.",
        )
    certainty = level.body_certainty
    if level.body_source is BodySource.GEOMETRY:
        return Finding(
            code="body-by-geometry",
            severity=Severity.INFO,
            level=level.level,
            message=f"The body of {level.level} was found from the vertebra's shape, not a mask.",
            evidence={"certainty": certainty},
        )
    if certainty is None or certainty >= LEAST_BODY_CERTAINTY:
        return None
    return Finding(
        code="body-mask-disagrees",
        severity=Severity.WARNING,
        level=level.level,
        message=f"Only {certainty:.0%} of the body mask lies inside the mask of {level.level}.",
        evidence={"share": certainty, "limit_share": LEAST_BODY_CERTAINTY},
    )


def volume_cm3(level: LevelCompartments) -> float:
    """Volume of the whole vertebra mask."""
    return float(level.vertebra.sum()) * level.geometry.voxel_volume_mm3 / 1000


def check_volume(level: LevelCompartments) -> Finding | None:
    """Find a whole lumbar vertebra of a volume that is unusual, or that none of them has.

    Outside the range of a published sample it is a warning; outside the wider one that no lumbar
    vertebra leaves it blocks.
    """
    if not level.level.is_lumbar or Reason.CUT_BY_BORDER in level.reasons.values():
        return None
    volume = volume_cm3(level)
    low, high = VOLUME_RANGE_CM3
    if not low <= volume <= high:
        return Finding(
            code="implausible-volume",
            severity=Severity.BLOCKING,
            level=level.level,
            message=(
                f"{level.level} has {volume:.1f} cm³; lumbar vertebrae have {low:g} to {high:g}."
            ),
            evidence={"volume_cm3": volume, "low_cm3": low, "high_cm3": high},
        )
    usual = volume_range_cm3(level.level)
    if usual is None or usual.holds(volume):
        return None
    return Finding(
        code="implausible-volume",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"{level.level} has {volume:.1f} cm³, which is unusual ({usual.low:g} to "
            f"{usual.high:g}): masks, lengths in the header, or an unusual spine."
        ),
        evidence={
            "volume_cm3": volume,
            "low_cm3": usual.low,
            "high_cm3": usual.high,
            "source": SOURCE,
        },
    )


def check_neighbours(levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """Find whole lumbar neighbours of very different volume: a leak, a merge, a split."""
    whole = [
        lv
        for lv in levels
        if lv.level.is_lumbar and Reason.CUT_BY_BORDER not in lv.reasons.values()
    ]
    findings = []
    for upper, lower in pairwise(sorted(whole, key=lambda lv: lv.level.order)):
        if lower.level.order != upper.level.order + 1:
            continue
        small, large = sorted((upper, lower), key=volume_cm3)
        ratio = volume_cm3(large) / max(volume_cm3(small), 1e-9)
        if ratio > NEIGHBOUR_RATIO:
            findings.append(
                Finding(
                    code="volume-jump",
                    severity=Severity.WARNING,
                    level=large.level,
                    message=(
                        f"{large.level} has {ratio:.1f} times the volume of {small.level}: "
                        "labels may be merged, split or leaking."
                    ),
                    evidence={"ratio": ratio, "limit_ratio": NEIGHBOUR_RATIO},
                )
            )
    return tuple(findings)


def check_order(levels: Sequence[LevelCompartments]) -> Finding | None:
    """Find labels whose order from head to feet is not the order of their names."""
    by_name = sorted(levels, key=lambda lv: lv.level.order)
    heights = [centre_mm(lv.vertebra, lv.geometry)[2] for lv in by_name]
    wrong = [
        (upper.level, lower.level)
        for (upper, high), (lower, low) in pairwise(zip(by_name, heights, strict=True))
        if high <= low
    ]
    if not wrong:
        return None
    pairs = ", ".join(f"{upper} is not above {lower}" for upper, lower in wrong)
    return Finding(
        code="labels-out-of-order",
        severity=Severity.BLOCKING,
        message=f"Labels do not follow the spine: {pairs}.",
        evidence={"pairs": len(wrong)},
    )
