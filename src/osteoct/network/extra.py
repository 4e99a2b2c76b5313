"""Whether the packages of the extra ``network`` are there."""

from __future__ import annotations

from typing import Final

from osteoct.extras import check_modules

NEEDED: Final = {"pynetdicom": "pynetdicom>=3.0", "dicomweb_client": "dicomweb-client>=0.60"}
"""Modules without which no archive is spoken to, and the requirement of each."""


def check_network_extra(feature: str) -> None:
    """Raise unless the packages are there.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks and how to install it.
    """
    check_modules(feature, NEEDED, extra="network")
