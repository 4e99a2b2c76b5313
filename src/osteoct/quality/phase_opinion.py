"""A second opinion on the contrast phase, held against header and pixels."""

from __future__ import annotations

from osteoct.records import Acquisition, Finding, Phase, PhaseOpinion, Severity

LEAST_PROBABILITY = 0.7
"""Of an opinion whose phase of contrast is compared. TotalSegmentator states 0.7 or 1 except for
what it takes for delayed and calls portal venous, which it gives 0.3."""

_SPECIFIC = (Phase.ARTERIAL, Phase.PORTAL_VENOUS, Phase.DELAYED)


def check_phase_opinion(acquisition: Acquisition) -> tuple[Finding, ...]:
    """Find an opinion that contradicts header or pixels, about contrast or about which phase it is.

    Contrast or none is a warning, for it moves HU; which phase it is, is a note.
    """
    opinion = acquisition.phase_opinion
    if opinion is None:
        return ()
    others = {"header": acquisition.phase, "pixels": acquisition.phase_pixels}
    if "phase" in acquisition.stated:
        others["user"] = others.pop("header")
    known = {who: phase for who, phase in others.items() if phase is not None}
    against = {who: p for who, p in known.items() if _is_contrast(p) != _is_contrast(opinion.phase)}
    if against:
        return (_disagreement(opinion, against, moves_hu=True),)
    other = {who: p for who, p in known.items() if _is_another(p, opinion)}
    return (_disagreement(opinion, other, moves_hu=False),) if other else ()


def _is_contrast(phase: Phase) -> bool:
    return phase is not Phase.NATIVE


def _is_another(phase: Phase, opinion: PhaseOpinion) -> bool:
    """Whether both name a phase of contrast, surely enough, and not the same one."""
    if opinion.probability < LEAST_PROBABILITY:
        return False
    return {phase, opinion.phase} <= set(_SPECIFIC) and phase is not opinion.phase


def _disagreement(opinion: PhaseOpinion, others: dict[str, Phase], *, moves_hu: bool) -> Finding:
    """The finding, with everybody's word."""
    said = ", ".join(f"{who} {phase}" for who, phase in others.items())
    seconds = opinion.seconds_after_injection
    when = "" if seconds is None else f", {seconds:.0f} s after injection"
    evidence: dict[str, float | int | str | None] = {
        "opinion": opinion.phase.value,
        "probability": opinion.probability,
        "seconds_after_injection": seconds,
        **{who: phase.value for who, phase in others.items()},
    }
    return Finding(
        code="phase-opinion-disagrees",
        severity=Severity.WARNING if moves_hu else Severity.INFO,
        message=(
            f"{opinion.made_by} takes the scan for {opinion.phase} ({opinion.named}{when}), "
            f"against: {said}."
        ),
        certainty=opinion.probability,
        evidence=evidence,
    )
