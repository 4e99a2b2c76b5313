"""What was wrong with the masks, and what was done about it, as findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from osteoct.anatomy import Level
from osteoct.records import Finding, Severity
from osteoct.repair_records import RepairRule
from osteoct.tidy.column import ARCH_RATIO, FOREIGN_SHARE, Kind, Mixup
from osteoct.tidy.effect import MOST_CHANGE_HU, MOST_CHANGE_SHARE
from osteoct.tidy.pieces import FAR_MM, LEAST_HOLE_CM3, Piece

BLOCKING_SHARE = 0.10
"""Share of a body under another name above which its numbers are not believed; below it, a tenth of
the neighbour moves a mean by a tenth of the difference of two levels."""

SURE = 0.95
"""Certainty of what bodies and their order show."""

LESS_SURE = 0.8
"""Certainty of what volumes alone show."""

RULES = {
    Kind.SWAPPED: RepairRule.RENAME_SWAPPED,
    Kind.MERGED: RepairRule.SPLIT_MERGED,
    Kind.LEAK: RepairRule.CUT_LEAK,
    Kind.SPLIT: RepairRule.JOIN_SPLIT,
    Kind.ARCH: RepairRule.RETURN_ARCH,
}
"""The rule that repairs each kind of mix-up."""


@dataclass(frozen=True, kw_only=True)
class MixupWords:
    """How a kind of mix-up is told.

    Parameters
    ----------
    message
        With places for ``name``, ``owner``, ``share`` and what was ``done``.
    limits
        Evidence that no other kind has.
    """

    code: str
    message: str
    certainty: float = SURE
    limits: Mapping[str, float] = field(default_factory=dict)


WORDS = {
    Kind.SWAPPED: MixupWords(
        code="labels-swapped",
        message="{share} of the body of {owner} bears the name {name}, and the other way round: "
        "{done}",
    ),
    Kind.MERGED: MixupWords(
        code="merged-levels", message="The label {name} holds the bodies of two levels: {done}"
    ),
    Kind.LEAK: MixupWords(
        code="label-leak",
        message="The label {name} runs over {share} of the body of {owner}: {done}",
    ),
    Kind.SPLIT: MixupWords(
        code="level-in-two-labels",
        message="{share} of the body of {owner}, at one side, bears the name {name}: {done}",
    ),
    Kind.ARCH: MixupWords(
        code="arch-misnamed",
        message="The posterior elements of {name} are much larger than those of {owner}, as where "
        "parts of an arch bear the wrong name: {done}",
        certainty=LESS_SURE,
        limits={"limit_ratio": ARCH_RATIO},
    ),
}
"""The words for each kind of mix-up."""


def tell_mixup(
    mixup: Mixup,
    *,
    why_not: str | None,
    rule: RepairRule | None = None,
    is_harmful: bool = False,
) -> tuple[Finding, ...]:
    """Findings about a mix-up, one per level; ``why_not`` is ``None`` where it was repaired.

    ``rule`` is what repaired it, where that is not the rule of its kind; ``is_harmful`` says that
    what is left moves a mean too much to be believed, however small it is.
    """
    done = _done(rule or RULES[mixup.kind], why_not)
    if is_harmful:
        done = (
            f"{done[:-1]}, and it moves the mean HU of a core by more than {MOST_CHANGE_HU:g} HU "
        )
        done += f"or {MOST_CHANGE_SHARE:.1%}."
    is_small = why_not is None or (mixup.share <= BLOCKING_SHARE and not is_harmful)
    both = (mixup.name, mixup.owner)
    # of two swapped levels each has a mix-up of its own
    levels = (mixup.owner,) if mixup.kind is Kind.SWAPPED else tuple(dict.fromkeys(both))
    return tuple(_tell(mixup, level, done, small=is_small) for level in levels)


def _done(rule: RepairRule, why_not: str | None) -> str:
    """What was done, as the end of a sentence."""
    return f"repaired by rule {rule}." if why_not is None else f"not repaired: {why_not}."


def _tell(mixup: Mixup, level: Level, done: str, *, small: bool) -> Finding:
    """One finding about one level of a mix-up."""
    words = WORDS[mixup.kind]
    x, y, z = (float(v) for v in mixup.place_mm)
    return Finding(
        code=words.code,
        severity=Severity.WARNING if small else Severity.BLOCKING,
        level=level,
        message=words.message.format(
            name=mixup.name, owner=mixup.owner, share=f"{mixup.share:.0%}", done=done
        ),
        certainty=words.certainty,
        place_mm=(x, y, z),
        evidence={
            "name": str(mixup.name),
            "owner": str(mixup.owner),
            "share": round(mixup.share, 3),
            "limit_share": FOREIGN_SHARE,
            **words.limits,
        },
    )


def tell_stray(piece: Piece, rule: RepairRule) -> Finding:
    """A finding about a loose piece that was taken off."""
    x, y, z = (float(v) for v in piece.place_mm)
    return Finding(
        code="fragmented-label",
        severity=Severity.WARNING,
        level=piece.level,
        message=f"A loose piece of {piece.volume_cm3:.1f} cm³ bore the name {piece.level}: "
        f"{_done(rule, None)}",
        certainty=SURE,
        place_mm=(x, y, z),
        evidence={"volume_cm3": round(piece.volume_cm3, 3), "limit_mm": FAR_MM},
    )


def tell_hole(piece: Piece, why_not: str | None) -> Finding:
    """A finding about a cavity."""
    x, y, z = (float(v) for v in piece.place_mm)
    return Finding(
        code="hole-in-mask",
        severity=Severity.WARNING,
        level=piece.level,
        message=f"The mask of {piece.level} has a hole of {piece.volume_cm3:.1f} cm³: "
        f"{_done(RepairRule.FILL_HOLE, why_not)}",
        certainty=SURE,
        place_mm=(x, y, z),
        evidence={"volume_cm3": round(piece.volume_cm3, 3), "limit_cm3": LEAST_HOLE_CM3},
    )
