"""The sheet as a file: what stands in it, what does not, and that it replaces only itself."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape

import pytest

from osteoct.errors import OutputExistsError
from osteoct.records import Severity, Usability
from osteoct.review.decisions import Decision, Review, parse_reviews
from osteoct.review.fingerprint import fingerprint_of
from osteoct.review.sheet import write_sheet

PICTURES = {"spine.webp": b"spine bytes", "1.L3.dense-focus.webp": b"place bytes"}


@pytest.fixture
def case(make, tmp_path):
    """A case with pictures and a report, in a folder named after a patient."""
    made = make.write(make.result(), tmp_path / "results" / "Secretname_1942")
    (made.folder / "pictures").mkdir()
    for name, content in PICTURES.items():
        (made.folder / "pictures" / name).write_bytes(content)
    (made.folder / "report.html").write_text("the report")
    return made


def write(tmp_path, cases, reviews=None, **options):
    """The cards, and the page as text."""
    path = tmp_path / "results" / "review.html"
    cards = write_sheet(path, cases, reviews or {}, **options)
    return cards, path.read_text(encoding="utf-8")


def test_pictures_are_inside_with_their_captions(case, tmp_path):
    """The page is sent alone."""
    (card,), html = write(tmp_path, [case])
    for content in PICTURES.values():
        assert f"data:image/webp;base64,{b64encode(content).decode()}" in html
    assert card.spine is not None
    assert [place.caption for place in card.places] == ["L3 dense-focus"]


def test_results_without_pictures_say_so(make, tmp_path):
    """Those of an earlier version, and those in which no level was drawn."""
    _, html = write(tmp_path, [make.write(make.result(), tmp_path / "results" / "a")])
    assert "No picture" in html
    assert "<img" not in html


def test_nothing_is_loaded_and_only_its_own_script_runs(case, tmp_path):
    """The page is opened on machines without network, and what a case brings must not run."""
    _, html = write(tmp_path, [case], is_linked=True)
    assert not re.search(r"""(?:src|href)=["'](?!data:|Secretname)""", html)
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)[1]
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{allowed}'" in html
    assert "default-src 'none'" in html


def test_what_comes_from_a_case_is_escaped(make, tmp_path):
    """Codes and messages are text, also inside an attribute."""
    evil = "<script>alert(1)</script>\"'"
    result = make.result(evil, findings=[make.finding(evil, Severity.WARNING)])
    case = make.write(result, tmp_path / "results" / "a")
    review = Review(case_id=evil, decision=Decision.REJECT, reason=evil)
    cards, html = write(tmp_path, [case], {evil: review})
    assert html.count("<script") == 1
    decided = re.search(r'data-decided="([^"]*)"', html)[1]
    assert json.loads(unescape(decided))["reason"] == evil
    assert cards[0].decided


def test_folder_names_stand_in_it_only_on_demand(case, make, tmp_path):
    """Archives name folders after patients: a link is made where it tells no more than the case."""
    named = make.write(make.result("case-2"), tmp_path / "results" / "case-2")
    (named.folder / "report.html").write_text("the report")
    _, html = write(tmp_path, [case, named])
    assert "Secretname" not in html
    assert str(tmp_path) not in html
    assert 'href="case-2/report.html"' in html
    _, html = write(tmp_path, [case, named], is_linked=True)
    assert 'href="Secretname_1942/report.html"' in html


def test_a_decision_is_shown_while_it_holds(case, tmp_path):
    """Afterwards as a sentence, and the case waits for another; taken back it leaves nothing."""
    held = Review(
        case_id="case-1", decision=Decision.REJECT, result_sha256=fingerprint_of(case.result)
    )
    (card,), _ = write(tmp_path, [case], {"case-1": held})
    assert json.loads(card.decided)["decision"] == "reject"
    assert card.outdated == ""
    old = held.model_copy(update={"result_sha256": "a" * 64})
    (card,), html = write(tmp_path, [case], {"case-1": old})
    assert card.decided == ""
    assert "Review outdated: rejected; the result has changed since." in html
    back = held.model_copy(update={"decision": Decision.UNDECIDED})
    (card,), _ = write(tmp_path, [case], {"case-1": back})
    assert (card.decided, card.outdated) == ("", "")


def test_worst_case_stands_first(make, tmp_path):
    """In the page as in the list that is returned."""
    cases = [
        make.write(make.result(name, usability=usability), tmp_path / "results" / name)
        for name, usability in (("fine", Usability.USABLE), ("bad", Usability.NOT_USABLE))
    ]
    cards, html = write(tmp_path, cases)
    assert [card.case_id for card in cards] == ["bad", "fine"]
    assert re.findall(r'data-case="(\w+)"', html) == ["bad", "fine"]


def test_many_doubts_are_counted_not_listed(make, tmp_path):
    """More than six are not read."""
    findings = [make.finding(f"code-{n}") for n in range(9)]
    case = make.write(make.result(findings=findings), tmp_path / "results" / "a")
    (card,), html = write(tmp_path, [case])
    assert (len(card.doubts), card.doubts_left) == (6, 3)
    assert "and 3 more in the report" in html


def test_the_page_and_the_reader_agree_on_columns(case, tmp_path):
    """What the script writes under this head is read."""
    _, html = write(tmp_path, [case])
    head = re.search(r'data-columns="([^"]*)"', html)[1]
    assert parse_reviews(head + "\r\ncase-1,undecided,,,,,\r\n")[0].case_id == "case-1"
    for decision in ("accept", "reject"):
        assert f'data-decide="{decision}"' in html


def test_only_an_earlier_sheet_is_replaced(case, tmp_path):
    """``review.html`` may be somebody's own page, or a folder."""
    path = tmp_path / "results" / "review.html"
    write(tmp_path, [case])
    write(tmp_path, [case])
    path.write_text("<p>my own page</p>")
    with pytest.raises(OutputExistsError, match=r"review\.html"):
        write_sheet(path, [case], {})
    assert path.read_text() == "<p>my own page</p>"
    with pytest.raises(OutputExistsError):
        write_sheet(tmp_path / "results", [case], {})
