"""HU by T-score group: a box for each group, with its points beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteoct.cohort.columns import REGIONS
from osteoct.cohort.figures.style import (
    FONT_PT,
    GROUP_COLOURS,
    GROUP_MARKERS,
    GROUP_WORDS,
    INK,
    QUIET,
    REGION_WORDS,
    make_figure,
    say_p,
    set_title,
)
from osteoct.cohort.statistics.records import GroupTest

HEADROOM: Final = 0.08
"""Free space above the points for P, as a share of the axis."""

MOST_POINTS: Final = 600
"""Points of a group that are still seen one by one."""


def draw_groups(table: pd.DataFrame, tests: Sequence[GroupTest], *, least: int = 3) -> Figure:
    """Draw mean HU of L1–L5 by group, one panel per region; groups below ``least`` are left out."""
    figure, panels = make_figure(1, 3, height_in=2.9)
    found = {t.variable: t for t in tests if t.method == "welch_anova"}
    for axes, region in zip(panels, REGIONS, strict=True):
        set_title(axes, REGION_WORDS[region])
        _draw_region(axes, table, region, least)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + HEADROOM * (high - low))
        test = found.get(f"{region}_hu")
        if test is not None and test.p is not None:
            axes.text(
                0.98, 0.98, f"Welch {say_p(test.p)}", transform=axes.transAxes, ha="right",
                va="top", fontsize=FONT_PT - 0.8, color=QUIET,
            )  # fmt: skip
    panels[0].set_ylabel("HU, mean of L1–L5")
    return figure


def _draw_region(axes: Axes, table: pd.DataFrame, region: str, least: int) -> None:
    jitter = np.random.default_rng(0)
    labels = []
    for x, group in enumerate(GROUP_WORDS):
        rows = table.loc[table["group"].astype(object) == group, f"{region}_hu"]
        values = pd.to_numeric(rows, errors="coerce").dropna().to_numpy(dtype=float)
        name = GROUP_WORDS[group]
        if len(values) < least:
            labels.append(f"{name}\ntoo few")
            continue
        shown = values[:: -(-len(values) // MOST_POINTS)]
        drawn = f"\n{len(shown)} drawn" if len(shown) < len(values) else ""
        labels.append(f"{name}\nn = {len(values)}{drawn}")
        axes.scatter(
            x + 0.2 + jitter.uniform(0, 0.22, len(shown)), shown, s=7, alpha=0.45, linewidths=0,
            color=GROUP_COLOURS[group], marker=GROUP_MARKERS[group],
            rasterized=len(shown) > MOST_POINTS // 4,
        )  # fmt: skip
        axes.boxplot(
            values, positions=[x - 0.08], widths=0.36, showfliers=False, patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": GROUP_COLOURS[group], "alpha": 0.45, "edgecolor": INK},
            medianprops={"color": INK, "linewidth": 1.6},
            whiskerprops={"color": INK, "linewidth": 0.8},
            capprops={"color": INK, "linewidth": 0.8},
        )  # fmt: skip
        axes.plot(x - 0.08, values.mean(), marker="D", markersize=3.2, color="white", mec=INK)
    axes.set_xlim(-0.5, len(labels) - 0.4)
    axes.set_xticks(range(len(labels)), labels, fontsize=FONT_PT - 1.6, color=INK)
    axes.tick_params(axis="x", length=0)
