"""Whether vertebrae are named right: what they are counted from, and what contradicts their names.

The rule of severity: what proves that some name is wrong blocks; what may be an unusual spine as
well as a wrong name, and what leaves the names without a check, is a warning; that names rest on
one anchor is told. The arithmetic stands in ``docs/explanation/level-certainty.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from osteoct.anatomy import Level, name_levels
from osteoct.compartments.anchors import Sights, Step, steps_apart
from osteoct.compartments.column import Bone
from osteoct.quality.name_certainty import (
    ROUNDING,
    UNUSUAL,
    name_each,
    room_of,
)
from osteoct.quality.named_bones import level_of, place_of
from osteoct.quality.reference_sizes import SOURCE, step_range_mm
from osteoct.quality.sacrum import (
    check_last,
    check_sacral_share,
    check_sacrum,
    count_between,
    is_anchor,
)
from osteoct.records import (
    Anchor,
    AnchorKind,
    Finding,
    LevelResult,
    Numbering,
    Severity,
)

_ORDER = tuple(lv for lv in Level if lv not in (Level.T13, Level.L6))


def judge_numbering(
    sights: Sights, doubtful: Mapping[Level, str] = MappingProxyType({})
) -> tuple[Numbering, tuple[Finding, ...]]:
    """Judge how sure the name of each vertebra is, and find what contradicts names.

    ``doubtful`` are levels whose label is not one vertebra, with the code of the finding about it.
    """
    seen = sights.column.levels
    if sights.lowest is None:
        reason = "the masks hold no vertebra"
        return Numbering(certainty=0.0, reason=reason, levels_seen=seen), ()
    findings = tuple(
        finding
        for finding in (
            *(check_step(step) for step in sights.steps),
            *check_sacrum(sights.sacrum),
            check_last(sights),
            check_sacral_share(sights),
            check_ribs(sights.ribbed),
            check_processes(sights.narrow),
            check_variants(sights),
        )
        if finding is not None
    )
    anchors = find_anchors(sights)
    names = name_each(sights, anchors, findings, doubtful)
    least = min(names, key=lambda name: name.certainty)
    numbering = Numbering(
        certainty=least.certainty,
        anchors=anchors,
        reason=least.reason,
        candidates=_candidates(seen, least.certainty),
        levels_seen=seen,
        names=names,
    )
    # a distance that is unusual in mm says nothing against the names
    sizes = (check_distance(step) for step in sights.steps)
    return numbering, (
        *findings,
        *_say_anchors(numbering, sights.lowest, findings),
        *(finding for finding in sizes if finding is not None),
    )


def note_numbering(numbering: Numbering, levels: Sequence[LevelResult]) -> tuple[LevelResult, ...]:
    """Write beside every level that is there how sure its name is, and why."""
    known = ((level, numbering.name_of(level.level)) for level in levels)
    return tuple(
        level
        if name is None
        else level.model_copy(
            update={"numbering_certainty": name.certainty, "numbering_reason": name.reason}
        )
        for level, name in known
    )


def find_anchors(sights: Sights) -> tuple[Anchor, ...]:
    """What vertebrae can be counted from, and what each calls the vertebra beside it."""
    anchors = []
    sacrum = sights.sacrum
    if sacrum is not None and is_anchor(sacrum):
        between = count_between(sacrum.ratio)
        named = level_of(sacrum.lowest)
        expected = _ORDER[_ORDER.index(Level.S1) - 1 - between]
        says = (
            f"{between} vertebrae fit between {named} and the sacrum"
            if between
            else (f"{named} lies on the sacrum")
        )
        anchors.append(Anchor(kind=AnchorKind.SACRUM, named=named, expected=expected, says=says))
    for kind, bone, text in (
        (AnchorKind.RIBS, sights.ribbed, "the lowest vertebra with a rib"),
        (AnchorKind.PROCESSES, sights.narrow, "the last without long transverse processes"),
    ):
        if bone is not None:
            named = level_of(bone)
            anchors.append(
                Anchor(kind=kind, named=named, expected=Level.T12, says=f"{named} is {text}")
            )
    if _is_whole_column(sights):
        says = "every vertebra from C2 to the sacrum is there"
        anchors.append(
            Anchor(kind=AnchorKind.WHOLE_COLUMN, named=Level.C2, expected=Level.C2, says=says)
        )
    elif _is_top_there(sights):
        says = "C2 lies under C1"
        anchors.append(Anchor(kind=AnchorKind.C2, named=Level.C2, expected=Level.C2, says=says))
    return tuple(anchors)


def _is_whole_column(sights: Sights) -> bool:
    """Whether C2 to L5 and something below are there."""
    absent = set(_ORDER[1:-1]) - set(sights.column.levels)
    return sights.sacrum is not None and not absent


def _is_top_there(sights: Sights) -> bool:
    """Whether a whole C2 lies next to C1: the two that no other vertebra looks like."""
    first, second = (sights.column.bone(level) for level in (Level.C1, Level.C2))
    if first is None or second is None or not second.is_whole:
        return False
    return float(first.centre_mm[2]) > float(second.centre_mm[2])


def check_step(step: Step) -> Finding | None:
    """Find vertebrae whose distance is not what their names say."""
    upper, lower = level_of(step.upper), level_of(step.lower)
    named, room = steps_apart(upper, lower), room_of(step)
    if named == room == 1:
        return None
    evidence: dict[str, float | int | str | None] = {
        "distance_steps": step.ratio,
        "named_steps": named,
        "rounding": ROUNDING,
    }
    if named == room:
        message = f"{named - 1} vertebrae between {upper} and {lower} are not in the masks."
        return Finding(
            code="level-missing-inside",
            severity=Severity.WARNING,
            message=message,
            certainty=0.9,
            place_mm=place_of(step.upper),
            evidence=evidence,
        )
    message = (
        f"{upper} and {lower} lie {step.ratio:.1f} usual distances apart; their names say {named}."
    )
    return Finding(
        code="level-spacing",
        severity=Severity.BLOCKING,
        message=message,
        certainty=0.9,
        place_mm=place_of(step.upper),
        evidence=evidence,
    )


def check_distance(step: Step) -> Finding | None:
    """Find lumbar neighbours that lie farther apart, or nearer, than in a published sample."""
    upper, lower = level_of(step.upper), level_of(step.lower)
    if not (upper.is_lumbar and lower.is_lumbar) or steps_apart(upper, lower) != 1:
        return None
    usual = step_range_mm()
    if usual.holds(step.distance_mm) or check_step(step) is not None:
        return None
    return Finding(
        code="level-spacing",
        severity=Severity.WARNING,
        message=(
            f"The centres of {upper} and {lower} lie {step.distance_mm:.1f} mm apart, which is "
            f"unusual ({usual.low:g} to {usual.high:g} mm): masks, lengths in the header, or an "
            "unusual spine."
        ),
        certainty=0.8,
        place_mm=place_of(step.upper),
        evidence={
            "distance_mm": step.distance_mm,
            "low_mm": usual.low,
            "high_mm": usual.high,
            "source": SOURCE,
        },
    )


def check_ribs(ribbed: Bone | None) -> Finding | None:
    """Find last ribs at another vertebra than T12."""
    if ribbed is None or ribbed.level in (Level.T12, Level.T13):
        return None
    named = level_of(ribbed)
    message = f"The lowest ribs begin at {named}: a rib more or less than usual, or wrong names."
    return Finding(
        code="ribs-disagree",
        severity=Severity.WARNING,
        message=message,
        certainty=0.8,
        place_mm=place_of(ribbed),
        evidence={"named": named},
    )


def check_processes(narrow: Bone | None) -> Finding | None:
    """Find transverse processes that grow long elsewhere than from T12 to L1."""
    if narrow is None or narrow.level in (Level.T12, Level.T13):
        return None
    named = level_of(narrow)
    message = (
        f"{named} is the last vertebra without long transverse processes, as T12 should be: an "
        "unusual spine, or wrong names."
    )
    return Finding(
        code="processes-disagree",
        severity=Severity.WARNING,
        message=message,
        certainty=0.7,
        place_mm=place_of(narrow),
        evidence={"named": named},
    )


def check_variants(sights: Sights) -> Finding | None:
    """Find a sixth lumbar or a thirteenth thoracic vertebra."""
    bone = sights.column.bone(Level.L6) or sights.column.bone(Level.T13)
    if bone is None:
        return None
    named = level_of(bone)
    message = f"The masks hold {named}: a vertebra more than usual, or wrong names."
    if named is Level.L6:
        return Finding(
            code="six-lumbar",
            severity=Severity.WARNING,
            message=message,
            certainty=0.8,
            place_mm=place_of(bone),
        )
    return Finding(
        code="thirteen-thoracic",
        severity=Severity.WARNING,
        message=message,
        certainty=0.8,
        place_mm=place_of(bone),
    )


def _say_anchors(
    numbering: Numbering, lowest: Bone, findings: Sequence[Finding]
) -> tuple[Finding, ...]:
    """The finding about names that nothing contradicts and that are less than sure."""
    if findings and numbering.certainty <= UNUSUAL and numbering.anchors:
        return ()
    if numbering.certainty == 1.0:
        return ()
    evidence: dict[str, float | int | str | None] = {"candidates": "; ".join(numbering.candidates)}
    place = place_of(lowest)
    if numbering.anchors:
        message = f"Names of the levels: {numbering.reason}."
        return (
            Finding(
                code="numbering-anchored",
                severity=Severity.INFO,
                message=message,
                place_mm=place,
                evidence=evidence,
            ),
        )
    message = "Nothing in the masks shows that the levels bear the right names."
    return (
        Finding(
            code="numbering-unanchored",
            severity=Severity.WARNING,
            message=message,
            place_mm=place,
            evidence=evidence,
        ),
    )


def _candidates(seen: Sequence[Level], certainty: float) -> tuple[str, ...]:
    """The lumbar vertebrae as they are named, and one up and one down where that may be."""
    lumbar = [lv for lv in seen if lv.is_lumbar and lv is not Level.L6]
    if not lumbar:
        return ()
    said = [name_levels(lumbar)]
    first, last = lumbar[0], lumbar[-1]
    if certainty < 1.0 and steps_apart(first, last) == len(lumbar) - 1:
        up = [_ORDER[_ORDER.index(lv) - 1] for lv in lumbar]
        down = [Level.L6 if lv is Level.L5 else _ORDER[_ORDER.index(lv) + 1] for lv in lumbar]
        said += [f"{named[0]}–{named[-1]}" for named in (up, down)]
    return tuple(said)
