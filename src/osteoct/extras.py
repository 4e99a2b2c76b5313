"""Whether the packages of an optional extra are there."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from osteoct.errors import DependencyError


def check_modules(feature: str, needed: Mapping[str, str], *, extra: str) -> None:
    """Raise unless every module can be found; none is imported.

    Parameters
    ----------
    feature
        What the user asked for.
    needed
        Requirement by module.
    extra
        Name of the extra that brings them.

    Raises
    ------
    DependencyError
        Names the feature, what it lacks and how to install it.
    """
    missing = [requirement for module, requirement in needed.items() if find_spec(module) is None]
    if missing:
        raise DependencyError(
            f"{feature} needs {' and '.join(missing)}",
            found="not installed",
            hint=f"pip install 'osteoct[{extra}]'",
        )
