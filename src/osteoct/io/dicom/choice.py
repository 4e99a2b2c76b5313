"""Which stack to measure, by stated rules, each with its reason.

The rules are asked in order; a later one decides only between stacks that all earlier ones hold
equal:

1. the stack forms one regular grid in HU;
2. axial slices;
3. a body part that may show the lumbar spine;
4. the longest head-feet extent (within a tenth of the longest counts as equal);
5. thin slices (classes, by the larger of slice distance and thickness);
6. a soft kernel (unknown ones after medium ones);
7. ORIGINAL before DERIVED;
8. PRIMARY before SECONDARY;
9. without contrast, where a series says so;
10. the smaller slice distance.

What is equal after all of them is a tie: the lowest series number is taken, and a finding says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from osteoct.io.dicom import tags
from osteoct.io.dicom.acquisition import acquisition_of
from osteoct.io.dicom.kernels import sharpness_of
from osteoct.io.dicom.stacks import Stack
from osteoct.records import Acquisition, Finding, Phase, Severity

AXIAL_LIMIT_DEG = 45.0
"""The normal is closer to head-feet than to any other direction; a tilted gantry stays axial."""

EXTENT_SHARE = 0.9
"""Reconstructions of one scan differ by a few slices at the ends; another scan differs by more."""

THIN_CLASSES_MM = (1.5, 3.0, 5.0)
"""To 1.5 mm the cores of bodies are resolved in all directions; above 5 mm an endplate spoils two
slices of a lumbar body 25 to 30 mm high."""

NOT_LUMBAR = frozenset(
    {
        "HEAD",
        "BRAIN",
        "SKULL",
        "ORBIT",
        "SINUS",
        "FACE",
        "NECK",
        "CSPINE",
        "SHOULDER",
        "ARM",
        "ELBOW",
        "WRIST",
        "HAND",
        "FINGER",
        "KNEE",
        "LEG",
        "ANKLE",
        "FOOT",
        "TOE",
        "JAW",
        "MAXILLA",
        "MANDIBLE",
        "EAR",
        "IAC",
        "TEMPORALBONE",
    }
)
"""Defined terms of BodyPartExamined (PS3.16 annex L) that cannot show the lumbar spine."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A stack with what the rules ask of it."""

    stack: Stack
    acquisition: Acquisition
    series_number: int | None
    uid: str

    @property
    def extent_mm(self) -> float:
        """Head-feet extent between the outer slices' centres."""
        grid = self.stack.grid
        return 0.0 if grid is None else float(np.ptp(grid.geometry.corners_mm()[:, 2]))

    @property
    def distance_mm(self) -> float:
        """Distance of neighbouring slices."""
        grid = self.stack.grid
        return float("inf") if grid is None else grid.geometry.spacing_mm[2]


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """The stack taken, and what each rule said of each stack (in the order given)."""

    chosen: Candidate | None
    reasons: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """One rule: the lowest rank is kept."""

    name: str
    rank: Callable[[Candidate, Sequence[Candidate]], float]
    says: Callable[[Candidate], str]


def make_candidate(stack: Stack) -> Candidate:
    """A stack with the facts of its first slice."""
    image = stack.first.image
    return Candidate(
        stack=stack,
        acquisition=acquisition_of(image),
        series_number=image.series_number,
        uid=image.identifiers.series_uid,
    )


def choose_stack(candidates: Sequence[Candidate]) -> Choice:
    """Ask the rules in order until one stack is left."""
    reasons: dict[int, list[str]] = {n: [] for n in range(len(candidates))}
    left = [n for n, c in enumerate(candidates) if c.stack.grid is not None]
    for n, c in enumerate(candidates):
        if c.stack.refusal is not None:
            reasons[n].append(f"refused: {c.stack.refusal.what}")
    for rule in _RULES:
        left = _apply_rule(rule, left, candidates, reasons)
    if not left:
        return Choice(chosen=None, reasons=tuple(tuple(r) for r in reasons.values()))
    taken, findings = _break_tie(left, candidates, reasons)
    if not reasons[taken]:
        reasons[taken].append("chosen: the only stack that can be measured")
    return Choice(
        chosen=candidates[taken],
        reasons=tuple(tuple(r) for r in reasons.values()),
        findings=(*findings, *_choice_finding(candidates, reasons[taken])),
    )


def _apply_rule(
    rule: _Rule, left: list[int], candidates: Sequence[Candidate], reasons: dict[int, list[str]]
) -> list[int]:
    """The stacks that are best by one rule; writes down what the rule said where it decided."""
    if len(left) < 2:  # noqa: PLR2004 - nothing to choose between
        return left
    among = [candidates[n] for n in left]
    ranks = {n: rule.rank(candidates[n], among) for n in left}
    best = min(ranks.values())
    kept = [n for n in left if ranks[n] == best]
    if len(kept) == len(left):
        return left
    for n in left:
        verdict = "preferred" if n in kept else "not chosen"
        reasons[n].append(f"{verdict}: {rule.name} ({rule.says(candidates[n])})")
    return kept


def _break_tie(
    left: list[int], candidates: Sequence[Candidate], reasons: dict[int, list[str]]
) -> tuple[int, tuple[Finding, ...]]:
    """The lowest series number of several equal stacks, and a finding where there were several."""
    taken = min(left, key=lambda n: _tie_key(candidates[n], n))
    if len(left) == 1:
        return taken, ()
    for n in left:
        verdict = "chosen" if n == taken else "not chosen"
        reasons[n].append(f"{verdict}: equal by every rule, lowest series number is taken")
    finding = Finding(
        code="series-tie",
        severity=Severity.WARNING,
        message=f"{len(left)} stacks are equal by every rule; the lowest series number was taken",
        evidence={"stacks": len(left)},
    )
    return taken, (finding,)


def _tie_key(candidate: Candidate, position: int) -> tuple[float, float, str, int]:
    """Deterministic order of equal stacks: number, time of acquisition order, UID."""
    number = float("inf") if candidate.series_number is None else candidate.series_number
    first = candidate.stack.first
    return number, first.image.instance_number, candidate.uid, position


def _choice_finding(candidates: Sequence[Candidate], why: Sequence[str]) -> tuple[Finding, ...]:
    """Say that there was a choice, and what decided it."""
    if len(candidates) < 2:  # noqa: PLR2004 - nothing to choose between
        return ()
    message = f"one of {len(candidates)} stacks was taken; " + "; ".join(why)
    evidence = {"stacks": len(candidates)}
    return (
        Finding(code="series-chosen", severity=Severity.INFO, message=message, evidence=evidence),
    )


def axis_angle_deg(candidate: Candidate) -> float:
    """Angle between the slice normal and head-feet."""
    grid = candidate.stack.grid
    if grid is None:
        return 90.0
    direction = grid.geometry.direction
    normal = np.cross(direction[:, 0], direction[:, 1])
    return float(np.degrees(np.arccos(np.clip(abs(normal[2]), 0, 1))))


def _is_not_axial(candidate: Candidate, _: Sequence[Candidate]) -> float:
    return float(axis_angle_deg(candidate) > AXIAL_LIMIT_DEG)


def _body_part(candidate: Candidate) -> str:
    text = candidate.stack.first.image.elements.text(tags.BODY_PART) or ""
    return text.upper().replace(" ", "").replace("_", "")


def _is_short(candidate: Candidate, among: Sequence[Candidate]) -> float:
    longest = max(c.extent_mm for c in among)
    return float(candidate.extent_mm < EXTENT_SHARE * longest)


def _thickness_mm(candidate: Candidate) -> float:
    return max(candidate.distance_mm, candidate.acquisition.slice_thickness_mm or 0.0)


def _thin_class(candidate: Candidate, _: Sequence[Candidate]) -> float:
    return sum(_thickness_mm(candidate) > limit + 1e-3 for limit in THIN_CLASSES_MM)


def _sharpness(candidate: Candidate) -> tuple[int, str]:
    acquisition = candidate.acquisition
    sharpness = sharpness_of(acquisition.kernel, acquisition.manufacturer)
    name = " ".join(acquisition.kernel) or "no kernel"
    return int(sharpness), f"{name}: {sharpness.name.lower()}"


def _is_derived(candidate: Candidate, _: Sequence[Candidate]) -> float:
    return float("ORIGINAL" not in candidate.acquisition.image_type)


def _is_secondary(candidate: Candidate, _: Sequence[Candidate]) -> float:
    return float("PRIMARY" not in candidate.acquisition.image_type)


_RULES: tuple[_Rule, ...] = (
    _Rule(
        name="axial slices",
        rank=_is_not_axial,
        says=lambda c: f"slice normal {axis_angle_deg(c):.0f} degrees from head-feet",
    ),
    _Rule(
        name="body part may show the lumbar spine",
        rank=lambda c, _: float(_body_part(c) in NOT_LUMBAR),
        says=lambda c: _body_part(c) if _body_part(c) in NOT_LUMBAR else "not excluded",
    ),
    _Rule(
        name="longest head-feet extent",
        rank=_is_short,
        says=lambda c: f"{c.extent_mm:.0f} mm",
    ),
    _Rule(name="thin slices", rank=_thin_class, says=lambda c: f"{_thickness_mm(c):.2f} mm"),
    _Rule(
        name="soft kernel",
        rank=lambda c, _: float(_sharpness(c)[0]),
        says=lambda c: _sharpness(c)[1],
    ),
    _Rule(
        name="original before derived",
        rank=_is_derived,
        says=lambda c: "derived" if _is_derived(c, ()) else "original",
    ),
    _Rule(
        name="primary before secondary",
        rank=_is_secondary,
        says=lambda c: "secondary" if _is_secondary(c, ()) else "primary",
    ),
    _Rule(
        name="without contrast",
        rank=lambda c, _: float(c.acquisition.phase is not Phase.NATIVE),
        says=lambda c: "phase not told" if c.acquisition.phase is None else c.acquisition.phase,
    ),
    _Rule(
        name="smaller slice distance",
        rank=lambda c, _: round(c.distance_mm, 2),
        says=lambda c: f"{c.distance_mm:.2f} mm",
    ),
)
