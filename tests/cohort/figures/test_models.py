"""Calibration plots: what a point may tell."""

from __future__ import annotations

import pytest

from osteoct.cohort.figures.models import pick_bins
from osteoct.cohort.statistics.model_records import CalibrationPoint, LogisticModel


@pytest.mark.parametrize(
    ("events", "is_drawn"), [(0, True), (4, False), (5, True), (18, True), (19, False), (23, True)]
)
def test_bins_that_would_tell_of_few_patients_are_not_drawn(events, is_drawn):
    """The height of a point times its size is a count: one of 23 shows as 0.04."""
    point = CalibrationPoint(
        n=23, events=events, predicted=0.1, observed=events / 23, ci_low=0.0, ci_high=1.0
    )
    model = LogisticModel.model_construct(calibration=(point,))
    assert (pick_bins(model, 5) == [point]) == is_drawn
    assert pick_bins(model, 1) == [point]
