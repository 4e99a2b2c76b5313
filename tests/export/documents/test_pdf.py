"""The PDF says what the page says, on two sheets, and the same each time."""

from __future__ import annotations

from dataclasses import replace

import pypdfium2
import pytest

from osteoct.errors import DependencyError, UnreadableInputError
from osteoct.export import documents_extra
from osteoct.export.pdf.content import MOST_FINDINGS, Shown, make_content
from osteoct.export.pdf.pictures import read_pictures
from osteoct.export.pdf.setting import render_case_pages, render_case_pdf
from osteoct.records import Finding, Severity
from osteoct.report.wording import DISCLAIMER

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


def text_of(pdf):
    """What another program reads in it, per page, spaces and line breaks alike."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [document[n] for n in range(len(document))]
        return [" ".join(p.get_textpage().get_text_range().split()) for p in pages]
    finally:
        document.close()


def test_it_says_what_the_page_says(laid, sent):
    """Who sees the PDF alone must not know less: disclaimer on every page, every level named."""
    pages = text_of((sent / "report.pdf").read_bytes())
    result, whole = laid.case.result, " ".join(pages)
    assert 1 <= len(pages) <= 2
    assert all(DISCLAIMER in page for page in pages)
    measure = result.levels[-1].region("body-core-4", "trabecular")
    assert f"{measure.hu.mean_hu:.1f}" in whole
    for words in ("not in the masks", "cut by the border", "Numbering certainty", "Pickhardt"):
        assert words in whole, words
    assert "=cmd|phantom" in whole  # a name is text, never code


def test_the_same_case_gives_the_same_bytes(laid, sent):
    """An archive that gets it twice keeps it once."""
    assert render_case_pdf(laid.case) == (sent / "report.pdf").read_bytes()


def test_text_of_a_case_is_never_code(laid):
    """What typst would run as a command is printed as it is."""
    words = '#panic("x") $x$ *b* @ref </script>'
    finding = Finding(code="odd", severity=Severity.BLOCKING, message=words)
    result = laid.case.result.model_copy(update={"findings": (finding,)})
    assert words in " ".join(text_of(render_case_pdf(replace(laid.case, result=result))))


@pytest.mark.parametrize(
    ("more", "told"), [(0, ""), (1, "Not listed here: 1 note;"), (2, "Not listed here: 2 notes;")]
)
def test_findings_that_do_not_fit_are_counted(laid, more, told):
    """The gravest stay; a finding never disappears without a word."""
    grave = Finding(code="grave", severity=Severity.BLOCKING, message="stop")
    notes = [
        Finding(code=f"note-{n}", severity=Severity.INFO, message=f"note {n}")
        for n in range(MOST_FINDINGS - 1 + more)
    ]
    result = laid.case.result.model_copy(update={"findings": (*notes, grave)})
    content = make_content(result, (), (), shown=Shown())
    assert content["doubts"][0]["code"] == "grave"
    assert len(content["doubts"]) == MOST_FINDINGS
    assert content["left_out"].startswith(told)
    assert bool(content["left_out"]) is bool(told)


def test_a_case_without_pictures_and_one_with_a_damaged_one(laid, tmp_path):
    """Old results have none; a damaged one is an error and no blank."""
    bare = replace(laid.case, folder=tmp_path)
    assert len(read_pictures(laid.case)) > len(read_pictures(bare)) == 0
    assert render_case_pages(bare, dots_per_inch=20.0)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "spine.webp").write_bytes(b"RIFF")
    with pytest.raises(UnreadableInputError, match="a picture is damaged"):
        render_case_pdf(bare)


def test_a_missing_package_is_named(monkeypatch):
    """The extra is optional; who asks for it without it is told what to install."""
    monkeypatch.setitem(documents_extra.DOCUMENTS, "no-such-package", "no-such-package>=1")
    with pytest.raises(DependencyError, match=r"no-such-package>=1.*osteoct\[documents\]"):
        documents_extra.check_documents_extra("export --to pdf", "no-such-package")
