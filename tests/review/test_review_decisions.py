"""Decisions come back as they were made, or every bad line is named."""

import pytest

from osteoct.errors import ConfigError
from osteoct.review.decisions import Decision, Review, Standing, parse_reviews, reviews_csv


def test_a_round_trip_keeps_everything():
    """Also a reason that a spreadsheet would run."""
    made = Review(
        case_id="a",
        decision=Decision.REJECT,
        levels=("L2", "L3"),
        reason='=x, "y"',
        reviewer="R",
        decided_utc="2026-01-01T00:00:00Z",
        result_sha256="a" * 64,
    )
    assert parse_reviews(reviews_csv([made])) == (made,)


def test_all_bad_lines_are_named():
    """One run, all repairs."""
    text = "case_id,decision,levels\na,maybe,\nb,accept,L1\nc,reject,L9\nd,accept,\nd,reject,\n"
    with pytest.raises(ConfigError) as failure:
        parse_reviews(text)
    for line in ("line 2", "line 3", "line 4", "line 6"):
        assert line in failure.value.line


def test_a_decision_belongs_to_its_result():
    """Without a hash it holds for whatever there is."""
    bound = Review(case_id="a", decision=Decision.ACCEPT, result_sha256="a" * 64)
    assert bound.standing("a" * 64) is Standing.CURRENT
    assert bound.standing("b" * 64) is Standing.OUTDATED
    free = Review(case_id="a", decision=Decision.ACCEPT)
    assert free.standing("b" * 64) is Standing.CURRENT
