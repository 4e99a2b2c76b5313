"""The gate decides which levels count and changes no number."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.quality.gate import apply_gate
from osteoct.records import Finding, LevelResult, Severity

LEVELS = (LevelResult(level=Level.L1, usable=True), LevelResult(level=Level.L2, usable=True))


def finding(severity: Severity, level: Level | None) -> Finding:
    return Finding(code="x", severity=severity, level=level, message="x")


@pytest.mark.parametrize("severity", [Severity.INFO, Severity.WARNING])
def test_lesser_findings_leave_levels_usable(severity):
    """Only blocking blocks."""
    assert apply_gate(LEVELS, [finding(severity, Level.L1)]) == LEVELS


def test_a_blocking_finding_takes_its_level_out():
    """The other level stays."""
    first, second = apply_gate(LEVELS, [finding(Severity.BLOCKING, Level.L1)])
    assert not first.usable
    assert second.usable


def test_a_blocking_finding_of_the_case_takes_all_levels_out():
    """Labels out of order: no name can be trusted."""
    assert not any(lv.usable for lv in apply_gate(LEVELS, [finding(Severity.BLOCKING, None)]))


def test_the_gate_never_opens_what_was_closed():
    """An unmeasured level stays unusable."""
    closed = (LevelResult(level=Level.L1, usable=False),)
    assert apply_gate(closed, []) == closed
