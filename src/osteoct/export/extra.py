"""Whether the packages of the extra ``dicom`` are there."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from osteoct.errors import DependencyError

NEEDED: Final = {
    "highdicom": "highdicom>=0.26",
    "dicomanonymizer": "dicom-anonymizer>=2.1",
}
"""Modules without which no DICOM object is written, and the requirement of each."""


def check_dicom_extra(feature: str) -> None:
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
            hint="pip install 'osteoct[dicom]'",
        )
