"""The gate decides how far levels and cases can be used and changes no number."""

from __future__ import annotations

import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.policy.judging import effect_of, make_policy
from osteoct.quality.gate import judge_case
from osteoct.records import Effect, Finding, LevelResult, Severity, Usability

LEVELS = (LevelResult(level=Level.L1, usable=True), LevelResult(level=Level.L2, usable=True))


def finding(severity: Severity, level: Level | None, code: str = "x") -> Finding:
    return Finding(code=code, severity=severity, level=level, message="x")


def test_nothing_found_is_usable():
    """Three words exist; the first is the rule."""
    judged = judge_case(LEVELS, [])
    assert judged.usability is Usability.USABLE
    assert {level.usability for level in judged.levels} == {Usability.USABLE}
    assert judged.codes == judged.levels[0].usability_codes == ()


def test_a_note_changes_nothing_but_is_kept():
    """Info is worth knowing."""
    judged = judge_case(LEVELS, [finding(Severity.INFO, Level.L1)])
    assert judged.usability is Usability.USABLE
    assert [f.effect for f in judged.findings] == [Effect.IGNORE]


def test_a_warning_leaves_its_level_in_and_says_why():
    """The other level is free of it; the case is not."""
    judged = judge_case(LEVELS, [finding(Severity.WARNING, Level.L1, "metal")])
    first, second = judged.levels
    assert (first.usable, first.usability) == (True, Usability.USABLE_WITH_WARNING)
    assert first.usability_codes == judged.codes == ("metal",)
    assert second.usability is Usability.USABLE
    assert judged.usability is Usability.USABLE_WITH_WARNING


def test_a_warning_of_the_case_is_not_said_at_each_level():
    """Contrast concerns all levels alike: five rows that say so hide the one that differs."""
    judged = judge_case(LEVELS, [finding(Severity.WARNING, None, "contrast")])
    assert judged.usability is Usability.USABLE_WITH_WARNING
    assert {level.usability for level in judged.levels} == {Usability.USABLE}


def test_a_blocking_finding_takes_its_level_out():
    """The other level stays."""
    judged = judge_case(LEVELS, [finding(Severity.BLOCKING, Level.L1, "metal")])
    first, second = judged.levels
    assert (first.usable, first.usability_codes) == (False, ("metal",))
    assert second.usable
    assert judged.usability is Usability.USABLE_WITH_WARNING


@pytest.mark.parametrize("code", ["x", "labels-out-of-order"])
def test_a_blocking_finding_of_the_case_takes_all_levels_out(code):
    """Labels out of order: no name can be trusted. A code of nobody's is no excuse."""
    judged = judge_case(LEVELS, [finding(Severity.BLOCKING, None, code)])
    assert not any(level.usable for level in judged.levels)
    assert (judged.usability, judged.codes) == (Usability.NOT_USABLE, (code,))


def test_a_focus_that_matters_is_left_out_though_it_only_warns():
    """What a severity does is the policy's word: shown, and not counted."""
    judged = judge_case(LEVELS, [finding(Severity.WARNING, Level.L1, "dense-focus")])
    assert [level.usable for level in judged.levels] == [False, True]
    assert judge_case(LEVELS, [finding(Severity.INFO, Level.L1, "dense-focus")]).levels[0].usable


def test_the_user_may_decide_otherwise():
    """A stated policy that can be changed, both ways."""
    found = [finding(Severity.WARNING, Level.L1, "dense-focus")]
    assert judge_case(LEVELS, found, make_policy({"dense-focus": "warn"})).levels[0].usable
    jump = [finding(Severity.WARNING, Level.L1, "volume-jump")]
    assert judge_case(LEVELS, jump).levels[0].usable
    assert not judge_case(LEVELS, jump, make_policy({"volume-jump": "exclude"})).levels[0].usable
    contrast = [finding(Severity.WARNING, None, "contrast")]
    blocked = judge_case(LEVELS, contrast, make_policy({"contrast": "block"}))
    assert blocked.usability is Usability.NOT_USABLE


def test_without_a_level_excluding_means_the_case():
    """A level's finding that lost its level cannot pass for less."""
    lost = finding(Severity.BLOCKING, None, "metal")
    assert judge_case(LEVELS, [lost]).usability is Usability.NOT_USABLE
    assert effect_of(lost) is Effect.BLOCK


def test_the_gate_never_opens_what_was_closed():
    """An unmeasured level stays unusable, and a case without any other has nothing to use."""
    closed = LevelResult(level=Level.L1, usable=False)
    absent = finding(Severity.WARNING, Level.L1, "level-absent")
    judged = judge_case((closed,), [absent])
    assert judged.levels[0].usability is Usability.NOT_USABLE
    assert (judged.usability, judged.codes) == (Usability.NOT_USABLE, ("level-absent",))
    assert judge_case((closed, LEVELS[1]), []).usability is Usability.USABLE


def test_an_accepted_risk_is_a_finding():
    """Whoever reads the result must see that a guard was taken down, whether it mattered or not."""
    policy = make_policy({"metal": "warn", "accept-risk": ["metal"]})
    judged = judge_case(LEVELS, [finding(Severity.BLOCKING, Level.L1, "metal")], policy)
    assert judged.levels[0].usable
    assert [f.code for f in judged.findings] == ["metal", "risk-accepted"]
    assert "metal" in judged.findings[1].message


def test_the_shipped_policy_takes_no_risk():
    """Nor does a choice that is a study's own."""
    for policy in (make_policy(), make_policy({"dense-focus": "warn", "height-loss": "warn"})):
        assert judge_case(LEVELS, [], policy).findings == ()


FIVE = tuple(LevelResult(level=level, usable=True) for level in LUMBAR)


@pytest.mark.parametrize(("count", "is_blocked"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_cause_in_all_masks_blocks_the_case_where_it_leaves_out_most_levels(count, is_blocked):
    """Masks beside their bone at three of five levels lie beside it at the others too."""
    found = [finding(Severity.BLOCKING, level, "mask-shifted") for level in LUMBAR[:count]]
    judged = judge_case(FIVE, found)
    assert (judged.usability is Usability.NOT_USABLE) is is_blocked
    assert [level.usable for level in judged.levels] == [
        not is_blocked and n >= count for n in range(5)
    ]
    if is_blocked:
        assert judged.codes == ("mask-shifted",)
        assert {level.usability_codes for level in judged.levels} == {("mask-shifted",)}


@pytest.mark.parametrize(("count", "is_blocked"), [(2, False), (3, True)])
def test_exactly_half_of_the_levels_is_not_most(count, is_blocked):
    """Of four measured levels; one that was not measured does not count."""
    levels = (*FIVE[:4], LevelResult(level=Level.L5, usable=False))
    found = [finding(Severity.BLOCKING, level, "outline-misfit") for level in LUMBAR[:count]]
    judged = judge_case(levels, found)
    assert (judged.usability is Usability.NOT_USABLE) is is_blocked


def test_causes_of_single_levels_do_not_spread():
    """Four fractures leave a fifth level sound; so do two causes that share the levels."""
    broken = [finding(Severity.BLOCKING, level, "height-loss") for level in LUMBAR[:4]]
    judged = judge_case(FIVE, broken)
    assert judged.levels[4].usable
    assert judged.usability is Usability.USABLE_WITH_WARNING
    mixed = [
        *(finding(Severity.BLOCKING, level, "mask-shifted") for level in LUMBAR[:2]),
        *(finding(Severity.BLOCKING, level, "outline-misfit") for level in LUMBAR[2:4]),
    ]
    assert judge_case(FIVE, mixed).levels[4].usable


def test_an_accepted_risk_does_not_spread():
    """Who lets shifted masks count has decided for all levels."""
    found = [finding(Severity.BLOCKING, level, "mask-shifted") for level in LUMBAR[:4]]
    policy = make_policy({"mask-shifted": "warn", "accept-risk": ("mask-shifted",)})
    assert all(level.usable for level in judge_case(FIVE, found, policy).levels)
