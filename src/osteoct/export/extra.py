"""Whether the packages of the extra ``dicom`` are there."""

from __future__ import annotations

from typing import Final

from osteoct.extras import check_packages

NEEDED: Final = ("highdicom>=0.28", "dicom-anonymizer>=2.1")
"""Packages without which no DICOM object is written."""


def check_dicom_extra(feature: str) -> None:
    """Raise unless the packages are there.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks, what was found and how to install it.
    """
    check_packages(feature, NEEDED, extra="dicom")
