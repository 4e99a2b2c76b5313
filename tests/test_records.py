"""Missing is never zero: records that break the promise cannot be built."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from osteoct.protocols import Region
from osteoct.records import Acquisition, HuStatistics, Reason, RegionMeasure

HU = HuStatistics(mean_hu=1, median_hu=1, sd_hu=0, p05_hu=1, p25_hu=1, p75_hu=1, p95_hu=1)
WHERE = {"protocol": "body-core-4", "region": Region.BODY}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"volume_cm3": 1.0, "voxels": 5},
        {"volume_cm3": 1.0, "voxels": 5, "hu": HU, "reason": Reason.EMPTY_CORE},
        {"volume_cm3": 0.0, "voxels": 0, "hu": HU},
        {"voxels": 5, "reason": Reason.EMPTY_CORE},
    ],
)
def test_a_half_present_region_is_refused(fields):
    """Either everything is there or a reason is."""
    with pytest.raises(ValidationError):
        RegionMeasure(**WHERE, **fields)


def test_whole_and_absent_regions_are_accepted():
    """The two shapes a region may have."""
    assert RegionMeasure(**WHERE, volume_cm3=1.0, voxels=5, hu=HU).reason is None
    assert RegionMeasure(**WHERE, reason=Reason.EMPTY_CORE).hu is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_not_a_number_is_not_a_number(value):
    """NaN would travel into tables and means unseen."""
    with pytest.raises(ValidationError):
        HuStatistics(**{**HU.model_dump(), "mean_hu": value})


def test_records_are_frozen_and_closed():
    """No later step may change a number, and no unknown field may hide in a file."""
    with pytest.raises(ValidationError):
        Acquisition().kvp = 120
    with pytest.raises(ValidationError):
        Acquisition(patient_name="X")


def test_nothing_is_invented():
    """Seen elsewhere: missing age became 65, missing sex M."""
    acquisition = Acquisition()
    assert acquisition.patient_age_years is None
    assert acquisition.patient_sex is None
    assert acquisition.phase is None
    assert acquisition.kvp is None
