"""Whether the packages of the extra ``cohort`` are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from osteoct.extras import check_modules

NEEDED: Final = {"pandas": "pandas>=2.2", "statsmodels": "statsmodels>=0.14.4"}
"""Modules without which nothing of ``osteoct cohort`` works, and the requirement of each."""

EXCEL_IN: Final = {"openpyxl": "openpyxl>=3.1"}
PARQUET: Final = {"pyarrow": "pyarrow>=15"}
EXCEL_OUT: Final = {"xlsxwriter": "xlsxwriter>=3.1"}
PDF: Final = {"typst": "typst>=0.13"}


def check_extra(feature: str, needed: Mapping[str, str] = NEEDED) -> None:
    """Raise unless the packages are there.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks and how to install it.
    """
    check_modules(feature, needed, extra="cohort")
