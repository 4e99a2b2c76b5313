"""A header for a new file: odd values go, whose images these are stays."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.dataset import Dataset

from osteoct.io.dicom.valid_header import drop_invalid


@pytest.mark.parametrize(
    ("keyword", "value", "is_kept"),
    [
        ("StudyDate", "20200102", True),
        ("StudyDate", "2020.1.2", False),
        ("PatientBirthDate", "", True),
        ("PatientBirthDate", "1950-01-01", False),
        ("StudyTime", "101112.5", True),
        ("StudyTime", "10 Uhr", False),
        ("PatientAge", "071Y", True),
        ("PatientAge", "71", False),
        ("PatientSex", "F", True),
        ("PatientSex", "W", False),  # valid text of its kind, and no sex that DICOM knows
        ("PatientWeight", "79.5", True),
        ("PatientWeight", "79.50000000000000000001", False),
        ("PatientID", "X" * 80, True),  # too long, and nobody else's
    ],
)
def test_values_that_dicom_does_not_allow_are_emptied(keyword, value, is_kept):
    """An invalid date makes a file that archives refuse; an emptied id, one of nobody."""
    header = Dataset()
    with pydicom.config.disable_value_validation():
        setattr(header, keyword, value)
    assert drop_invalid(header) == (() if is_kept else (keyword,))
    with pydicom.config.disable_value_validation():
        assert str(header.get(keyword) or "") == (value if is_kept else "")
