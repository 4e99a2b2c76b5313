"""Loss of height: possible, firm, none; each gate on either side of its limit and at it."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.quality.fracture import check_height_loss, check_heights
from osteoct.quality.gate import judge_case
from osteoct.records import Deformity, LevelResult, Morphometry, Severity


def level(loss: float, grade: int, uncertainty: float | None = 3.5) -> LevelResult:
    return LevelResult(
        level=Level.L1,
        usable=True,
        morphometry=Morphometry(
            wedge_ratio=1 - loss / 100,
            biconcave_ratio=0.95,
            crush_ratio=0.98,
            height_loss_percent=loss,
            uncertainty_percent=uncertainty,
            deformity=Deformity.WEDGE,
            grade=grade,
        ),
    )


def test_no_grade_no_finding():
    """Grade 0, and a level whose heights are absent."""
    assert check_height_loss(level(19.9, 0)) is None
    assert check_height_loss(LevelResult(level=Level.L1, usable=False)) is None


def test_grade_1_is_possible_and_the_level_still_counts():
    """Readers and programs disagree about grade 1."""
    finding = check_height_loss(level(20.0, 1))
    assert (finding.code, finding.severity) == ("height-loss-possible", Severity.WARNING)
    assert finding.certainty == pytest.approx(0.5)
    assert judge_case([level(20.0, 1)], [finding]).levels[0].usable


@pytest.mark.parametrize(("loss", "grade"), [(25.0, 2), (45.0, 3)])
def test_grades_2_and_3_are_firm_and_leave_the_level_out(loss, grade):
    """A compressed body's HU are not those of its bone."""
    finding = check_height_loss(level(loss, grade))
    assert (finding.code, finding.severity) == ("height-loss", Severity.BLOCKING)
    assert finding.certainty > 0.95
    assert not judge_case([level(loss, grade)], [finding]).levels[0].usable


@pytest.mark.parametrize(
    ("uncertainty", "code"),
    [(9.99, "height-loss"), (10.0, "height-loss"), (10.01, "height-loss-possible")],
)
def test_firm_ends_where_the_error_reaches_below_grade_1(uncertainty, code):
    """30 % read with 10 points open is 20 % at least: exactly at the limit."""
    assert check_height_loss(level(30.0, 2, uncertainty)).code == code


def test_the_message_is_no_diagnosis_and_the_evidence_is_whole():
    """Words, ratios, limit."""
    finding = check_height_loss(level(30.0, 2))
    assert "fracture" not in finding.message.lower()
    assert "about 30" in finding.message
    assert "grade 2" in finding.message
    assert finding.evidence["limit_percent"] == 25.0
    assert finding.evidence["reading_points"] == 2.0
    assert finding.evidence["wedge_ratio"] == pytest.approx(0.7)
    assert {"biconcave_ratio", "crush_ratio", "uncertainty_percent"} <= finding.evidence.keys()


def test_without_an_uncertainty_the_loss_stands_alone():
    """Results archived before there was one."""
    finding = check_height_loss(level(30.0, 2, None))
    assert (finding.code, finding.certainty) == ("height-loss", None)


def test_a_level_without_axes_has_no_place():
    """The finding stands, the picture does not."""
    (finding,) = check_heights([level(30.0, 2)], [])
    assert finding.place_mm is None
