"""Whether vertebrae are named right: what they are counted from, and what contradicts their names.

The rule of severity: what proves that some name is wrong blocks; what may be an unusual spine as
well as a wrong name, and what leaves the names without a check, is a warning; that names rest on
one anchor is told. The arithmetic stands in ``docs/explanation/level-certainty.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from osteoct.anatomy import Level, name_levels
from osteoct.compartments.anchors import SacrumSight, Sights, Step, steps_apart
from osteoct.compartments.column import Bone
from osteoct.records import (
    Anchor,
    AnchorKind,
    Finding,
    LevelResult,
    Numbering,
    Severity,
)

TRANSITIONAL_SHARE = 0.163
"""Share of people with a transitional vertebra (10.1007/s00256-025-04952-z)."""

ONE_ANCHOR = 1 - TRANSITIONAL_SHARE
"""Certainty of names counted from one end: in so many people that end is what it seems."""

SHAPE_ANCHOR = round(1 - 2 * TRANSITIONAL_SHARE, 3)
"""Chosen: the shape of vertebrae may be misread as well, and that is taken as often."""

NO_ANCHOR = 0.5
"""Chosen: without an anchor names are the segmenter's guess."""

UNUSUAL = 0.5
"""Chosen, likewise: an unusual spine or a wrong name, and nothing says which."""

CONTRADICTED = 0.1
"""Chosen: names that contradict each other are wrong somewhere."""

FAR_STEPS = 0.85
"""Distance from a vertebra's centre to the sacrum, in usual distances of neighbours, from which
another vertebra lies between. It is 0.52 … 0.66 on a CT and phantoms with L5 above the sacrum,
and 1.01 and more without (chosen between)."""

CONTACT_CM2 = 12.0
"""Contact of the lowest vertebra with the sacrum from which there is no disc between. It is up to
5.3 on the real example, up to 10.8 at the facets of expert masks, and 15 and more where a label is
cut through a bone (chosen between)."""

APART_CM2 = 2.0
"""Chosen: contact of S1 and sacrum below which S1 is a vertebra of its own; 31 cm² was measured."""

LEAST_SACRUM = 0.4
"""Volume of a whole sacrum over that of the vertebra above it; S1 alone has 0.7 on the real one.
A smaller one is a piece of something (chosen)."""

LARGEST_LAST = 1.6
"""Volume of the lowest vertebra over the one above it from which it is a sacrum, or two bones: as
much as neighbours are doubted at. A CT and expert masks have 0.97 … 1.01."""

SACRAL_SHARE = 0.3
"""Chosen: share of the lowest vertebra that other labels call sacrum from which they disagree."""

ROUNDING = 0.5
"""A distance of 1.5 usual ones, or of less than a half, is not that of neighbours."""

PAIR = 2

_ORDER = tuple(lv for lv in Level if lv not in (Level.T13, Level.L6))


def judge_numbering(sights: Sights) -> tuple[Numbering, tuple[Finding, ...]]:
    """Judge how sure the names of vertebrae are, and find what contradicts them."""
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
    certainty, reason = _reckon(anchors, findings)
    numbering = Numbering(
        certainty=certainty,
        anchors=anchors,
        reason=reason,
        candidates=_candidates(seen, certainty),
        levels_seen=seen,
    )
    return numbering, (*findings, *_say_anchors(numbering, sights.lowest, findings))


def note_numbering(numbering: Numbering, levels: Sequence[LevelResult]) -> tuple[LevelResult, ...]:
    """Write beside every level that is there how sure its name is."""
    return tuple(
        level.model_copy(update={"numbering_certainty": numbering.certainty})
        if level.level in numbering.levels_seen
        else level
        for level in levels
    )


def find_anchors(sights: Sights) -> tuple[Anchor, ...]:
    """What vertebrae can be counted from, and what each calls the vertebra beside it."""
    anchors = []
    sacrum = sights.sacrum
    if sacrum is not None and is_anchor(sacrum):
        between = count_between(sacrum.ratio)
        named = _level_of(sacrum.lowest)
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
            named = _level_of(bone)
            anchors.append(
                Anchor(kind=kind, named=named, expected=Level.T12, says=f"{named} is {text}")
            )
    if _is_whole_column(sights):
        says = "every vertebra from C2 to the sacrum is there"
        anchors.append(
            Anchor(kind=AnchorKind.WHOLE_COLUMN, named=Level.C2, expected=Level.C2, says=says)
        )
    return tuple(anchors)


def _is_whole_column(sights: Sights) -> bool:
    """Whether C2 to L5 and something below are there."""
    absent = set(_ORDER[1:-1]) - set(sights.column.levels)
    return sights.sacrum is not None and not absent


def is_anchor(sacrum: SacrumSight) -> bool:
    """Whether what is labelled sacrum can be one: below the column, and not a small piece."""
    return sacrum.is_below and (sacrum.is_cut or sacrum.volume_ratio >= LEAST_SACRUM)


def count_between(ratio: float) -> int:
    """How many vertebrae fit between a vertebra and the sacrum."""
    return max(0, floor(ratio + 1 - FAR_STEPS))


def check_sacrum(sacrum: SacrumSight | None) -> tuple[Finding, ...]:
    """Find a sacrum that lies too far from, too near to, or too close upon the last vertebra."""
    if sacrum is None:
        return ()
    findings = [_check_distance(sacrum), _check_contact(sacrum), _check_s1(sacrum)]
    return tuple(finding for finding in findings if finding is not None)


def _check_distance(sacrum: SacrumSight) -> Finding | None:
    """Compare the room above the sacrum with the names that are left for it."""
    if not is_anchor(sacrum):
        return None
    named = _level_of(sacrum.lowest)
    left = max(0, steps_apart(named, Level.S1) - 1)
    room = count_between(sacrum.ratio)
    evidence: dict[str, float | int | str | None] = {
        "distance_steps": sacrum.ratio,
        "limit_steps": FAR_STEPS,
        "room": room,
        "names_left": left,
    }
    if room > left:
        message = f"{room - left} more vertebrae fit between {named} and the sacrum than names do."
        return Finding(
            code="sacrum-far",
            severity=Severity.BLOCKING,
            message=message,
            certainty=0.95,
            place_mm=_place_of(sacrum.lowest),
            evidence=evidence,
        )
    if room < left:
        message = (
            f"{named} lies where {left - room} more vertebrae should be above the sacrum: the "
            "lowest belongs to the sacrum, or the names are too high."
        )
        return Finding(
            code="four-lumbar",
            severity=Severity.WARNING,
            message=message,
            certainty=0.8,
            place_mm=_place_of(sacrum.lowest),
            evidence=evidence,
        )
    if not left:
        return None
    message = f"{left} vertebrae between {named} and the sacrum are not in the masks."
    return Finding(
        code="level-missing-inside",
        severity=Severity.WARNING,
        message=message,
        certainty=0.9,
        place_mm=_place_of(sacrum.lowest),
        evidence=evidence,
    )


def _check_contact(sacrum: SacrumSight) -> Finding | None:
    """Find a lowest vertebra without a disc below."""
    if sacrum.contact_cm2 < CONTACT_CM2:
        return None
    named = _level_of(sacrum.lowest)
    message = (
        f"{named} and the sacrum touch over {sacrum.contact_cm2:.0f} cm²: they have grown "
        "together, or a label was cut through one bone."
    )
    evidence: dict[str, float | int | str | None] = {
        "contact_cm2": sacrum.contact_cm2,
        "limit_cm2": CONTACT_CM2,
    }
    return Finding(
        code="transitional-possible",
        severity=Severity.WARNING,
        message=message,
        certainty=0.8,
        place_mm=_place_of(sacrum.lowest),
        evidence=evidence,
    )


def _check_s1(sacrum: SacrumSight) -> Finding | None:
    """Find an S1 that does not belong to the sacrum."""
    contact = sacrum.s1_contact_cm2
    if contact is None or contact >= APART_CM2:
        return None
    message = (
        f"S1 and the sacrum touch over {contact:.1f} cm² only: S1 is a vertebra of its own, or the "
        "names are too low."
    )
    evidence: dict[str, float | int | str | None] = {
        "contact_cm2": contact,
        "limit_cm2": APART_CM2,
    }
    return Finding(
        code="s1-separate",
        severity=Severity.WARNING,
        message=message,
        certainty=0.8,
        place_mm=_place_of(sacrum.lowest),
        evidence=evidence,
    )


def check_step(step: Step) -> Finding | None:
    """Find vertebrae whose distance is not what their names say."""
    upper, lower = _level_of(step.upper), _level_of(step.lower)
    named, room = steps_apart(upper, lower), floor(step.ratio + ROUNDING)
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
            place_mm=_place_of(step.upper),
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
        place_mm=_place_of(step.upper),
        evidence=evidence,
    )


def check_last(sights: Sights) -> Finding | None:
    """Find a lowest vertebra as large as a sacrum, where no sacrum is labelled below it."""
    bones = [bone for bone in sights.column.vertebrae if bone.level is not Level.S1]
    if sights.sacrum is not None or len(bones) < PAIR:
        return None
    above, last = bones[-2:]
    ratio = last.volume_cm3 / above.volume_cm3
    if not (above.is_whole and ratio >= LARGEST_LAST):
        return None
    named = _level_of(last)
    message = f"{named}, the lowest, has {ratio:.1f} times the volume of the one above: a sacrum."
    evidence: dict[str, float | int | str | None] = {"ratio": ratio, "limit_ratio": LARGEST_LAST}
    return Finding(
        code="sacrum-named-vertebra",
        severity=Severity.BLOCKING,
        message=message,
        certainty=0.8,
        place_mm=_place_of(last),
        evidence=evidence,
    )


def check_sacral_share(sights: Sights) -> Finding | None:
    """Find a lowest vertebra that other labels call sacrum."""
    share = sights.sacral_share
    if sights.lowest is None or share < SACRAL_SHARE:
        return None
    named = _level_of(sights.lowest)
    message = f"{share:.0%} of {named} are sacrum by the labels of the tissues."
    evidence: dict[str, float | int | str | None] = {"share": share, "limit_share": SACRAL_SHARE}
    return Finding(
        code="sacrum-named-vertebra",
        severity=Severity.BLOCKING,
        message=message,
        certainty=0.9,
        place_mm=_place_of(sights.lowest),
        evidence=evidence,
    )


def check_ribs(ribbed: Bone | None) -> Finding | None:
    """Find last ribs at another vertebra than T12."""
    if ribbed is None or ribbed.level in (Level.T12, Level.T13):
        return None
    named = _level_of(ribbed)
    message = f"The lowest ribs begin at {named}: a rib more or less than usual, or wrong names."
    return Finding(
        code="ribs-disagree",
        severity=Severity.WARNING,
        message=message,
        certainty=0.8,
        place_mm=_place_of(ribbed),
        evidence={"named": named},
    )


def check_processes(narrow: Bone | None) -> Finding | None:
    """Find transverse processes that grow long elsewhere than from T12 to L1."""
    if narrow is None or narrow.level in (Level.T12, Level.T13):
        return None
    named = _level_of(narrow)
    message = (
        f"{named} is the last vertebra without long transverse processes, as T12 should be: an "
        "unusual spine, or wrong names."
    )
    return Finding(
        code="processes-disagree",
        severity=Severity.WARNING,
        message=message,
        certainty=0.7,
        place_mm=_place_of(narrow),
        evidence={"named": named},
    )


def check_variants(sights: Sights) -> Finding | None:
    """Find a sixth lumbar or a thirteenth thoracic vertebra."""
    bone = sights.column.bone(Level.L6) or sights.column.bone(Level.T13)
    if bone is None:
        return None
    named = _level_of(bone)
    message = f"The masks hold {named}: a vertebra more than usual, or wrong names."
    if named is Level.L6:
        return Finding(
            code="six-lumbar",
            severity=Severity.WARNING,
            message=message,
            certainty=0.8,
            place_mm=_place_of(bone),
        )
    return Finding(
        code="thirteen-thoracic",
        severity=Severity.WARNING,
        message=message,
        certainty=0.8,
        place_mm=_place_of(bone),
    )


def _reckon(anchors: Sequence[Anchor], findings: Sequence[Finding]) -> tuple[float, str]:
    """Certainty of the names and why; the worst thing counts."""
    blocking = [f.message for f in findings if f.severity is Severity.BLOCKING]
    if blocking:
        return CONTRADICTED, blocking[0]
    unusual = [f.message for f in findings if f.code != "level-missing-inside"]
    if unusual:
        return UNUSUAL, unusual[0]
    kinds = {anchor.kind for anchor in anchors}
    said = "; ".join(anchor.says for anchor in anchors)
    if AnchorKind.WHOLE_COLUMN in kinds:
        return 1.0, said
    if {AnchorKind.SACRUM, AnchorKind.RIBS} & kinds:
        return ONE_ANCHOR, f"{said}; {TRANSITIONAL_SHARE:.1%} have a transitional vertebra"
    if kinds:
        return SHAPE_ANCHOR, f"{said}; neither sacrum nor ribs are labelled"
    return NO_ANCHOR, "neither sacrum, ribs nor the change from T12 to L1 is in the masks"


def _say_anchors(
    numbering: Numbering, lowest: Bone, findings: Sequence[Finding]
) -> tuple[Finding, ...]:
    """The finding about names that nothing contradicts and that are less than sure."""
    if findings and numbering.certainty <= UNUSUAL and numbering.anchors:
        return ()
    if numbering.certainty == 1.0:
        return ()
    evidence: dict[str, float | int | str | None] = {"candidates": "; ".join(numbering.candidates)}
    place = _place_of(lowest)
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


def _level_of(bone: Bone) -> Level:
    assert bone.level is not None  # noqa: S101 -- only vertebrae come here
    return bone.level


def _place_of(bone: Bone) -> tuple[float, float, float]:
    """Where a vertebra lies."""
    x, y, z = (float(c) for c in bone.centre_mm)
    return x, y, z
