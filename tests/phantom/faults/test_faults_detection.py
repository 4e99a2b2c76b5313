"""The judge: a finding counts only if it is new, right, in its place and strong enough."""

import pytest

from osteoct.anatomy import Level
from osteoct.phantom.faults.catalogue import FAULTS
from osteoct.phantom.faults.detection import Trial, judge, share_found
from osteoct.phantom.faults.fault import Strength
from osteoct.records import Finding, Severity

WARNING, BLOCKING = Severity.WARNING, Severity.BLOCKING


def finding(code, level=Level.L3, severity=WARNING):
    """A finding as a check makes it."""
    return Finding(code=code, severity=severity, level=level, message="as ordered")


def is_found(fault, strength, clean, faulty):
    """Whether the judge says so."""
    return judge(FAULTS[fault], strength, "case", clean, faulty).is_found


def test_a_finding_of_the_table_tells():
    """The plain case."""
    assert is_found("sclerosis", Strength.STRONG, [], [finding("dense-focus")])


def test_what_the_clean_case_shows_as_well_tells_nothing():
    """Else a check that always fires would find everything."""
    told = [finding("dense-focus")]
    assert not is_found("sclerosis", Strength.STRONG, told, told)


def test_the_same_finding_grown_severe_is_new():
    """A warning that becomes blocking says more than before."""
    before, after = [finding("metal")], [finding("metal", severity=BLOCKING)]
    assert is_found("screws", Strength.STRONG, before, after)


@pytest.mark.parametrize("wrong", [finding("noisy-image"), finding("dense-focus", Level.L5)])
def test_another_code_or_another_level_tells_nothing(wrong):
    """An alarm at L5 does not find a focus at L3."""
    assert not is_found("sclerosis", Strength.STRONG, [], [wrong])


def test_a_warning_does_not_do_where_it_must_block():
    """A wedge of 45 % that only warns still makes a conclusion."""
    warned = [finding("height-loss-possible")]
    blocked = [finding("height-loss", severity=BLOCKING)]
    assert is_found("wedge", Strength.MIDDLE, [], warned)
    assert not is_found("wedge", Strength.STRONG, [], warned)
    assert is_found("wedge", Strength.STRONG, [], blocked)


def test_shares_count_one_strength():
    """Nothing tried is no share, not 0 %."""
    trials = [
        Trial(fault="a", strength=Strength.WEAK, case="c", found_by=()),
        Trial(fault="a", strength=Strength.STRONG, case="c", found_by=("x",)),
        Trial(fault="b", strength=Strength.STRONG, case="c", found_by=()),
    ]
    assert share_found(trials, Strength.STRONG) == 0.5
    assert share_found(trials, Strength.MIDDLE) is None
