"""Each doubt fires where it should and nowhere else, exactly at its limit."""

import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.classify.doubts import (
    GREY_ZONE_FRACTION,
    grey_zone,
    is_below,
    is_contrast,
    question_case,
    question_distance,
    question_kvp,
    question_levels,
    question_phase,
)
from osteoct.classify.evidence import Evidence
from osteoct.classify.rules import load_rules
from osteoct.records import Acquisition, Finding, Phase, PhaseOpinion

STUDY, L1_ROI = load_rules()[0], load_rules()[4]


def _evidence(value=100.0, levels=LUMBAR, missing=()):
    return Evidence(value_hu=value, levels_used=levels, missing=missing)


def test_equal_to_the_cutoff_is_not_below():
    """Below means strictly less: the cut-off itself belongs to the other side."""
    assert not is_below(141.3, 141.3)
    assert is_below(141.299, 141.3)


@pytest.mark.parametrize(
    ("phase", "contrast"), [(p, p is not Phase.NATIVE) for p in Phase] + [(None, False)]
)
def test_every_phase_but_native_is_contrast(phase, contrast):
    """Field error: a gate named a phase that never occurs. Here each member is tried."""
    assert is_contrast(phase) is contrast


@pytest.mark.parametrize(
    ("level", "severity", "fires"),
    [(None, "blocking", True), (None, "warning", False), (Level.L1, "blocking", False)],
)
def test_case_question(level, severity, fires):
    """Only a blocking finding of the case forbids every conclusion."""
    answer = question_case([Finding(code="x-y", severity=severity, message="m", level=level)])
    assert bool(answer) is fires
    assert not fires or "x-y" in answer


@pytest.mark.parametrize(("count", "fires"), [(5, False), (4, True), (0, True)])
def test_levels_question(count, fires):
    """Five levels are enough for a mean of five, four are not."""
    missing = ("L5 (cut-by-border)",) if fires else ()
    answer = question_levels(STUDY, _evidence(levels=LUMBAR[:count], missing=missing))
    assert bool(answer) is fires
    assert not fires or "L5 (cut-by-border)" in answer


@pytest.mark.parametrize(
    ("rule", "kvp", "fires"),
    [
        (L1_ROI, 120, False),
        (L1_ROI, None, True),
        (L1_ROI, 100, True),
        (STUDY, 120, False),
        (STUDY, None, False),
        (STUDY, 100, True),
        (STUDY, 140, True),
        (STUDY, 119, False),
        (STUDY, 121, False),
        (STUDY, 118.9, True),
        (L1_ROI, 121.1, True),
    ],
)
def test_kvp_question(rule, kvp, fires):
    """Unknown kVp stops a rule whose source states it; another kVp stops both, and is named.

    A header may say 119.9 for 120; a whole kV off is still rounding, more is another voltage.
    """
    answer = question_kvp(rule, Acquisition(kvp=kvp))
    assert bool(answer) is fires
    assert not fires or (str(kvp) if kvp else "not known") in answer


def test_kvp_question_says_when_the_source_states_none():
    """The reader must learn that 120 kVp is our reading, not the study's condition."""
    assert "states no kVp" in question_kvp(STUDY, Acquisition(kvp=100))
    assert "states no kVp" not in question_kvp(L1_ROI, Acquisition(kvp=100))


@pytest.mark.parametrize(
    ("phase", "value", "fires"),
    [(p, v, p is not Phase.NATIVE and v >= 141.3) for p in Phase for v in (100.0, 141.3, 300.0)]
    + [(None, 300.0, False)],
)
def test_phase_question(phase, value, fires):
    """Contrast raises HU: above may be contrast alone, below is below whatever the contrast."""
    answer = question_phase(STUDY, _evidence(value), Acquisition(phase=phase))
    assert bool(answer) is fires
    assert not fires or phase.value in answer


@pytest.mark.parametrize("stated", [None, Phase.NATIVE])
@pytest.mark.parametrize(
    ("seen", "value", "fires"),
    [
        (Phase.PORTAL_VENOUS, 200.0, True),
        (Phase.PORTAL_VENOUS, 100.0, False),
        (Phase.NATIVE, 200.0, False),
    ],
)
def test_contrast_that_only_pixels_show_counts(stated, seen, value, fires):
    """A header that is silent, or wrong, does not make contrast go away."""
    acquisition = Acquisition(phase=stated, phase_pixels=seen)
    answer = question_phase(STUDY, _evidence(value), acquisition)
    assert bool(answer) is fires
    assert not fires or "portal-venous by its pixels" in answer


@pytest.mark.parametrize(
    ("said", "value", "fires"),
    [(Phase.ARTERIAL, 200.0, True), (Phase.ARTERIAL, 100.0, False), (Phase.NATIVE, 200.0, False)],
)
def test_contrast_that_only_a_second_opinion_sees_counts(said, value, fires):
    """It was asked because header and pixels may be silent or wrong."""
    opinion = PhaseOpinion(made_by="x", phase=said, named="y", probability=1.0)
    acquisition = Acquisition(phase=Phase.NATIVE, phase_opinion=opinion)
    answer = question_phase(STUDY, _evidence(value), acquisition)
    assert bool(answer) is fires
    assert not fires or "arterial by a second opinion" in answer


def test_phase_question_is_silent_without_a_value():
    """With no value there is nothing that contrast could have lifted."""
    assert question_phase(STUDY, _evidence(None), Acquisition(phase="arterial")) is None


@pytest.mark.parametrize("rule", load_rules()[:6], ids=lambda r: r.id)
def test_grey_zone_limits(rule):
    """The zone is 4.7 % of the cut-off on both sides; the limits belong to it, what is next not."""
    low, high = grey_zone(rule.cutoff)
    assert (rule.cutoff - low) / rule.cutoff == pytest.approx(0.047)
    assert (high - rule.cutoff) / rule.cutoff == pytest.approx(0.047)
    for value, fires in [
        (low, True),
        (low - 1e-6, False),
        (rule.cutoff, True),
        (high, True),
        (high + 1e-6, False),
    ]:
        assert bool(question_distance(rule, _evidence(value))) is fires


def test_grey_zone_fraction_is_the_sessions_variation():
    """4.7 % is the session-to-session figure of 10.1186/s41747-024-00483-9, not a free choice."""
    assert GREY_ZONE_FRACTION == 0.047


def test_grey_zone_is_silent_without_a_value():
    """An absent value is not near anything."""
    assert question_distance(STUDY, _evidence(None)) is None
