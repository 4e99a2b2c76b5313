"""Decisions lie with their results, and neither an import nor another run loses one."""

from __future__ import annotations

import pytest

from osteoct.errors import ConfigError
from osteoct.review.decisions import REVIEW_FILE, Decision, Review, read_reviews, reviews_csv
from osteoct.review.fingerprint import fingerprint_of
from osteoct.review.keeping import (
    check_reviews,
    find_review,
    gather_reviews,
    import_reviews,
    keep_reviews,
)

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def decide(case_id="case-1", decision=Decision.REJECT, when=EARLY, **fields) -> Review:
    """A decision."""
    return Review(case_id=case_id, decision=decision, decided_utc=when, **fields)


def put(folder, *reviews):
    """Decisions in a folder."""
    folder.mkdir(exist_ok=True)
    (folder / REVIEW_FILE).write_bytes(reviews_csv(reviews).encode())


def test_the_later_of_two_decisions_counts(make, tmp_path):
    """Wherever it lies: in the result folder or beside it."""
    case = make.write(make.result(), tmp_path / "results" / "a")
    put(case.folder, decide(when=EARLY))
    put(tmp_path / "results", decide(decision=Decision.ACCEPT, when=LATE))
    assert find_review(case.folder, "case-1").decision is Decision.ACCEPT
    for place in (tmp_path / "results", case.folder):
        assert gather_reviews([place])["case-1"].decision is Decision.ACCEPT
    put(tmp_path / "results", decide(decision=Decision.ACCEPT, when="2025-01-01T00:00:00Z"))
    assert find_review(case.folder, "case-1").decision is Decision.REJECT
    assert find_review(case.folder, "another") is None


def test_import_puts_each_decision_where_its_case_lies(make, tmp_path):
    """Others keep theirs, and cases that are not here are named."""
    one = make.write(make.result("one"), tmp_path / "folder-1")
    two = make.write(make.result("two"), tmp_path / "folder-2")
    put(two.folder, decide("two", reason="kept"))
    put(tmp_path / "in", decide("one", when=LATE), decide("far"))
    imported = import_reviews(tmp_path / "in" / REVIEW_FILE, [one, two])
    assert (imported.results, imported.unknown) == (1, ("far",))
    assert read_reviews(one.folder) == {"one": decide("one", when=LATE)}
    assert read_reviews(two.folder) == {"two": decide("two", reason="kept")}


def test_bad_lines_stop_an_import_before_it_writes(make, tmp_path):
    """All of them are named, and no folder has got half of a file."""
    one = make.write(make.result("one"), tmp_path / "one")
    (tmp_path / "in.csv").write_text("case_id,decision\none,accept\ntwo,perhaps\nthree,\n")
    with pytest.raises(ConfigError, match=r"line 3.*line 4"):
        import_reviews(tmp_path / "in.csv", [one])
    assert not (one.folder / REVIEW_FILE).exists()


def test_bad_lines_in_a_result_stop_an_import_before_it_writes(make, tmp_path):
    """What a person wrote there must not be lost under an import."""
    one, two = (make.write(make.result(name), tmp_path / name) for name in ("one", "two"))
    bad = "case_id,decision\ntwo,perhaps\n"
    (two.folder / REVIEW_FILE).write_text(bad)
    put(tmp_path / "in", decide("one"), decide("two"))
    with pytest.raises(ConfigError, match="line 2"):
        import_reviews(tmp_path / "in" / REVIEW_FILE, [one, two])
    assert not (one.folder / REVIEW_FILE).exists()
    assert (two.folder / REVIEW_FILE).read_text() == bad


def test_decision_taken_back_stays_so(make, tmp_path):
    """Without a line for it the earlier decision would come again at the import."""
    case = make.write(make.result(), tmp_path / "a")
    put(case.folder, decide(when=EARLY))
    put(tmp_path / "in", decide(decision=Decision.UNDECIDED, when=LATE))
    import_reviews(tmp_path / "in" / REVIEW_FILE, [case])
    held = find_review(case.folder, "case-1")
    assert held.decision is Decision.UNDECIDED
    assert not held.rejects_case
    (tmp_path / "new").mkdir()
    assert keep_reviews(case.result, case.folder, tmp_path / "new") == ""


def test_another_run_keeps_the_file_byte_by_byte(make, tmp_path):
    """And says what was decided; a changed number outdates it and loses nothing."""
    result = make.result()
    case = make.write(result, tmp_path / "old")
    put(case.folder, decide(reviewer="R", reason="why", result_sha256=fingerprint_of(result)))
    for name, other, words in (
        ("same", result, "Reviewed: rejected by R on 2026-01-01 (why)."),
        ("changed", make.result(levels=[make.level(mean_hu=99.0)]), "Review outdated: rejected"),
    ):
        new = tmp_path / name
        new.mkdir()
        assert keep_reviews(other, case.folder, new).startswith(words)
        assert (new / REVIEW_FILE).read_bytes() == (case.folder / REVIEW_FILE).read_bytes()


def test_nothing_to_keep(make, tmp_path):
    """No file is made up."""
    (tmp_path / "new").mkdir()
    assert keep_reviews(make.result(), tmp_path / "old", tmp_path / "new") == ""
    assert list((tmp_path / "new").iterdir()) == []


def test_bad_lines_are_told_before_hours_are_spent(tmp_path):
    """The check comes first; without decisions there is nothing to tell."""
    check_reviews(tmp_path)
    (tmp_path / REVIEW_FILE).write_text("case_id,decision\na,perhaps\n")
    with pytest.raises(ConfigError, match="line 2"):
        check_reviews(tmp_path)
    with pytest.raises(ConfigError, match="line 2"):
        check_reviews(tmp_path / "result")
