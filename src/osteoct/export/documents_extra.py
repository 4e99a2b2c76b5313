"""Whether the packages of the extra ``documents`` are there."""

from __future__ import annotations

from typing import Final

from osteoct.extras import check_packages

DOCUMENTS: Final = {"typst": "typst>=0.13", "xlsxwriter": "xlsxwriter>=3.1"}
"""What sets a PDF and what writes a workbook; both come with the extra ``documents``."""


def check_documents_extra(feature: str, package: str) -> None:
    """Raise unless a package of :data:`DOCUMENTS` is there.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks and how to install it.
    """
    check_packages(feature, [DOCUMENTS[package]], extra="documents")
