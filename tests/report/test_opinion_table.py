"""Every rule with its verdict, its reason and where it comes from."""

from __future__ import annotations

from osteoct.classify.rules import load_rules
from osteoct.records import Verdict
from osteoct.report.opinion_table import make_opinion_table


def test_all_shipped_rules_are_listed_with_their_source(make):
    """A verdict without a citation is an opinion of ours."""
    rules = load_rules()
    opinions = [make.opinion(r.id, Verdict.INDETERMINATE, cutoff=r.cutoff) for r in rules]
    table = make_opinion_table(make.result(opinions=opinions), rules)
    for row, rule in zip(table.rows, rules, strict=True):
        assert row.title == rule.title
        assert row.cutoff.startswith(f"{rule.cutoff:g} ")
        assert table.sources[row.source - 1].citation == rule.citation
        assert table.sources[row.source - 1].doi == (rule.doi or "")
    assert len(table.sources) == len({r.citation for r in rules})


def test_decided_first_not_applicable_last(make):
    """The order of reading."""
    opinions = [
        make.opinion("comp2comp-300", Verdict.NOT_APPLICABLE),
        make.opinion("pickhardt-2013-l1-160", Verdict.INDETERMINATE),
        make.opinion("study-2026-trabecular-low", Verdict.ABOVE, value_hu=150.0),
    ]
    rows = make_opinion_table(make.result(opinions=opinions), load_rules()).rows
    assert [row.verdict_words for row in rows] == ["Not below", "Indeterminate", "Not applicable"]
    assert [row.value for row in rows] == ["150.0", "–", "–"]


def test_cortical_rule_names_depth_and_voxels(make):
    """Cortical HU depend on both."""
    opinions = [make.opinion("study-2026-cortical-low", Verdict.BELOW, value_hu=240.0)]
    row = make_opinion_table(make.result(opinions=opinions), load_rules()).rows[0]
    assert row.measured_by == "vertebra-core-3.5 (depth ≤ 3.5 mm, voxels 2 × 2 × 5 mm)"


def test_unknown_rule_is_shown_by_its_id(make):
    """A case written by another release keeps its opinions."""
    opinions = [make.opinion("rule-of-tomorrow", Verdict.BELOW, unit="mg/cm3", cutoff=80)]
    row = make_opinion_table(make.result(opinions=opinions), load_rules()).rows[0]
    assert (row.title, row.cutoff, row.source) == ("rule-of-tomorrow", "80 mg/cm³", None)
