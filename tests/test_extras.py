"""Optional packages: the user is told what a feature needs before it fails in the middle."""

from __future__ import annotations

import pytest

from osteoct.errors import DependencyError
from osteoct.extras import check_modules


def test_what_is_missing_is_named_and_what_is_there_is_not() -> None:
    """Feature, requirement and the command that mends it, in one line."""
    needed = {"numpy": "numpy>=1", "no_such_module": "no-such-package>=2"}
    with pytest.raises(DependencyError) as caught:
        check_modules("a feature", needed, extra="some")
    assert caught.value.line == (
        "a feature needs no-such-package>=2; found not installed; pip install 'osteoct[some]'"
    )


def test_nothing_is_said_where_nothing_is_missing() -> None:
    """And nothing is imported to find out."""
    check_modules("a feature", {"numpy": "numpy>=1"}, extra="some")
    check_modules("a feature", {}, extra="some")
