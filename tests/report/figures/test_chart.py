"""A cut-off appears only in the panel of its own protocol, and only where it may be compared."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.classify.rules import load_rules
from osteoct.records import Reason, Verdict
from osteoct.report.figures.chart import common_limits, draw_panel, make_panels


@pytest.fixture
def opinions(make):
    """An opinion per shipped rule."""
    return [make.opinion(r.id, Verdict.INDETERMINATE, cutoff=r.cutoff) for r in load_rules()]


def panels_of(result):
    return {panel.protocol: panel for panel in make_panels(result, load_rules())}


def marks(panel):
    return {(mark.cutoff_hu, mark.level) for mark in panel.cutoffs}


def test_each_cutoff_is_in_its_protocols_panel_only(make, opinions):
    """141.3 HU over points of another region is the mistake this chart exists to avoid."""
    panels = panels_of(make.result(opinions=opinions))
    assert marks(panels["vertebra-core-3.5"]) == {(141.3, None), (132.3, None)}
    assert marks(panels["axial-roi"]) == {(160.0, Level.L1), (110.0, Level.L1)}
    assert marks(panels["body-core-4"]) == set()
    assert panels["body-core-4"].is_without_rules


def test_points_are_the_records_means(make, opinions):
    """The chart shows what the table says."""
    result = make.result(opinions=opinions)
    for protocol, panel in panels_of(result).items():
        expected = [r.region(protocol, "trabecular").hu.mean_hu for r in result.levels]
        assert [p.value_hu for p in panel.points] == expected
        assert panel.mean == result.summary(protocol, "trabecular")


def test_a_mean_of_fewer_levels_gets_no_cutoff(make, opinions):
    """The study's cut-offs are for the mean of all five levels."""
    levels = make.levels()
    levels[4] = make.without_numbers(levels[4], Reason.CUT_BY_BORDER)
    panel = panels_of(make.result(levels, opinions=opinions))["vertebra-core-3.5"]
    assert marks(panel) == set()
    assert not panel.is_without_rules
    assert panel.points[4].value_hu is None


def test_lines_stay_at_the_place_they_are_compared_with(make, opinions):
    """An L1 cut-off must stop before L2, one for the mean must not run through the levels."""
    panels = panels_of(make.result(opinions=opinions))
    for protocol, place in (("axial-roi", 0), ("vertebra-core-3.5", 5)):
        axes = draw_panel(panels[protocol], (0, 300)).axes[0]
        spans = [s for c in axes.collections for s in getattr(c, "get_segments", list)()]
        assert len(spans) == 2
        assert all(abs(x - place) < 0.5 for span in spans for x, _ in span)


def test_a_level_that_does_not_count_is_hollow(make, opinions):
    """Told apart without colour."""
    levels = make.levels()
    levels[1] = levels[1].model_copy(update={"usable": False})
    panel = panels_of(make.result(levels, opinions=opinions))["body-core-4"]
    axes = draw_panel(panel, (0, 300)).axes[0]
    faces = [line.get_markerfacecolor() for line in axes.lines if line.get_marker() == "o"]
    assert [face == "white" for face in faces] == [False, True, False, False, False]


def test_limits_hold_every_value(make, opinions):
    """Panels share one axis, and nothing falls off it, marrow below 0 HU included."""
    levels = make.levels()
    low = levels[0].regions[1]
    fatty = low.model_copy(update={"hu": low.hu.model_copy(update={"mean_hu": -35.0})})
    levels[0] = levels[0].model_copy(
        update={"regions": (levels[0].regions[0], fatty, *levels[0].regions[2:])}
    )
    panels = make_panels(make.result(levels, opinions=opinions), load_rules())
    lowest, highest = common_limits(panels)
    values = [p.value_hu for panel in panels for p in panel.points]
    assert lowest < -35.0 == min(values)
    assert highest > max(*values, 160.0)
