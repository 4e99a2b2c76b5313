"""Small pictures are few, small, and of the gravest findings."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from osteoct.anatomy import Level
from osteoct.records import Effect, Finding, Reason, Severity
from osteoct.report.place_pictures import choose_findings
from osteoct.report.thumbnails import (
    MOST_PLACES,
    PLACE_HEIGHT_PX,
    SPINE,
    SPINE_HEIGHT_PX,
    draw_thumbnails,
)

MOST_BYTES = 40_000


@pytest.fixture
def find():
    """A finding with a place, in the middle of the test's image unless told."""

    def call(code, level=Level.L3, effect=Effect.WARN, **fields):
        values = {"place_mm": (60.0, 60.0, 110.0), "message": code, **fields}
        return Finding(code=code, severity=Severity.WARNING, level=level, effect=effect, **values)

    return call


def test_few_and_small(make, spine, find):
    """A hundred cases must open in a browser."""
    findings = [find(f"code-{n}") for n in range(MOST_PLACES + 3)]
    pictures = draw_thumbnails(make.result(findings=findings), spine.ct, spine.compartments)
    assert len(pictures) == 1 + MOST_PLACES
    for name, content in pictures.items():
        with Image.open(BytesIO(content)) as image:
            assert image.format == "WEBP"
            wanted = SPINE_HEIGHT_PX if name == SPINE else PLACE_HEIGHT_PX
            assert image.height == pytest.approx(wanted, abs=1)
        assert len(content) < MOST_BYTES


def test_names_tell_order_level_and_code(make, spine, find):
    """They are the captions of the sheet."""
    findings = [find("noise-high", None), find("dense-focus", effect=Effect.EXCLUDE)]
    pictures = draw_thumbnails(make.result(findings=findings), spine.ct, spine.compartments)
    assert list(pictures) == [SPINE, "1.L3.dense-focus.webp", "2.case.noise-high.webp"]


def test_gravest_and_surest_first_once_each(make, find):
    """What does nothing, or has no place, gets no picture."""
    findings = [
        find("ignored", effect=Effect.IGNORE),
        find("placeless", place_mm=None),
        find("half-sure", effect=Effect.EXCLUDE, certainty=0.5),
        find("warning"),
        find("sure", effect=Effect.EXCLUDE),
        find("sure", effect=Effect.EXCLUDE, certainty=0.4),
        find("sure", Level.L4, effect=Effect.EXCLUDE, certainty=0.9),
        find("blocking", None, effect=Effect.BLOCK, certainty=0.1),
    ]
    chosen = choose_findings(make.result(findings=findings))
    assert [(f.code, f.level, f.certainty) for f in chosen] == [
        ("blocking", None, 0.1),
        ("sure", Level.L3, None),
        ("sure", Level.L4, 0.9),
        ("half-sure", Level.L3, 0.5),
        ("warning", Level.L3, None),
    ]


def test_without_a_drawn_level_there_is_no_spine(make, spine):
    """A picture of nothing would look like a picture without doubts."""
    levels = [make.without_numbers(level, Reason.LEVEL_ABSENT) for level in make.levels()]
    assert draw_thumbnails(make.result(levels), spine.ct, ()) == {}
