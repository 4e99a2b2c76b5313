"""``osteoct review`` as it is used: a sheet, decisions brought back, a next run that keeps them."""

from __future__ import annotations

import shutil

import pytest

from osteoct.records import CaseResult
from osteoct.review.decisions import read_reviews
from osteoct.review.fingerprint import fingerprint_of

HEAD = "case_id,decision,levels,reason,reviewer,decided_utc,result_sha256\r\n"


@pytest.fixture
def results(analysed, tmp_path):
    """A folder with the result of the small patient."""
    shutil.copytree(analysed[1], tmp_path / "results" / "one")
    return tmp_path / "results"


@pytest.fixture
def line(results):
    """A decision about it, as the sheet saves it."""
    result = _result(results / "one")
    return f"{result.case_id},reject,,metal,R,2026-01-31T12:00:00Z,{fingerprint_of(result)}\r\n"


def _result(folder):
    return CaseResult.model_validate_json((folder / "case.json").read_text(encoding="utf-8"))


def test_a_sheet_is_made_and_its_place_printed(osteoct, results):
    """On stdout nothing but the place; the count is said."""
    told = osteoct("review", results)
    assert (told.code, told.out) == (0, f"{results / 'review.html'}\n")
    assert told.said == ["1 case: 1 usable with warning; 0 decided"]
    html = (results / "review.html").read_text(encoding="utf-8")
    assert _result(results / "one").case_id in html
    assert html.count("data:image/webp;base64,") == 2


def test_decisions_come_back_and_the_next_run_keeps_them(osteoct, results, line, patient, tmp_path):
    """The whole way: sheet, file, import, sheet, another run, its report."""
    (tmp_path / "in.csv").write_bytes((HEAD + line + "far,accept,,,,,\r\n").encode())
    told = osteoct("review", results, "--import", tmp_path / "in.csv")
    assert told.said == [
        "1 result got the decision of the case",
        "not among these results: far",
        "1 case: 1 usable with warning; 1 decided",
    ]
    held = (results / "one" / "review.csv").read_bytes()
    assert held == (HEAD + line).encode()
    command = (
        *("analyze", patient.dicom, "--masks", patient.masks, "--body-masks", patient.bodies),
        *("-o", results / "one", "--overwrite"),
    )
    before = _result(results / "one")
    assert osteoct(*command, "--levels", "L1-L3").code == 0
    assert (results / "one" / "review.csv").read_bytes() == held
    report = (results / "one" / "report.html").read_text(encoding="utf-8")
    assert "Reviewed: rejected by R on 2026-01-31 (metal)." in report
    assert _result(results / "one").levels == before.levels
    assert osteoct("review", results).said[-1].endswith("; 1 decided")
    assert osteoct(*command, "--levels", "L1").code == 0
    report = (results / "one" / "report.html").read_text(encoding="utf-8")
    assert "Review outdated: rejected by R on 2026-01-31 (metal);" in report
    assert osteoct("review", results).said[-1].endswith("; 0 decided, 1 outdated")
    assert len(read_reviews(results)) == 1


def test_bad_decisions_are_refused_whole(osteoct, results, tmp_path):
    """Exit code 2, one line with all of them, and neither sheet nor decision is written."""
    (tmp_path / "in.csv").write_text("case_id,decision\na,perhaps\nb,\n")
    told = osteoct("review", results, "--import", tmp_path / "in.csv")
    assert told.code == 2
    assert len(told.said) == 1
    assert "line 2" in told.err
    assert "line 3" in told.err
    assert not (results / "review.html").exists()
    assert not (results / "one" / "review.csv").exists()


def test_bad_decisions_stop_an_analysis_before_it_starts(osteoct, results, patient):
    """The earlier result stays as it was."""
    (results / "one" / "review.csv").write_text("case_id,decision\na,perhaps\n")
    before = (results / "one" / "case.json").read_bytes()
    told = osteoct(
        *("analyze", patient.dicom, "--masks", patient.masks, "-o", results / "one"),
        "--overwrite",
    )
    assert told.code == 2
    assert "line 2" in told.err
    assert (results / "one" / "case.json").read_bytes() == before


def test_damaged_results_are_named(osteoct, results):
    """The sheet holds the others."""
    (results / "two").mkdir()
    (results / "two" / "case.json").write_text("{")
    told = osteoct("review", results)
    assert told.code == 0
    assert str(results / "two" / "case.json") in told.said[0]


def test_another_page_is_never_replaced(osteoct, results, tmp_path):
    """Nor is anything imported before that is known."""
    page = tmp_path / "mine.html"
    page.write_text("mine")
    told = osteoct("review", results, "-o", page)
    assert told.code != 0
    assert page.read_text() == "mine"


def test_no_identifier_stands_in_the_sheet(osteoct, results):
    """The pseudonym is all that names a case; folders are named after patients."""
    (results / "one").rename(results / "Secretname_Annabella")
    assert osteoct("review", results).code == 0
    html = (results / "review.html").read_text(encoding="utf-8").lower()
    assert "secretname" not in html
    assert "annabella" not in html
    assert str(results).lower() not in html


def test_folder_without_results(osteoct, tmp_path):
    """An empty sheet would look like a study without doubts."""
    told = osteoct("review", tmp_path)
    assert told.code != 0
    assert "holds no result" in told.err
    assert list(tmp_path.iterdir()) == []
