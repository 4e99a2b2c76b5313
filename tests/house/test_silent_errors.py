"""Every silent error the docs list has tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "silent-errors.md"
NAMES = re.findall(r"`(tests/[^`]+)::(test_\w+)`", PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMES)
def test_the_named_test_exists(file, name):
    """A renamed test must be renamed in the table."""
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_every_row_names_a_test():
    """No kind of error is listed without a guard."""
    rows = PAGE.read_text(encoding="utf-8").partition("|---|---|---|\n")[2].strip().splitlines()
    assert len(rows) >= 15
    assert all("::test_" in row for row in rows)
