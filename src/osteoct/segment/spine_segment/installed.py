"""Is the package there, and in a version whose labels and functions are known here?"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

from osteoct.errors import DependencyError

DISTRIBUTION: Final = "spine-segment"
MODULES: Final = ("spine_segment", "torch")

OLDEST, TOO_NEW = (0, 1, 6), (0, 2)
"""From the version whose files and labels all this was written for, to the next that may differ."""

HOW_TO_INSTALL: Final = (
    "pip install 'osteoct[spine-segment]'; on a machine without a GPU add -c with a file that says "
    "torch==2.13.0, which keeps 7 GB of CUDA away"
)


def installed_version() -> str | None:
    """Version of the package; ``None`` where it, or torch, cannot be imported."""
    if any(find_spec(name) is None for name in MODULES):
        return None
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return None


def check_installed() -> None:
    """Raise unless the package is there in a known version.

    Raises
    ------
    DependencyError
        With what to install.
    """
    found = installed_version()
    if found is None:
        raise DependencyError(
            "spine-segment is not installed",
            where="--segmenter spine-segment",
            hint=HOW_TO_INSTALL,
        )
    if not is_known(found):
        raise DependencyError(
            "spine-segment is of a version that is not known here",
            where="--segmenter spine-segment",
            found=found,
            wanted="0.1.6 or newer, below 0.2",
            hint="pip install 'spine-segment>=0.1.6,<0.2'",
        )


def is_known(version_text: str) -> bool:
    """Whether a version lies from :data:`OLDEST` to below :data:`TOO_NEW`.

    >>> is_known("0.1.6"), is_known("0.1.5"), is_known("0.2.0")
    (True, False, False)
    """
    numbers = tuple(int(n) for n in re.findall(r"\d+", version_text)[:3])
    return OLDEST <= numbers < TOO_NEW
