"""Every verdict, by every way that leads to it, with the value named in the reason."""

import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.classify.opinions import RULES_NOTHING_OUT, form_opinions
from osteoct.classify.rules import load_rules
from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import Acquisition, Finding, Phase, Reason, Verdict

STUDY = "study-2026-trabecular-low"
CORTICAL = "study-2026-cortical-low"
L1_160 = "pickhardt-2013-l1-160"


def _opinions(arguments):
    return {opinion.rule: opinion for opinion in form_opinions(**arguments)}


def test_one_opinion_per_rule_in_order(case):
    """No rule is dropped, whatever its verdict: silence could be read as 'nothing found'."""
    opinions = form_opinions(**case())
    assert [o.rule for o in opinions] == [r.id for r in load_rules()]
    assert all(o.reason for o in opinions)


def test_below(case):
    """A clear value under the cut-off: the reason holds value, cut-off, levels and protocol."""
    opinion = _opinions(case(100.0))[STUDY]
    assert opinion.verdict is Verdict.BELOW
    assert (opinion.value_hu, opinion.cutoff, opinion.unit) == (100.0, 141.3, "HU")
    assert opinion.levels_used == LUMBAR
    for said in ("100.0 HU", "141.3 HU", "L1–L5", "vertebra-core-3.5", "T < −1.0"):
        assert said in opinion.reason


def test_above_rules_nothing_out(case):
    """A normal value does not exclude low density, and the reason must say so."""
    opinion = _opinions(case(250.0))[STUDY]
    assert opinion.verdict is Verdict.ABOVE
    assert "250.0 HU" in opinion.reason
    assert "not below the study's cut-off" in opinion.reason
    assert RULES_NOTHING_OUT in opinion.reason


def test_each_rule_compares_its_own_region(case):
    """Cortical HU against the trabecular cut-off would call everyone healthy."""
    opinions = _opinions(case(regions={Region.TRABECULAR: 100.0, Region.CORTICAL: 400.0}))
    assert (opinions[STUDY].value_hu, opinions[STUDY].verdict) == (100.0, Verdict.BELOW)
    assert (opinions[CORTICAL].value_hu, opinions[CORTICAL].verdict) == (400.0, Verdict.ABOVE)


def test_absent_is_never_below(case):
    """Field error: an empty mask gave 0 HU, and 0 lies below every cut-off."""
    for reason in Reason:
        opinions = form_opinions(**case(reason))
        assert not {o.verdict for o in opinions} & {Verdict.BELOW, Verdict.ABOVE}
        assert all(o.value_hu is None for o in opinions)


def test_no_level_at_all_is_never_below(case):
    """The same for a case whose masks hold none of the levels."""
    opinion = _opinions(case(absent=LUMBAR))[STUDY]
    assert (opinion.verdict, opinion.value_hu) == (Verdict.INDETERMINATE, None)


def test_verdict_follows_the_measured_value(case):
    """Field error: a check tested a constant. Sweeping the value passes all three verdicts."""
    verdicts = [_opinions(case(hu))[STUDY].verdict for hu in (134.6, 134.7, 147.9, 148.0)]
    assert verdicts == [
        Verdict.BELOW,
        Verdict.INDETERMINATE,
        Verdict.INDETERMINATE,
        Verdict.ABOVE,
    ]


@pytest.mark.parametrize("missing", LUMBAR)
def test_one_unusable_level_leaves_the_mean_open(case, missing):
    """The study's mean is over five levels: any four give no verdict, and the gap is named."""
    opinion = _opinions(case(100.0, at={missing: Reason.CUT_BY_BORDER}))[STUDY]
    assert opinion.verdict is Verdict.INDETERMINATE
    assert f"{missing} (cut-by-border)" in opinion.reason
    assert missing not in opinion.levels_used


def test_l1_rule_needs_l1_alone(case):
    """A lost L5 is nothing to a rule about L1; a lost L1 is everything."""
    lost_l5 = _opinions(case(50.0, at={Level.L5: Reason.CUT_BY_BORDER}))[L1_160]
    lost_l1 = _opinions(case(50.0, at={Level.L1: Reason.CUT_BY_BORDER}))[L1_160]
    assert (lost_l5.verdict, lost_l1.verdict) == (Verdict.BELOW, Verdict.INDETERMINATE)


def test_case_finding_blocks_every_conclusion(case):
    """A blocking finding of the case reaches each rule that would have concluded."""
    finding = Finding(code="wrong-hu-scale", severity="blocking", message="m")
    opinions = form_opinions(**case(50.0, findings=(finding,)))
    assert {o.verdict for o in opinions} == {Verdict.INDETERMINATE, Verdict.NOT_APPLICABLE}
    assert "wrong-hu-scale" in opinions[0].reason


@pytest.mark.parametrize(
    ("kvp", "study", "l1"),
    [
        (120, Verdict.BELOW, Verdict.BELOW),
        (None, Verdict.BELOW, Verdict.INDETERMINATE),
        (100, Verdict.INDETERMINATE, Verdict.INDETERMINATE),
    ],
)
def test_kvp_decides(case, kvp, study, l1):
    """Voltage moves HU: the source that states 120 kVp needs it, another kVp stops both."""
    opinions = _opinions(case(50.0, acquisition=Acquisition(kvp=kvp, phase="native")))
    assert (opinions[STUDY].verdict, opinions[L1_160].verdict) == (study, l1)


def test_unknown_facts_are_said(case):
    """A conclusion that takes kVp and phase for granted must not look like one that knew them."""
    unknown = _opinions(case(50.0, acquisition=Acquisition()))[STUDY]
    known = _opinions(case(50.0))[STUDY]
    assert "kVp not stated; phase not stated" in unknown.reason
    seen = _opinions(case(50.0, acquisition=Acquisition(phase_pixels="native")))[STUDY]
    assert "phase not stated, native by its pixels" in seen.reason
    assert "not stated" not in known.reason


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.NATIVE])
def test_contrast_leaves_above_open_and_below_below(case, phase):
    """Contrast raises HU: a high value proves nothing, a low one would be lower without it."""
    acquisition = Acquisition(kvp=120, phase=phase)
    above = _opinions(case(250.0, acquisition=acquisition))[STUDY]
    below = _opinions(case(50.0, acquisition=acquisition))[STUDY]
    assert (above.verdict, below.verdict) == (Verdict.INDETERMINATE, Verdict.BELOW)
    assert "raises HU" in above.reason
    assert "raises HU" in below.reason


def test_all_doubts_are_told_at_once(case):
    """Who settles one doubt should not meet the next one only then."""
    acquisition = Acquisition(kvp=100, phase="arterial")
    reason = _opinions(case(145.0, acquisition=acquisition))[STUDY].reason
    for said in ("kVp is 100", "arterial", "grey zone"):
        assert said in reason


def test_protocol_not_run_is_not_applicable(case):
    """A cut-off belongs to its protocol: body-core HU is not compared with it."""
    opinions = _opinions(case(50.0, protocols=("body-core-4",)))
    for rule in load_rules()[:6]:
        assert opinions[rule.id].verdict is Verdict.NOT_APPLICABLE
        assert f"protocol {rule.protocol} was not run" in opinions[rule.id].reason


def test_levels_not_asked_for_are_not_applicable(case):
    """A mean of L2–L4 is not the study's mean, and L1 cannot be judged without L1."""
    opinions = _opinions(case(50.0, asked=LUMBAR[1:4]))
    assert opinions[STUDY].verdict is Verdict.NOT_APPLICABLE
    assert "not asked for: L1, L5" in opinions[STUDY].reason
    assert opinions[L1_160].verdict is Verdict.NOT_APPLICABLE


def test_more_levels_than_the_rule_needs_do_not_enter(case):
    """T12 may be asked for as well; the rule's mean stays that of its own five levels."""
    opinion = _opinions(case(50.0, asked=(Level.T12, *LUMBAR), at={Level.T12: 900.0}))[STUDY]
    assert (opinion.verdict, opinion.value_hu) == (Verdict.BELOW, 50.0)


def test_unmeasured_rules_are_never_applied(case):
    """Density in mg/cm³ and rescaled HU are listed with the reason why they say nothing here."""
    opinions = _opinions(case(50.0))
    for rule in load_rules():
        if rule.protocol is None:
            assert opinions[rule.id].verdict is Verdict.NOT_APPLICABLE
            assert opinions[rule.id].reason == rule.not_applicable_because
            assert opinions[rule.id].unit == rule.unit


def test_given_rules_replace_the_shipped_ones(case):
    """A caller may bring rules; the shipped ones are a default, not a constant inside."""
    rule = load_rules()[0].model_copy(update={"cutoff": 1000.0})
    (opinion,) = form_opinions(**case(500.0), rules=(rule,))
    assert (opinion.verdict, opinion.cutoff) == (Verdict.BELOW, 1000.0)


def test_protocols_under_test_exist():
    """If a protocol is renamed these tests must not pass by finding nothing to compare."""
    assert {"vertebra-core-3.5", "axial-roi"} <= set(PROTOCOLS)
