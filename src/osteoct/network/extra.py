"""Whether the packages of the extra ``network`` are there."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from osteoct.errors import DependencyError

NEEDED: Final = {"pynetdicom": "pynetdicom>=3.0", "dicomweb_client": "dicomweb-client>=0.60"}
"""Modules without which no archive is spoken to, and the requirement of each."""


def check_network_extra(feature: str) -> None:
    """Raise unless the packages are there.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks and how to install it.
    """
    missing = [requirement for module, requirement in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise DependencyError(
            f"{feature} needs {' and '.join(missing)}",
            found="not installed",
            hint="pip install 'osteoct[network]'",
        )
