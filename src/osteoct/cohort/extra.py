"""Whether the packages of the extra ``cohort`` are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from osteoct.extras import check_packages

NEEDED: Final = ("pandas>=2.2", "statsmodels>=0.14.4")
"""Packages without which nothing of ``osteoct cohort`` works."""

EXCEL_IN: Final = ("openpyxl>=3.1",)
PARQUET: Final = ("pyarrow>=15",)
EXCEL_OUT: Final = ("xlsxwriter>=3.1",)
PDF: Final = ("typst>=0.13",)


def check_extra(feature: str, needed: Sequence[str] = NEEDED) -> None:
    """Raise unless the packages are there.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks and how to install it.
    """
    check_packages(feature, needed, extra="cohort")
