"""The chart: each level's trabecular HU beside the cut-offs of the same protocol, and of no other.

One panel per protocol. A cut-off is drawn only across the place it is compared with: the mean of
L1–L5 has a place of its own, so the study's cut-offs never run through single levels, and a cut-off
for L1 stops before L2. The grey band is the zone in which a second scan may give another answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from osteoct.anatomy import Level
from osteoct.classify.doubts import grey_zone
from osteoct.classify.rules import Rule
from osteoct.protocols import Region
from osteoct.records import CaseResult, LevelResult, Summary

SIZE_INCHES = (3.7, 2.9)
FONT_PT = 9.0
HEADROOM = 1.12
"""Free space above the highest value, so that labels stay inside."""

_INK = "#1d2733"
_LINE = "#b3261e"
_QUIET = "#5b6672"
_HALO = withStroke(linewidth=2.0, foreground="white")


@dataclass(frozen=True, kw_only=True)
class LevelPoint:
    """One level's value; ``None`` where it is absent; ``counts`` where it enters the mean."""

    level: Level
    value_hu: float | None
    counts: bool


@dataclass(frozen=True, kw_only=True)
class CutoffMark:
    """A cut-off and what it is compared with: one level, or the mean over levels (``None``)."""

    cutoff_hu: float
    level: Level | None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What one protocol's panel shows."""

    protocol: str
    points: tuple[LevelPoint, ...]
    mean: Summary | None
    cutoffs: tuple[CutoffMark, ...]
    is_without_rules: bool
    """No published cut-off belongs to the protocol (as against: none fits this case's levels)."""


def make_panels(result: CaseResult, rules: Sequence[Rule]) -> tuple[Panel, ...]:
    """Collect the trabecular means and cut-offs, one panel per protocol of the case."""
    return tuple(_make_panel(result, rules, protocol) for protocol in result.protocols)


def _make_panel(result: CaseResult, rules: Sequence[Rule], protocol: str) -> Panel:
    """One protocol's points, mean and cut-offs."""
    key = (protocol, Region.TRABECULAR, "mean")
    mean = next((s for s in result.summaries if (s.protocol, s.region, s.statistic) == key), None)
    points = tuple(_make_point(level, protocol, mean) for level in result.levels)
    asked = {opinion.rule for opinion in result.opinions}
    own = [r for r in rules if r.id in asked and (r.protocol, r.region, r.statistic) == key]
    return Panel(
        protocol=protocol,
        points=points,
        mean=mean,
        cutoffs=tuple(_make_mark(r) for r in own if _is_comparable(r, points, mean)),
        is_without_rules=not own,
    )


def _make_mark(rule: Rule) -> CutoffMark:
    return CutoffMark(
        cutoff_hu=rule.cutoff, level=rule.levels[0] if len(rule.levels) == 1 else None
    )


def _is_comparable(rule: Rule, points: Sequence[LevelPoint], mean: Summary | None) -> bool:
    """Whether the chart shows what the cut-off is for: its level, or the mean of its levels."""
    if len(rule.levels) == 1:
        return any(p.level == rule.levels[0] and p.value_hu is not None for p in points)
    return mean is not None and set(mean.levels_used) == set(rule.levels)


def _make_point(level: LevelResult, protocol: str, mean: Summary | None) -> LevelPoint:
    """One level's trabecular mean, and whether the mean over levels took it in."""
    measure = level.region(protocol, Region.TRABECULAR)
    return LevelPoint(
        level=level.level,
        value_hu=measure.hu.mean_hu if measure and measure.hu else None,
        counts=level.usable if mean is None else level.level in mean.levels_used,
    )


def common_limits(panels: Sequence[Panel]) -> tuple[float, float]:
    """Lowest and highest HU of all panels: heights may be compared between panels."""
    values = [p.value_hu for panel in panels for p in panel.points if p.value_hu is not None]
    values += [c.cutoff_hu for panel in panels for c in panel.cutoffs]
    values += [
        panel.mean.value_hu for panel in panels if panel.mean and panel.mean.value_hu is not None
    ]
    highest = max([*values, 100.0]) * HEADROOM
    return min([0.0, *(v * HEADROOM for v in values)]), highest


def draw_panel(panel: Panel, limits_hu: tuple[float, float]) -> Figure:
    """Draw one panel; places along the axis are the levels and then their mean."""
    figure = Figure(figsize=SIZE_INCHES)
    axes = figure.add_axes((0.14, 0.12, 0.83, 0.83))
    _prepare_axes(axes, panel, limits_hu)
    _draw_cutoffs(axes, panel)
    _draw_points(axes, panel, limits_hu)
    _draw_mean(axes, panel)
    return figure


def _prepare_axes(axes: Axes, panel: Panel, limits_hu: tuple[float, float]) -> None:
    """Limits, ticks and a light grid."""
    names = [str(p.level) for p in panel.points]
    axes.set_xlim(-0.6, len(names) + 1.2)
    axes.set_ylim(*limits_hu)
    axes.set_xticks(range(len(names) + 1), [*names, "mean"], fontsize=FONT_PT, color=_INK)
    axes.tick_params(axis="x", length=0)
    axes.tick_params(axis="y", labelsize=FONT_PT, colors=_QUIET, length=0)
    axes.set_ylabel("HU", fontsize=FONT_PT, color=_QUIET)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.axvline(len(names) - 0.5, color="#cfd5db", linewidth=0.8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#9aa4ae")


def _draw_cutoffs(axes: Axes, panel: Panel) -> None:
    """Dashed lines with their grey zone; the upper one is labelled above, the lower one below."""
    places = {p.level: x for x, p in enumerate(panel.points)}
    for mark in panel.cutoffs:
        x = places.get(mark.level) if mark.level else len(panel.points)
        if x is None:
            continue
        others = [c.cutoff_hu for c in panel.cutoffs if c.level == mark.level]
        low, high = grey_zone(mark.cutoff_hu)
        axes.fill_between([x - 0.45, x + 0.45], low, high, color="#8c959f", alpha=0.25, linewidth=0)
        axes.hlines(
            mark.cutoff_hu, x - 0.45, x + 0.45, color=_LINE, linewidth=1.4, linestyle=(0, (4, 1.6))
        )
        axes.text(
            x + 0.5,
            mark.cutoff_hu,
            f"{mark.cutoff_hu:g}",
            fontsize=FONT_PT - 0.5,
            color=_LINE,
            ha="left",
            zorder=5,
            path_effects=[_HALO],
            va="bottom" if mark.cutoff_hu == max(others) else "top",
        )


def _draw_points(axes: Axes, panel: Panel, limits_hu: tuple[float, float]) -> None:
    """Filled circles count in the mean, hollow ones do not, an en dash is an absent value."""
    for x, point in enumerate(panel.points):
        if point.value_hu is None:
            axes.text(
                x, limits_hu[0], "–", fontsize=FONT_PT + 4, color=_INK, ha="center", va="bottom"
            )
            continue
        axes.plot(
            x,
            point.value_hu,
            marker="o",
            markersize=7,
            markeredgecolor=_INK,
            markeredgewidth=1.4,
            markerfacecolor=_INK if point.counts else "white",
        )


def _draw_mean(axes: Axes, panel: Panel) -> None:
    """A diamond with its value, on the side away from a cut-off above it."""
    if panel.mean is None or panel.mean.value_hu is None:
        return
    x, value = len(panel.points), panel.mean.value_hu
    axes.plot(
        x, value, marker="D", markersize=8, markerfacecolor="#1f5a8a", markeredgecolor="white"
    )
    is_under = any(c.level is None and c.cutoff_hu >= value for c in panel.cutoffs)
    axes.annotate(
        f"{value:.1f}",
        (x, value),
        xytext=(0, -8 if is_under else 8),
        textcoords="offset points",
        fontsize=FONT_PT,
        fontweight="bold",
        color="#1f5a8a",
        ha="center",
        va="top" if is_under else "bottom",
    )
