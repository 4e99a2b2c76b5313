"""Ratios and grades against numbers that a reader can check by hand."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.measure.morphometry import (
    GRADE_LIMITS_PERCENT,
    READING_POINTS,
    compare_heights,
    grade_loss,
    measure_morphometry,
)
from osteoct.records import Deformity, Heights, LevelResult, Reason


def heights(front=27.0, middle=26.0, back=27.0, uncertainty=0.75) -> Heights:
    return Heights(
        height_anterior_mm=front,
        height_middle_mm=middle,
        height_posterior_mm=back,
        uncertainty_mm=uncertainty,
    )


def column(**own: Heights) -> list[LevelResult]:
    """T12 to L5 of 27 mm, but for the levels given."""
    names = ("T12", "L1", "L2", "L3", "L4", "L5")
    return [LevelResult(level=Level[n], usable=True, heights=own.get(n, heights())) for n in names]


@pytest.mark.parametrize(
    ("own", "deformity", "loss"),
    [
        (heights(front=18.9), Deformity.WEDGE, 30.0),
        (heights(middle=16.2), Deformity.BICONCAVE, 40.0),
        (heights(front=13.5, middle=13.5, back=13.5), Deformity.CRUSH, 50.0),
    ],
)
def test_the_lowest_ratio_names_the_deformity(own, deformity, loss):
    """Front, middle, or all of it."""
    shape = compare_heights(own, (heights(), heights()))
    assert shape.deformity is deformity
    assert shape.height_loss_percent == pytest.approx(loss)


@pytest.mark.parametrize("grade", [1, 2, 3])
def test_grades_begin_exactly_at_their_limits(grade):
    """At the limit it counts, a hair below it does not."""
    limit = GRADE_LIMITS_PERCENT[grade - 1] - READING_POINTS[grade - 1]
    assert grade_loss(limit) == grade
    assert grade_loss(limit - 1e-9) == grade - 1


def test_a_taller_front_is_no_loss():
    """L5 is higher in front: a ratio above 1 is 0 %, not less."""
    shape = compare_heights(heights(front=30.3, middle=27, back=26.3))
    assert (shape.height_loss_percent, shape.grade, shape.deformity) == (0.0, 0, None)
    assert shape.wedge_ratio == pytest.approx(1.152, abs=1e-3)


def test_l5_is_not_crushed_because_its_back_is_low():
    """Its posterior height is naturally below L4's; the mean of front and back is not."""
    (*_, last) = measure_morphometry(column(L5=heights(front=31.0, middle=27.0, back=22.0)))
    assert last.morphometry.crush_ratio == pytest.approx(26.5 / 27)
    assert last.morphometry.grade == 0


def test_one_crushed_neighbour_does_not_raise_or_lower_the_others():
    """The median of four bears one that is low itself."""
    low = heights(front=14.0, middle=14.0, back=14.0)
    results = {lv.level: lv.morphometry for lv in measure_morphometry(column(L2=low))}
    assert results[Level.L2].grade == 3
    for level in (Level.T12, Level.L1, Level.L3, Level.L4, Level.L5):
        assert results[level].grade == 0
        assert 0.9 < results[level].crush_ratio < 1.4


def test_a_lone_level_has_no_crush_ratio():
    """One neighbour is no column; the body's own ratios stand."""
    (only,) = measure_morphometry([column()[2]])
    assert only.morphometry.crush_ratio is None
    assert only.morphometry.wedge_ratio == 1.0
    first, _ = measure_morphometry(column()[2:4])
    assert first.morphometry.crush_ratio is None


def test_without_heights_there_are_no_ratios():
    """Absent with the reason of the heights, never a loss of 100 %."""
    absent = Heights(reason=Reason.CUT_BY_BORDER)
    results = measure_morphometry(column(L1=absent))
    assert results[1].morphometry.reason is Reason.CUT_BY_BORDER
    assert results[1].morphometry.height_loss_percent is None
    assert results[1].morphometry.grade is None
    assert results[2].morphometry.crush_ratio == 1.0


def test_the_error_of_a_ratio_comes_from_both_heights():
    """0.75 mm of 27 mm twice, at a ratio of 1: 3.9 points."""
    shape = compare_heights(heights(front=27.0, middle=27.0))
    assert shape.uncertainty_percent == pytest.approx(100 * 0.75 / 27 * 2**0.5)
