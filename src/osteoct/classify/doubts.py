"""Why a comparison would not mean what its source found: one question per function.

Each function answers with a sentence where it stands in the way of a conclusion, and ``None`` where
it does not. The choices are explained in ``docs/explanation/classification.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.classify.evidence import Evidence
from osteoct.classify.rules import Rule
from osteoct.policy.judging import effect_of
from osteoct.quality.acquisition import KVP_ROUNDING
from osteoct.records import Acquisition, Effect, Finding, LevelResult, Phase

GREY_ZONE_FRACTION = 0.047
"""Half width of the grey zone around a cut-off, as a fraction of the cut-off.

The same patient scanned again in another session differs by 4.7 % (root-mean-square coefficient of
variation, 10.1186/s41747-024-00483-9): a value nearer to the cut-off than that may lie on the other
side tomorrow.
"""

_DECIMALS = 6
"""Decimals to which limits are rounded: 0.953 × 160 is to be 152.48, not 152.48000000000002."""

LEAST_NUMBERING = 0.6
"""Certainty of a level's name below which a cut-off for that one level is not applied.

Chosen: it lies below what one anchor gives (0.84, or 0.67 for the shape of vertebrae alone) and
above what is left without any (0.5)."""

KVP_MOVES_HU = "HU of bone change with kVp (L1 mean 148 at 100, 141 at 120, 131 at 140 kVp)"
CONTRAST_MOVES_HU = "contrast raises HU (by 11.2 ± 19.2 to 26.7 ± 27.2 at L1)"


def grey_zone(cutoff: float) -> tuple[float, float]:
    """Lowest and highest value that are too near to a cut-off to tell; both belong to the zone.

    >>> grey_zone(160.0)
    (152.48, 167.52)
    """
    return (
        round(cutoff * (1 - GREY_ZONE_FRACTION), _DECIMALS),
        round(cutoff * (1 + GREY_ZONE_FRACTION), _DECIMALS),
    )


def is_below(value: float, cutoff: float) -> bool:
    """Whether a value lies below a cut-off; the cut-off itself does not.

    >>> is_below(141.3, 141.3)
    False
    """
    return value < cutoff


def is_contrast(phase: Phase | None) -> bool:
    """Whether contrast is known to be in the image; an unknown phase is not known contrast."""
    return phase is not None and phase is not Phase.NATIVE


def question_case(findings: Sequence[Finding]) -> str | None:
    """Does a finding forbid every conclusion about the case?"""
    codes = [f.code for f in findings if effect_of(f) is Effect.BLOCK]
    if not codes:
        return None
    return f"the case has a blocking finding: {', '.join(dict.fromkeys(codes))}"


def question_levels(rule: Rule, evidence: Evidence) -> str | None:
    """Are enough of the rule's levels usable?"""
    if len(evidence.levels_used) >= rule.minimum_levels:
        return None
    return (
        f"needs {rule.minimum_levels} usable of {len(rule.levels)} levels, "
        f"found {len(evidence.levels_used)}; missing {'; '.join(evidence.missing)}"
    )


def question_numbering(rule: Rule, levels: Sequence[LevelResult]) -> str | None:
    """Is the level of a cut-off for one level the level it is named after?

    A mean over several levels hardly depends on which of two neighbours is its last.
    """
    if len(rule.levels) != 1:
        return None
    (level,) = rule.levels
    certainty = next((r.numbering_certainty for r in levels if r.level is level), None)
    if certainty is None or certainty >= LEAST_NUMBERING:
        return None
    return (
        f"the cut-off is for {level} alone and whether this is {level} is not sure enough "
        f"(certainty {certainty:.2f}, wanted {LEAST_NUMBERING:g})"
    )


def question_kvp(rule: Rule, acquisition: Acquisition) -> str | None:
    """Was the scan made at the tube voltage of the cut-off?"""
    if rule.conditions is None:
        return None
    wanted, is_stated = rule.conditions.kvp, rule.conditions.kvp_source == "stated"
    if acquisition.kvp is None:
        return f"kVp is not known, the cut-off holds at {wanted:g} kVp" if is_stated else None
    if abs(acquisition.kvp - wanted) <= KVP_ROUNDING:
        return None
    basis = (
        f"the cut-off holds at {wanted:g} kVp"
        if is_stated
        else f"the source states no kVp and only {wanted:g} kVp is taken as comparable"
    )
    return f"kVp is {acquisition.kvp:g}, {basis}; {KVP_MOVES_HU}"


def question_phase(rule: Rule, evidence: Evidence, acquisition: Acquisition) -> str | None:
    """Could contrast have lifted the value over the cut-off?

    A value below stays below: without contrast it would be lower still. Contrast that only the
    pixels or a second opinion show counts as much as contrast that is stated.
    """
    opinion = acquisition.phase_opinion
    words = (
        (acquisition.phase, ""),
        (acquisition.phase_pixels, " by its pixels"),
        (None if opinion is None else opinion.phase, " by a second opinion"),
    )
    phase = next((f"{said}{by}" for said, by in words if is_contrast(said)), None)
    if evidence.value_hu is None or phase is None or is_below(evidence.value_hu, rule.cutoff):
        return None
    return (
        f"the phase is {phase} and {CONTRAST_MOVES_HU}, so {evidence.value_hu:.1f} HU "
        f"may lie below {rule.cutoff:g} HU without contrast"
    )


def question_distance(rule: Rule, evidence: Evidence) -> str | None:
    """Is the value far enough from the cut-off to stay on its side in another session?"""
    low, high = grey_zone(rule.cutoff)
    if evidence.value_hu is None or not low <= evidence.value_hu <= high:
        return None
    return (
        f"{evidence.value_hu:.1f} HU lies in the grey zone {low:.1f} to {high:.1f} HU around "
        f"{rule.cutoff:g} HU (± {GREY_ZONE_FRACTION:.1%}, the difference between two sessions)"
    )
