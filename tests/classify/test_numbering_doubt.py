"""A cut-off for one level needs to know that it is that level."""

import pytest

from osteoct.anatomy import Level
from osteoct.classify.doubts import LEAST_NUMBERING, question_numbering
from osteoct.classify.evidence import Evidence
from osteoct.classify.opinions import _state_numbering
from osteoct.classify.rules import load_rules
from osteoct.records import LevelResult

FOR_L1 = next(r for r in load_rules() if r.protocol and r.levels == (Level.L1,))
FOR_MEAN = next(r for r in load_rules() if r.protocol and len(r.levels) > 1)


@pytest.mark.parametrize(
    ("certainty", "asks"),
    [(LEAST_NUMBERING - 0.01, True), (LEAST_NUMBERING, False), (0.84, False), (None, False)],
)
def test_one_level(certainty, asks):
    """Below the limit the rule is not applied; results of before it was judged are."""
    level = LevelResult(level=Level.L1, usable=True, numbering_certainty=certainty)
    assert (question_numbering(FOR_L1, [level]) is not None) is asks


def test_a_mean_over_levels_stands():
    """It hardly depends on which of two neighbours is its last."""
    level = LevelResult(level=Level.L1, usable=True, numbering_certainty=0.1)
    assert question_numbering(FOR_MEAN, [level]) is None


@pytest.mark.parametrize(
    ("sure", "said"),
    [
        ({Level.L1: 0.55, Level.L2: 0.84}, "L1 may be others than their names say"),
        ({Level.L1: 0.55, Level.L2: 0.5}, "the levels may be others than their names say"),
        ({Level.L1: LEAST_NUMBERING, Level.L2: 0.84}, None),
        ({}, None),
    ],
)
def test_a_mean_says_which_of_its_levels_are_doubtful(sure, said):
    """All of them, or those beyond a gap."""
    evidence = Evidence(value_hu=100.0, levels_used=tuple(sure), missing=(), name_certainty=sure)
    found = _state_numbering(evidence)
    assert [text.partition(" (")[0] for text in found] == ([said] if said else [])
