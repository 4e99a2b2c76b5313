"""Optional packages: the user is told what a feature needs before it fails in the middle."""

from __future__ import annotations

import importlib
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from osteoct.errors import DependencyError
from osteoct.extras import check_packages

NUMPY = version("numpy")


def test_what_is_missing_is_named_and_what_is_there_is_not() -> None:
    """Feature, requirement and the command that mends it, in one line."""
    with pytest.raises(DependencyError) as caught:
        check_packages("a feature", ["numpy>=1", "no-such-package>=2"], extra="some")
    assert caught.value.line == (
        "a feature needs no-such-package>=2; found no-such-package not installed; "
        "pip install 'osteoct[some]'"
    )


@pytest.mark.parametrize("lowest", ["0.9", "1", NUMPY, f"{NUMPY}.0"])
def test_nothing_is_said_where_nothing_is_missing(lowest: str) -> None:
    """The lowest version is enough, however many zeros it is written with."""
    check_packages("a feature", [f"numpy>={lowest}"], extra="some")
    check_packages("a feature", [], extra="some")


@pytest.mark.parametrize("lowest", [f"{NUMPY}.1", "999"])
def test_what_is_too_old_is_named_with_its_version(lowest: str) -> None:
    """Numbers are compared, not words: 1.10 is newer than 1.9."""
    with pytest.raises(DependencyError, match=rf"needs numpy>={lowest}; found numpy {NUMPY};"):
        check_packages("a feature", [f"numpy>={lowest}"], extra="some")


@pytest.mark.parametrize(
    ("extra", "module"),
    [
        ("cohort", "osteoct.cohort.extra"),
        ("dicom", "osteoct.export.extra"),
        ("documents", "osteoct.export.documents_extra"),
        ("network", "osteoct.network.extra"),
    ],
)
def test_what_is_asked_for_is_what_the_extra_brings(extra: str, module: str) -> None:
    """One of two lists that differ is wrong."""
    file = Path(__file__).parents[1] / "pyproject.toml"
    brought = tomllib.loads(file.read_text())["project"]["optional-dependencies"][extra]
    constants = {k: v for k, v in vars(importlib.import_module(module)).items() if k.isupper()}
    lists = [v.values() if isinstance(v, dict) else v for v in constants.values()]
    assert sorted(text for one in lists for text in one) == sorted(brought)
