"""Whether the lowest vertebra and the sacrum agree with the names between them."""

from __future__ import annotations

from math import floor

from osteoct.anatomy import Level
from osteoct.compartments.anchors import SacrumSight, Sights, steps_apart
from osteoct.quality.named_bones import level_of, place_of
from osteoct.records import Finding, Severity

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

PAIR = 2


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
    named = level_of(sacrum.lowest)
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
            place_mm=place_of(sacrum.lowest),
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
            place_mm=place_of(sacrum.lowest),
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
        place_mm=place_of(sacrum.lowest),
        evidence=evidence,
    )


def _check_contact(sacrum: SacrumSight) -> Finding | None:
    """Find a lowest vertebra without a disc below."""
    if sacrum.contact_cm2 < CONTACT_CM2:
        return None
    named = level_of(sacrum.lowest)
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
        place_mm=place_of(sacrum.lowest),
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
        place_mm=place_of(sacrum.lowest),
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
    named = level_of(last)
    message = f"{named}, the lowest, has {ratio:.1f} times the volume of the one above: a sacrum."
    evidence: dict[str, float | int | str | None] = {"ratio": ratio, "limit_ratio": LARGEST_LAST}
    return Finding(
        code="sacrum-named-vertebra",
        severity=Severity.BLOCKING,
        message=message,
        certainty=0.8,
        place_mm=place_of(last),
        evidence=evidence,
    )


def check_sacral_share(sights: Sights) -> Finding | None:
    """Find a lowest vertebra that other labels call sacrum."""
    share = sights.sacral_share
    if sights.lowest is None or share < SACRAL_SHARE:
        return None
    named = level_of(sights.lowest)
    message = f"{share:.0%} of {named} are sacrum by the labels of the tissues."
    evidence: dict[str, float | int | str | None] = {"share": share, "limit_share": SACRAL_SHARE}
    return Finding(
        code="sacrum-named-vertebra",
        severity=Severity.BLOCKING,
        message=message,
        certainty=0.9,
        place_mm=place_of(sights.lowest),
        evidence=evidence,
    )
