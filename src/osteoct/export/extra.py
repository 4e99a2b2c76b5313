"""Whether the packages of the extra ``dicom`` are there, and new enough."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from osteoct.errors import DependencyError

NEEDED: Final = {"highdicom": "0.28", "dicom-anonymizer": "2.1"}
"""Packages without which no DICOM object is written, and the lowest version of each."""


def check_dicom_extra(feature: str) -> None:
    """Raise unless the packages are there.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks, what was found and how to install it.
    """
    found = {name: _version_of(name) for name in NEEDED}
    lacking = {
        name: have
        for name, have in found.items()
        if have is None or _numbers(have) < _numbers(NEEDED[name])
    }
    if lacking:
        wanted = " and ".join(f"{name}>={NEEDED[name]}" for name in lacking)
        raise DependencyError(
            f"{feature} needs {wanted}",
            found=", ".join(f"{name} {have or 'not installed'}" for name, have in lacking.items()),
            hint="pip install 'osteoct[dicom]'",
        )


def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    """Major and minor version."""
    return tuple(int(n) for n in re.findall(r"\d+", text)[:2])
