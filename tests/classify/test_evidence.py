"""The value that is compared is the measured one, over the levels that count."""

import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.classify.evidence import gather_evidence
from osteoct.classify.rules import load_rules
from osteoct.records import Finding, Reason

STUDY, L1_ROI = load_rules()[0], load_rules()[4]


def _gather(rule, arguments):
    return gather_evidence(rule, arguments["levels"], arguments["findings"])


def test_value_is_the_unweighted_mean_of_level_means(case):
    """Field error: the check tested a constant. Five different levels give their mean."""
    hu = dict(zip(LUMBAR, (100.0, 110.0, 120.0, 130.0, 190.0), strict=True))
    evidence = _gather(STUDY, case(at=hu))
    assert evidence.value_hu == pytest.approx(130.0)
    assert evidence.levels_used == LUMBAR


def test_median_rule_takes_the_median(case):
    """The fixture's median lies 50 HU under its mean: the statistic of the rule decides."""
    rule = STUDY.model_copy(update={"statistic": "median"})
    assert _gather(rule, case(200.0)).value_hu == pytest.approx(150.0)


def test_only_the_rules_levels_are_taken(case):
    """A rule for L1 does not average the others in."""
    evidence = _gather(L1_ROI, case(300.0, at={Level.L1: 90.0}))
    assert (evidence.value_hu, evidence.levels_used) == (90.0, (Level.L1,))


def test_measured_zero_is_a_value(case):
    """0 HU from voxels is a number (fatty marrow averages near it); only absence is absent."""
    assert _gather(L1_ROI, case(0.0)).value_hu == 0.0


def test_missing_level_gives_no_value_and_is_named(case):
    """Missing is never zero: four levels of five give no mean of five."""
    evidence = _gather(STUDY, case(at={Level.L3: Reason.CUT_BY_BORDER}))
    assert evidence.value_hu is None
    assert evidence.missing == ("L3 (cut-by-border)",)


def test_fewer_levels_suffice_where_the_rule_says_so(case):
    """``minimum_levels`` is read from the rule, not fixed at all of them."""
    rule = STUDY.model_copy(update={"minimum_levels": 4})
    hu = dict(zip(LUMBAR, (100.0, 110.0, Reason.EMPTY_CORE, 130.0, 160.0), strict=True))
    evidence = _gather(rule, case(at=hu))
    assert evidence.value_hu == pytest.approx(125.0)
    assert Level.L3 not in evidence.levels_used


def test_level_without_result_is_not_measured(case):
    """A level that the masks do not hold may have no result at all."""
    assert _gather(L1_ROI, case(absent=(Level.L1,))).missing == ("L1 (not measured)",)


def test_unusable_level_does_not_count(case):
    """``usable`` of the level result is obeyed although a number is there."""
    assert _gather(L1_ROI, case(unusable=(Level.L1,))).missing == ("L1 (not usable)",)


@pytest.mark.parametrize(("severity", "counts"), [("blocking", False), ("warning", True)])
def test_blocking_finding_takes_its_level_out(case, severity, counts):
    """A blocking finding takes the level out, a warning leaves it in."""
    finding = Finding(code="metal", severity=severity, message="m", level=Level.L1)
    evidence = _gather(L1_ROI, case(findings=(finding,)))
    assert (evidence.value_hu is not None) is counts
    assert evidence.missing == (() if counts else ("L1 (metal)",))
