"""Whether the packages of an optional extra are there, and new enough."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from osteoct.errors import DependencyError


def check_packages(feature: str, requirements: Iterable[str], *, extra: str) -> None:
    """Raise unless every package is installed in a version that is new enough; none is imported.

    Parameters
    ----------
    feature
        What the user asked for.
    requirements
        Such as ``pandas>=2.2``.
    extra
        Name of the extra that brings them.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks, what was found and how to install it.
    """
    lacking = {text: have for text in requirements if (have := _found(text)) is not None}
    if lacking:
        raise DependencyError(
            f"{feature} needs {' and '.join(lacking)}",
            found=", ".join(lacking.values()),
            hint=f"pip install 'osteoct[{extra}]'",
        )


def _found(requirement: str) -> str | None:
    """What is there instead of a requirement; ``None`` where it is met."""
    name, _, lowest = requirement.partition(">=")
    try:
        have = version(name)
    except PackageNotFoundError:
        return f"{name} not installed"
    return f"{name} {have}" if _release(have) < _release(lowest) else None


def _release(text: str) -> tuple[int, ...]:
    """The numbers of a version, so that 3.0 is 3.0.0; what comes before a release counts as it."""
    match = re.match(r"\d+(\.\d+)*", text)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
