"""The whole file: complete, honest, safe and self-contained."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.errors import GeometryError
from osteoct.records import Acquisition, Phase, Reason, Severity, Verdict
from osteoct.report.page import render_report
from osteoct.report.wording import DISCLAIMER, REASONS

LARGEST_BYTES = 3_000_000
VOID = {"meta", "img", "br", "link", "input", "hr", "line", "rect"}


class Reader(HTMLParser):
    """Collects tags, text and what does not balance."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.problems: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@pytest.fixture
def doubtful(make):
    """A case with everything that can go wrong on a page."""
    levels = make.levels()
    levels[0] = make.without_numbers(levels[0], Reason.NOT_FOUND, "axial-roi")
    levels[4] = make.without_numbers(levels[4], Reason.CUT_BY_BORDER)
    findings = [
        make.finding("note", Severity.INFO, "A note about the kernel"),
        make.finding("cut-by-border", Severity.BLOCKING, "L5 ends at the border", Level.L5),
        make.finding("contrast", Severity.WARNING, "Contrast & more was given"),
    ]
    opinions = [
        make.opinion("study-2026-trabecular-low", Verdict.BELOW, value_hu=128.4),
        make.opinion("insights-2023-l1-169", Verdict.NOT_APPLICABLE),
        make.opinion("pickhardt-2013-l1-160", Verdict.INDETERMINATE, cutoff=160),
    ]
    return make.result(levels, findings=findings, opinions=opinions)


def test_html_is_balanced(doubtful, spine):
    """Browsers forgive, archives and converters do not."""
    reader = read(render_report(doubtful, spine.ct, spine.compartments))
    assert reader.problems == []
    assert reader.open == []
    assert ("html", {"lang": "en"}) in reader.tags


def test_nothing_is_loaded_from_outside(doubtful, spine):
    """The file is opened on machines without network, and must tell nobody that it was."""
    html = render_report(doubtful, spine.ct, spine.compartments)
    sources = [v or "" for _, a in read(html).tags for k, v in a.items() if k in {"src", "srcset"}]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    links = [a["href"] or "" for tag, a in read(html).tags if tag == "a"]
    assert links
    assert all(link.startswith("https://doi.org/10.") for link in links)
    tags = {tag for tag, _ in read(html).tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base"}
    assert "url(" not in html
    assert "@import" not in html


def test_every_number_of_the_table_is_the_records_own(make, spine):
    """A number on the page that is not in the record would be a number nobody measured."""
    result = make.result()
    text = read(render_report(result, spine.ct, spine.compartments)).text
    table = text[text.index("Level Volume") : text.index("Mean over levels")]
    shown = set(re.findall(r"\d+\.\d", table)) - {"3.5"}
    expected = set()
    for level in result.levels:
        for r in level.regions:
            is_body = r.region == "body"
            expected |= set() if is_body else {f"{r.hu.mean_hu:.1f}"}
            if r.region == "vertebra":
                expected.add(f"{r.volume_cm3:.1f}")
            if (r.protocol, r.region) == ("body-core-4", "trabecular"):
                expected.add(f"{r.hu.median_hu:.1f}")
        h = level.heights
        expected |= {f"{h.height_anterior_mm:.1f}", f"{h.height_middle_mm:.1f}"}
        expected.add(f"{h.height_posterior_mm:.1f}")
    assert len(expected) == 5 * 11
    assert shown == expected


def test_every_finding_and_opinion_is_shown(doubtful, spine):
    """Doubt is a result: none may be dropped for brevity."""
    text = read(render_report(doubtful, spine.ct, spine.compartments)).text
    for finding in doubtful.findings:
        assert finding.message in text
        assert finding.code in text
    for opinion in doubtful.opinions:
        assert opinion.reason in text


def test_conclusion_comes_first_then_doubts_then_pictures(doubtful, spine):
    """Somebody looks for ten seconds: the order is the message."""
    html = render_report(doubtful, spine.ct, spine.compartments)
    ids = ["conclusion", "doubts", "pictures", "levels", "chart", "opinions", "facts"]
    places = [html.index(f'id="{name}"') for name in ids]
    assert places == sorted(places)


@pytest.mark.parametrize("is_doubtful", [True, False])
def test_disclaimer_is_always_there(make, doubtful, spine, is_doubtful):
    """No report may be taken for a diagnosis."""
    result = doubtful if is_doubtful else make.result()
    text = read(render_report(result, spine.ct, spine.compartments)).text
    assert "cannot rule out low bone density, not a diagnosis" in DISCLAIMER
    assert text.index(DISCLAIMER) < text.index("What is doubtful")


def test_absent_numbers_say_why_in_visible_words(doubtful, spine):
    """A title attribute does not print: the reason must be text."""
    text = read(render_report(doubtful, spine.ct, spine.compartments)).text
    assert f"No axial-roi trabecular mean: {REASONS[Reason.NOT_FOUND]}" in text
    assert f"L5 not usable – {REASONS[Reason.CUT_BY_BORDER]}" in text


def test_what_comes_from_outside_is_escaped(make, spine):
    """A case id or a header's text is not markup."""
    evil = "<script>alert(1)</script>\"'&"
    scan = Acquisition(kernel=(evil,), manufacturer=evil, phase=Phase.NATIVE)
    finding = make.finding(evil, Severity.WARNING, evil)
    opinion = make.opinion("no-such-rule", Verdict.INDETERMINATE, reason=evil)
    result = make.result(case_id=evil, acquisition=scan, findings=[finding], opinions=[opinion])
    html = render_report(result, spine.ct, spine.compartments)
    assert "<script" not in html
    reader = read(html)
    assert reader.problems == []
    assert reader.text.count("<script>alert(1)</script>") >= 6


def test_only_the_case_id_identifies(make, spine):
    """Reports are mailed: the pseudonym, the dates of the study and the patient's age stay out."""
    scan = Acquisition(study_date="20250607", patient_age_years=71.25, patient_sex="F")
    result = make.result(acquisition=scan, patient_pseudonym="f00dfeed")
    html = render_report(result, spine.ct, spine.compartments)
    assert not [s for s in ("20250607", "2025-06-07", "71.25", "f00dfeed") if s in html]
    assert "case-0042" in html


def test_file_is_small_and_soon_made(doubtful, spine):
    """It is mailed and opened on phones; a batch makes thousands."""
    start = time.process_time()
    html = render_report(doubtful, spine.ct, spine.compartments)
    assert len(html.encode()) < LARGEST_BYTES
    assert time.process_time() - start < 15


def test_every_picture_has_words(doubtful, spine):
    """Readers that cannot see a picture get what it shows."""
    tags = read(render_report(doubtful, spine.ct, spine.compartments)).tags
    pictures = [a for tag, a in tags if tag == "img"]
    assert len(pictures) == 2 + 4 + 3
    assert all(len(a["alt"] or "") > 30 for a in pictures)


def test_headers_belong_to_rows_or_columns(doubtful, spine):
    """A screen reader says the header with each number."""
    headers = [
        a
        for tag, a in read(render_report(doubtful, spine.ct, spine.compartments)).tags
        if tag == "th"
    ]
    assert {a["scope"] for a in headers} == {"row", "col", "colgroup"}


def test_without_findings_the_page_says_what_was_checked(make, spine):
    """Silence is not the same as a check that found nothing."""
    text = read(render_report(make.result(), spine.ct, spine.compartments)).text
    assert "Nothing was found. Checked:" in text


def test_a_case_without_levels_still_makes_a_page(make, spine):
    """Nothing segmented is the case in which somebody opens the report to see why."""
    levels = [make.without_numbers(r, Reason.LEVEL_ABSENT) for r in make.levels()]
    text = read(render_report(make.result(levels), spine.ct, ())).text
    assert "No conclusion: no level could be measured." in text
    assert "No level is drawn." in text
    assert all(f"{level}: {REASONS[Reason.LEVEL_ABSENT]}" in text for level in LUMBAR)


def test_another_orientation_is_refused(make, spine):
    """A mirrored picture looks like a picture: left would be right."""
    with pytest.raises(GeometryError, match="LPS"):
        render_report(make.result(), make.ct(codes="LPS"), spine.compartments)


def test_print_and_phone_are_in_the_style_sheet(make, spine):
    """A4 with whole rows and pictures; narrow screens; light also where the system is dark."""
    html = render_report(make.result(), spine.ct, spine.compartments)
    for rule in (
        "@page { size: A4",
        "tr, tbody { break-inside: avoid; }",
        "@media print",
        "@media (max-width: 700px)",
        "color-scheme: light",
    ):
        assert rule in html
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
