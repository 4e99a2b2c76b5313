"""Findings in the order of their gravity."""

from __future__ import annotations

from osteoct.anatomy import Level
from osteoct.records import Effect, Severity
from osteoct.report.finding_list import list_doubts


def test_blocking_first_then_case_then_levels_from_the_head(make):
    """What stops a conclusion is read first."""
    findings = [
        make.finding("a", Severity.INFO, "a"),
        make.finding("b", Severity.WARNING, "b", Level.L4),
        make.finding("c", Severity.BLOCKING, "c", Level.L5),
        make.finding("d", Severity.WARNING, "d", Level.L1),
        make.finding("e", Severity.WARNING, "e"),
        make.finding("f", Severity.BLOCKING, "f", Level.L2),
    ]
    doubts = list_doubts(make.result(findings=findings))
    assert [d.code for d in doubts] == ["f", "c", "e", "d", "b", "a"]
    assert [d.place for d in doubts] == ["L2", "L5", "Case", "L1", "L4", "Case"]
    assert doubts[0].severity_words == "Blocking"


def test_what_a_finding_does_is_said_beside_it(make):
    """A warning that leaves a level out must not read like one that does not."""
    findings = [
        make.finding("a", Severity.WARNING, "a", Level.L3),
        make.finding("b", Severity.BLOCKING, "b", Level.L2),
        make.finding("c", Severity.BLOCKING, "c"),
        make.finding("d", Severity.WARNING, "d", Level.L4).model_copy(
            update={"effect": Effect.EXCLUDE}
        ),
    ]
    told = {d.code: d.effect for d in list_doubts(make.result(findings=findings))}
    assert told["a"] == ""
    assert told["b"] == told["d"] == "left out of means and conclusions"
    assert told["c"] == "no conclusion"


def test_one_finding_of_several_levels_is_one_row(make):
    """Five lines that say the same hide the sixth that does not."""
    same = [
        make.finding("body-by-geometry", Severity.INFO, f"The body of {level} was found.", level)
        for level in (Level.L1, Level.L2, Level.L3)
    ]
    other = make.finding("x", Severity.INFO, "L2 is {odd}.", Level.L2)
    rows = list_doubts(make.result(findings=[*same, other]))
    assert [(row.place, row.message) for row in rows] == [
        ("L1–L3", "The body of L1–L3 was found."),
        ("L2", "L2 is {odd}."),
    ]
