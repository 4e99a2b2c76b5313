"""Whether the packages of the extra ``network`` are there."""

from __future__ import annotations

from typing import Final

from osteoct.extras import check_packages

NEEDED: Final = ("pynetdicom>=3.0", "dicomweb-client>=0.60")
"""Packages without which no archive is spoken to."""


def check_network_extra(feature: str) -> None:
    """Raise unless the packages are there.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks and how to install it.
    """
    check_packages(feature, NEEDED, extra="network")
