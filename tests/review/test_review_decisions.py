"""Decisions come back as they were made, or every bad line is named."""

import pytest

from osteoct.errors import ConfigError
from osteoct.review.decisions import (
    REVIEW_FILE,
    Decision,
    Review,
    Standing,
    parse_reviews,
    read_reviews,
    reviews_csv,
)


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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("case_id\na\n", "no column decision"),
        ("case_id,decision,mood\na,accept,good\n", "unknown column 'mood'"),
        ("case_id,decision,decision\na,accept,accept\n", "column decision repeats"),
        ("case_id,decision\na,accept,more\n", "more cells than columns"),
        ("case_id,decision\n,accept\n", "no case_id"),
        ("case_id,decision,levels\na,undecided,L2\n", "levels can only be rejected"),
        ("case_id,decision,decided_utc\na,accept,yesterday\n", "'yesterday'"),
        ("case_id,decision,result_sha256\na,accept,abc\n", "64 hexadecimal digits"),
        ("case_id,decision\na,accept\n a ,reject\n", "case a stands there twice"),
        ('case_id,decision\n"a,accept\n', "is not CSV"),
        ("", "no column case_id"),
    ],
)
def test_what_is_refused_is_named(text, told):
    """A line that is guessed at may accept what a person rejected."""
    with pytest.raises(ConfigError) as failure:
        parse_reviews(text)
    assert told in failure.value.line


def test_a_file_made_by_hand():
    """Two columns will do, in any order, with a spreadsheet's mark at the start; times get UTC."""
    text = (
        "\ufeffdecision,case_id,levels,decided_utc\r\nreject,a,L3;L2,2026-01-01T02:00:00+02:00\r\n"
    )
    (review,) = parse_reviews(text)
    assert (review.case_id, review.levels) == ("a", ("L2", "L3"))
    assert review.decided_utc == "2026-01-01T00:00:00Z"
    assert review.result_sha256 is None


def test_every_bad_file_of_a_folder_is_named(tmp_path):
    """One run, all repairs; a file that does not exist is one as well."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / REVIEW_FILE).write_text("case_id,decision\na,perhaps\n")
    with pytest.raises(ConfigError, match=r"one.*line 2.*two.*line 2"):
        read_reviews(tmp_path)
    with pytest.raises(ConfigError, match="does not exist"):
        read_reviews(tmp_path / "three")


def test_only_a_rejection_without_levels_is_about_the_case():
    """Of a level the rest is kept; what is taken back rejects nothing."""
    whole = Review(case_id="a", decision=Decision.REJECT)
    assert whole.rejects_case
    for other in (
        Review(case_id="a", decision=Decision.REJECT, levels=("L2",)),
        Review(case_id="a", decision=Decision.ACCEPT),
        Review(case_id="a", decision=Decision.UNDECIDED),
    ):
        assert not other.rejects_case
