"""HU against T-score: every patient a point, the fitted line and the band of its mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
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
    say_p,
    set_title,
)
from osteoct.cohort.statistics.correlation import fit_band
from osteoct.cohort.statistics.records import Correlation

HEADROOM: Final = 0.2
"""Free space above the points, as a share of the axis, for r, P and n."""

MOST_POINTS: Final = 4000
"""More points are no longer seen one by one; every k-th is drawn then, the line is of all."""


def draw_scatter(
    table: pd.DataFrame, correlations: Sequence[Correlation], *, least: int = 3
) -> Figure:
    """Draw mean HU of L1–L5 against T-score, regions in columns and sites in rows."""
    figure, panels = make_figure(3, 3, height_in=6.6, share_x=False, share_y=True)
    found: dict[tuple[str, str], Correlation] = {
        (c.site, c.region): c for c in correlations if (c.method, c.level) == ("pearson", "mean")
    }
    for i, (site, region) in enumerate((s, r) for s in SITES for r in REGIONS):
        axes = panels[i]
        if i < len(REGIONS):
            set_title(axes, REGION_WORDS[region])
        if i >= len(panels) - len(REGIONS):
            axes.set_xlabel(f"{REGION_WORDS[region]} HU, mean of L1–L5")
        if i % len(REGIONS) == 0:
            axes.set_ylabel(f"T-score, {SITE_WORDS[site]}")
        _draw_panel(axes, table, found.get((site, region)), (site, region), least)
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high + HEADROOM * (high - low))
    return figure


def _draw_panel(
    axes: Axes,
    table: pd.DataFrame,
    correlation: Correlation | None,
    what: tuple[str, str],
    least: int,
) -> None:
    site, region = what
    known = table[[f"{region}_hu", f"t_{site}"]].apply(pd.to_numeric, errors="coerce").dropna()
    if correlation is None or len(known) < least:
        say_empty(axes)
        return
    shown = known.iloc[:: -(-len(known) // MOST_POINTS)]
    drawn = f", {len(shown)} drawn" if len(shown) < len(known) else ""
    axes.scatter(
        shown.iloc[:, 0],
        shown.iloc[:, 1],
        s=9,
        color=REGION_COLOURS[region],
        alpha=0.45,
        linewidths=0,
        rasterized=len(shown) > MOST_POINTS // 4,
    )
    _draw_line(axes, correlation, known.iloc[:, 0])
    axes.text(
        0.03,
        0.97,
        _words(correlation) + drawn,
        transform=axes.transAxes,
        va="top",
        fontsize=FONT_PT - 0.8,
        color=INK,
        linespacing=1.35,
    )


def _draw_line(axes: Axes, correlation: Correlation, hu: pd.Series[float]) -> None:
    """Least-squares line and the 95 % band of the mean."""
    if correlation.slope is None or correlation.residual_sd is None:
        return
    x = np.linspace(hu.min(), hu.max(), 60)
    line, low, high = fit_band(correlation, x)
    axes.fill_between(x, low, high, color=INK, alpha=0.15, linewidth=0)
    axes.plot(x, line, color=INK, linewidth=1.2)


def _words(correlation: Correlation) -> str:
    """r with its interval, P, n."""
    if correlation.r is None:
        return f"r not computable\nn = {correlation.n}"
    interval = ""
    if correlation.ci_low is not None and correlation.ci_high is not None:
        interval = f" ({correlation.ci_low:.2f} to {correlation.ci_high:.2f})"
    text = f"r = {correlation.r:.2f}{interval}\n{say_p(correlation.p)}, n = {correlation.n}"
    return text.replace("-", "−")
