"""Which levels are drawn, which are named instead, and the legend."""

from __future__ import annotations

from osteoct.anatomy import Level
from osteoct.records import Reason
from osteoct.report.pictures import draw_chart, draw_pictures, list_undrawn
from osteoct.report.wording import REASONS


def test_cut_and_absent_levels_are_named_not_drawn(make, spine):
    """A cut level drawn like the others would be taken for measured."""
    levels = make.levels()
    levels[0] = make.without_numbers(levels[0], Reason.CUT_BY_BORDER)
    levels[4] = make.without_numbers(levels[4], Reason.LEVEL_ABSENT)
    result = make.result(levels)
    assert list_undrawn(result, spine.compartments[:4]) == {
        Level.L1: REASONS[Reason.CUT_BY_BORDER],
        Level.L5: REASONS[Reason.LEVEL_ABSENT],
    }
    pictures = draw_pictures(result, spine.ct, spine.compartments[:4])
    assert [p.caption for p in pictures.axial] == ["L2", "L3", "L4"]
    assert "L2–L4" in pictures.overview[0].alt


def test_a_level_without_a_body_is_still_drawn(make, spine):
    """Its vertebra was measured."""
    levels = make.levels()
    levels[1] = make.without_numbers(levels[1], Reason.NO_BODY, "body-core-4")
    assert list_undrawn(make.result(levels), spine.compartments) == {}


def test_legend_holds_the_lines_that_occur(make, spine):
    """No entry for metal where there is none."""
    words = {p.words for p in draw_pictures(make.result(), spine.ct, spine.compartments).pens}
    assert len(words) == 5
    assert not any("metal" in text for text in words)


def test_lines_differ_without_colour(make, spine):
    """Black-and-white prints: dashes or width tell the lines apart."""
    pens = draw_pictures(make.result(), spine.ct, spine.compartments).pens
    assert len({(pen.dashes, pen.width_pt) for pen in pens}) == len(pens)


def test_chart_leaves_out_protocols_without_any_number(make):
    """An empty panel says nothing."""
    levels = [make.without_numbers(r, Reason.NO_BODY, "axial-roi") for r in make.levels()]
    captions = [p.caption for p in draw_chart(make.result(levels), ())]
    assert [c.split(". ")[0] for c in captions] == ["body-core-4", "vertebra-core-3.5"]
