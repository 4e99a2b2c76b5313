"""Where two segmentations of one CT do not agree: findings."""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.protocols import PROTOCOLS, Protocol, Region
from osteoct.records import Finding, LevelAgreement, OneSided, RegionAgreement, Severity

CODES = ("level-in-one-only", "numbering-disagrees", "masks-disagree", "hu-disagrees")
"""What is found here."""

LEAST_DICE = 0.85
"""Dice of a level's vertebrae below which the masks are said to disagree; chosen.

A phantom's lumbar vertebra (59 cm³) grown by 1 mm has a Dice of 0.91 with itself, grown by 1.5 mm
one of 0.85: below the limit, surfaces are further apart than the voxels of the models, all around.
"""

SAME_PLACE_DICE = 0.5
"""Dice above which two structures are at the same place: more than half in common. By definition,
for a third one cannot have as much in common with either."""

HU_SHARE = 0.036
"""Least significant change of trabecular HU between reconstructions of one scan, 3.6 % (DERIVED
from an RMSCV of 1.3 %, 10.1186/s41747-024-00483-9): two masks on one image should do no worse."""

HU_LEAST = 5.0
"""Difference in HU that is never worth a finding; chosen: shares of small numbers are noise."""


def check_agreement(
    levels: Sequence[LevelAgreement], protocols: Sequence[Protocol], *, second: str
) -> tuple[Finding, ...]:
    """Find levels at which a second segmentation says something else.

    Parameters
    ----------
    second
        Name of the second segmenter, for the messages.
    """
    findings: list[Finding | None] = []
    for level in levels:
        findings.append(check_presence_in_both(level, second))
        numbering = check_numbering(level, second)
        findings.append(numbering)
        if numbering is None:
            findings += [check_overlap(level, second), check_hu(level, protocols, second)]
    return tuple(finding for finding in findings if finding is not None)


def check_presence_in_both(level: LevelAgreement, second: str) -> Finding | None:
    """Find a level that only one segmentation holds."""
    if level.reason is None:
        return None
    has, lacks = ("the masks", second) if level.reason is OneSided.ONLY_FIRST else (second, "masks")
    return Finding(
        code="level-in-one-only",
        severity=Severity.WARNING,
        level=level.level,
        message=f"{level.level} is in {has} and not in {lacks}.",
        evidence={"same_place": level.same_place},
    )


def check_numbering(level: LevelAgreement, second: str) -> Finding | None:
    """Find a vertebra that the second segmentation has under another name."""
    dice, name = level.same_place_dice, level.same_place
    if dice is None or name == level.level.value or dice <= SAME_PLACE_DICE:
        return None
    return Finding(
        code="numbering-disagrees",
        severity=Severity.BLOCKING,
        level=level.level,
        certainty=dice,
        message=f"What is {level.level} here is {name} for {second}: one of them has miscounted.",
        evidence={"same_place": name, "dice": dice, "limit_dice": SAME_PLACE_DICE},
    )


def check_overlap(level: LevelAgreement, second: str) -> Finding | None:
    """Find a level whose masks have too little in common."""
    if level.dice is None or level.dice >= LEAST_DICE:
        return None
    return Finding(
        code="masks-disagree",
        severity=Severity.WARNING,
        level=level.level,
        message=f"{level.level}: Dice {level.dice:.2f} between these masks and those of {second}.",
        evidence={"dice": level.dice, "limit_dice": LEAST_DICE},
    )


def check_hu(level: LevelAgreement, protocols: Sequence[Protocol], second: str) -> Finding | None:
    """Find a level whose trabecular HU depends on who segmented it."""
    cores = [level.region(p.id, Region.TRABECULAR) for p in protocols]
    worst = max(
        (core for core in cores if core is not None and _excess(core) > 0),
        key=_excess,
        default=None,
    )
    if worst is None:
        return None
    return Finding(
        code="hu-disagrees",
        severity=Severity.WARNING,
        level=level.level,
        message=(
            f"Trabecular HU of {level.level} ({PROTOCOLS[worst.protocol].id}) are "
            f"{worst.first_hu:.1f} here and {worst.second_hu:.1f} with {second}."
        ),
        evidence={
            "protocol": worst.protocol,
            "first_hu": worst.first_hu,
            "second_hu": worst.second_hu,
            "limit_hu": _limit_hu(worst),
        },
    )


def _limit_hu(core: RegionAgreement) -> float:
    return max(HU_LEAST, HU_SHARE * abs(core.first_hu))


def _excess(core: RegionAgreement) -> float:
    """How far the difference lies beyond its limit."""
    return abs(core.difference_hu) - _limit_hu(core)
