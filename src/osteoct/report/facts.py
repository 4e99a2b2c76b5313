"""How the numbers were made: protocols in one sentence each, the scan, the software."""

from __future__ import annotations

from dataclasses import dataclass

from osteoct.anatomy import Level, name_levels
from osteoct.protocols import PROTOCOLS, Membership, Protocol, Region, Shape
from osteoct.records import (
    Acquisition,
    CaseResult,
    Numbering,
    PhaseOpinion,
    PolicyRecord,
    Provenance,
)
from osteoct.report.wording import NOT_STATED, PHASES, format_voxels

HASH_LETTERS = 12
"""Enough of a SHA-256 to tell files apart by eye."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A term and what it is in this case."""

    term: str
    text: str


def describe_protocols(result: CaseResult) -> tuple[Fact, ...]:
    """Each protocol of the case in one sentence."""
    known = [PROTOCOLS[p] for p in result.protocols if p in PROTOCOLS]
    return tuple(Fact(term=f"{p.id} (version {p.version})", text=_describe(p)) for p in known)


def _describe(protocol: Protocol) -> str:
    """One sentence; a second one where the recipe was inferred."""
    membership = {
        Membership.WHOLE_VOXEL: "voxels that lie wholly",
        Membership.VOXEL_CENTRE: "voxels whose centre lies",
    }[protocol.membership]
    base = "vertebral body" if protocol.base is Region.BODY else "whole vertebra"
    if protocol.shape is Shape.AXIAL_ELLIPSE:
        return (
            f"{protocol.headline.capitalize()} HU in an ellipse in the axial slab through the "
            f"middle of the body, at least {protocol.depth_mm:g} mm from its surface; no shell."
        )
    sentence = (
        f"Trabecular: {membership} deeper than {protocol.depth_mm:g} mm below the surface of the "
        f"{base}; cortical: the rest of it."
    )
    return (
        f"{sentence} Inferred from the study's published numbers."
        if protocol.inferred
        else sentence
    )


def describe_acquisition(result: CaseResult) -> tuple[Fact, ...]:
    """The scan's facts that HU depend on; what nobody told says so."""
    scan, stated = result.acquisition, result.acquisition.stated
    texts = {
        "kvp": ("Tube voltage", _with_unit(scan.kvp, "kVp")),
        "kernel": ("Kernel", ", ".join(scan.kernel) or NOT_STATED),
        "slice_thickness_mm": ("Slice thickness", _with_unit(scan.slice_thickness_mm, "mm")),
        "phase": ("Contrast phase", _phase(scan)),
    }
    facts = [
        Fact(term=term, text=f"{text} (stated by the user)" if name in stated else text)
        for name, (term, text) in texts.items()
    ]
    scanner = " ".join(part for part in (scan.manufacturer, scan.model) if part)
    facts.append(Fact(term="Scanner", text=scanner or NOT_STATED))
    facts.append(Fact(term="Voxels of the CT", text=format_voxels(result.grid)))
    if result.mask_grid != result.grid:
        facts.append(Fact(term="Voxels of the masks", text=format_voxels(result.mask_grid)))
    if result.numbering is not None:
        facts.append(Fact(term="Names of the levels", text=describe_numbering(result.numbering)))
    return tuple(facts)


def describe_numbering(numbering: Numbering) -> str:
    """How sure the names are and why, in one line; level by level where they differ."""
    alike: dict[tuple[float, str], list[Level]] = {}
    for name in numbering.names:
        alike.setdefault((name.certainty, name.reason), []).append(name.level)
    if len({certainty for certainty, _ in alike}) <= 1:
        return f"certainty {numbering.certainty:.2f}: {numbering.reason}"
    surest_first = sorted(alike.items(), key=lambda item: -item[0][0])
    told = (f"{name_levels(lv)} {sure:.2f}: {why}" for (sure, why), lv in surest_first)
    return f"certainty of {'. '.join(told)}"


def _phase(scan: Acquisition) -> str:
    """The phase as it is stated, and what the pixels say where nobody states it."""
    said = _opinion(scan.phase_opinion)
    if scan.phase is not None:
        return PHASES[scan.phase] + said
    seen = scan.phase_pixels
    return (f"{NOT_STATED}; by its pixels: {PHASES[seen]}" if seen else NOT_STATED) + said


def _opinion(opinion: PhaseOpinion | None) -> str:
    """A second opinion, with the time that it estimates."""
    if opinion is None:
        return ""
    seconds = opinion.seconds_after_injection
    when = "" if seconds is None else f", {seconds:.0f} s after injection"
    return f"; by {opinion.made_by}: {PHASES[opinion.phase]} ({opinion.probability:.1f}{when})"


def _with_unit(value: float | None, unit: str) -> str:
    return NOT_STATED if value is None else f"{value:g} {unit}"


def describe_policy(policy: PolicyRecord | None) -> tuple[Fact, ...]:
    """What decided which levels count, and what the user changed of it."""
    if policy is None:
        return ()
    changes = ", ".join(
        f"{code} {severity} {effect}"
        for code, effects in policy.changed.items()
        for severity, effect in effects.items()
    )
    text = f"{policy.name}, SHA-256 {policy.sha256[:HASH_LETTERS]}…, "
    text += f"changed: {changes}" if changes else "as shipped"
    if policy.accepted_risks:
        text += f"; risk accepted: {', '.join(policy.accepted_risks)}"
    return (Fact(term="Policy", text=text),)


def describe_provenance(provenance: Provenance) -> tuple[Fact, ...]:
    """Versions, inputs by content, and time."""
    packages = ", ".join(f"{name} {version}" for name, version in provenance.packages.items())
    inputs = [
        Fact(term=f"Input: {i.role}", text=f"{i.kind}, SHA-256 {i.sha256[:HASH_LETTERS]}…")
        for i in provenance.inputs
    ]
    steps = ", ".join(f"{name} {s:.1f} s" for name, s in provenance.seconds.items())
    return (
        Fact(
            term="osteoct", text=f"{provenance.osteoct_version}, Python {provenance.python_version}"
        ),
        *((Fact(term="Packages", text=packages),) if packages else ()),
        *inputs,
        Fact(term="Started (UTC)", text=provenance.started_utc),
        *((Fact(term="Time", text=steps),) if steps else ()),
    )
