"""Correlation level by level: whether one vertebra says as much as the mean of five."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure

from osteoct.cohort.columns import REGIONS, SITES
from osteoct.cohort.figures.style import (
    FONT_PT,
    INK,
    REGION_COLOURS,
    REGION_WORDS,
    SITE_WORDS,
    make_figure,
    say_empty,
    set_title,
)
from osteoct.cohort.statistics.records import Correlation

HEADROOM: Final = 0.12
"""Free space above the intervals for the key, as a share of the axis."""

_LEVELS = ("mean", "L1", "L2", "L3", "L4", "L5")
_MARKERS = {"total": "o", "trabecular": "s", "cortical": "D"}
_OFFSETS = {"total": -0.2, "trabecular": 0.0, "cortical": 0.2}


def draw_levels(correlations: Sequence[Correlation], *, least: int = 3) -> Figure:
    """Draw Pearson's r with 95 % CI of each level and region, one panel per site of DXA."""
    figure, panels = make_figure(1, 3, height_in=2.7, share_y=True)
    own = [c for c in correlations if c.method == "pearson" and c.r is not None and c.n >= least]
    for axes, site in zip(panels, SITES, strict=True):
        here = [c for c in own if c.site == site]
        n = f", n = {max(c.n for c in here)}" if here else ""
        set_title(axes, f"{SITE_WORDS[site].capitalize()}{n}")
        if not here:
            say_empty(axes)
        for c in here:
            x = _LEVELS.index(c.level) + _OFFSETS[c.region]
            colour = REGION_COLOURS[c.region]
            if c.ci_low is not None and c.ci_high is not None:
                axes.plot([x, x], [c.ci_low, c.ci_high], color=colour, linewidth=1.0)
            axes.plot(x, c.r or 0.0, _MARKERS[c.region], color=colour, markersize=3.8)
        axes.set_xlim(-0.6, len(_LEVELS) - 0.4)
        axes.axvline(0.5, color="#d5dae0", linewidth=0.8)
        axes.set_xticks(range(len(_LEVELS)), _LEVELS, fontsize=FONT_PT - 0.5, color=INK)
    panels[0].set_ylabel("Pearson r with T-score (95 % CI)")
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high + HEADROOM * (high - low))
    for region in REGIONS:
        panels[0].plot(
            [], [], _MARKERS[region], color=REGION_COLOURS[region], markersize=4,
            label=REGION_WORDS[region],
        )  # fmt: skip
    panels[0].legend(
        loc="upper left", ncols=3, fontsize=FONT_PT - 1, frameon=False, handletextpad=0.1,
        columnspacing=0.8, borderaxespad=0.1,
    )  # fmt: skip
    return figure
