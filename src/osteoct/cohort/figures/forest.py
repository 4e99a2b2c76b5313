"""Forest plot: the result again in parts of the cohort, so that a reader sees what it hangs on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteoct.cohort.columns import REGIONS
from osteoct.cohort.figures.style import (
    FONT_PT,
    INK,
    QUIET,
    REGION_COLOURS,
    REGION_WORDS,
    make_figure,
    set_title,
)
from osteoct.cohort.statistics.records import RobustnessRow

FACTOR_WORDS = {
    "all": "All",
    "sex": "Sex",
    "age": "Age",
    "kvp": "Tube voltage",
    "phase": "Contrast",
    "window": "CT to DXA",
    "blocking": "Findings",
}
_MARKERS = {"total": "o", "trabecular": "s", "cortical": "D"}
_OFFSETS = {"total": -0.22, "trabecular": 0.0, "cortical": 0.22}


def draw_forest(
    rows: Sequence[RobustnessRow], *, target: str, title: str, show: Callable[[int], str] = str
) -> Figure:
    """Draw one estimate per part and region; parts that are too small are named, not drawn.

    ``show`` writes a count: small ones may be hidden.
    """
    own = [r for r in rows if r.target == target]
    parts = list(dict.fromkeys((r.factor, r.stratum) for r in own))
    figure, panels = make_figure(1, 1, height_in=0.95 + 0.27 * max(len(parts), 1))
    axes = panels[0]
    is_auc = target in ("low_bmd", "osteoporosis")
    set_title(axes, title)
    for y, part in enumerate(parts):
        here = {r.region: r for r in own if (r.factor, r.stratum) == part}
        if all(r.estimate is None for r in here.values()):
            axes.text(
                0.505 if is_auc else 0.0, y, "too few with or without it",
                fontsize=FONT_PT - 1, color=QUIET,
                va="center", style="italic",
            )  # fmt: skip
        for region, row in here.items():
            _draw_row(axes, row, y + _OFFSETS[region])
    _finish(axes, own, parts, show)
    return figure


def _draw_row(axes: Axes, row: RobustnessRow, y: float) -> None:
    if row.estimate is None:
        return
    colour = REGION_COLOURS[row.region]
    if row.ci_low is not None and row.ci_high is not None:
        axes.plot([row.ci_low, row.ci_high], [y, y], color=colour, linewidth=1.1)
    axes.plot(row.estimate, y, _MARKERS[row.region], color=colour, markersize=3.8)


def _finish(
    axes: Axes,
    rows: Sequence[RobustnessRow],
    parts: Sequence[tuple[str, str]],
    show: Callable[[int], str],
) -> None:
    """Names of the parts with their sizes, the reference line, the key."""
    is_auc = any(r.measure == "auc" for r in rows)
    labels = []
    for factor, stratum in parts:
        n = max((r.n for r in rows if (r.factor, r.stratum) == (factor, stratum)), default=0)
        name = FACTOR_WORDS[factor]
        shown = name if factor == "all" else f"{name}: {stratum}"
        labels.append(f"{shown}  (n = {show(n)})")
    axes.set_yticks(range(len(labels)), labels, fontsize=FONT_PT, color=INK)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.axvline(0.5 if is_auc else 0.0, color="#9aa4ae", linewidth=0.9)
    if all(r.estimate is None for r in rows):
        axes.set_xlim((0.4, 1.0) if is_auc else (-0.2, 1.0))
    axes.set_xlabel("AUC (95 % CI)" if is_auc else "Pearson r (95 % CI)")
    for boundary in range(1, len(parts)):
        if parts[boundary][0] != parts[boundary - 1][0]:
            axes.axhline(boundary - 0.5, color="#d5dae0", linewidth=0.8)
    for region in REGIONS:
        axes.plot(
            [], [], _MARKERS[region], color=REGION_COLOURS[region], markersize=4,
            label=REGION_WORDS[region],
        )  # fmt: skip
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.55, 1.0), ncols=3, fontsize=FONT_PT - 0.5,
        frameon=False, handletextpad=0.2, columnspacing=1.2,
    )  # fmt: skip
