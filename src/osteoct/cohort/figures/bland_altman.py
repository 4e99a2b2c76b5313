"""Bland–Altman plots: how far two measurements of one patient lie apart, over their size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from osteoct.cohort.figures.style import (
    FONT_PT,
    INK,
    QUIET,
    REGION_COLOURS,
    make_figure,
    say_empty,
    set_title,
)
from osteoct.cohort.statistics.repeat_records import AgreementRow, BlandAltman

MOST_POINTS: Final = 2000
"""More points of a panel are no longer seen one by one; every k-th is drawn then."""

COLUMNS: Final = 3
_OTHER_COLOUR: Final = "#009e73"
_MARGIN: Final = 0.42
"""Free space right of the points, as a share of their extent, for the values of the lines."""

Values = NDArray[np.float64]


def draw_bland_altman(
    rows: Sequence[AgreementRow],
    values: Mapping[str, Values],
    labels: tuple[str, str],
    *,
    least: int = 3,
) -> Figure:
    """Draw one panel per region: difference over mean, bias and limits of agreement with 95 % CI.

    Parameters
    ----------
    rows
        Of one unit and level, one per region.
    values
        Region to pairs × 2.
    """
    height = -(-len(rows) // COLUMNS)
    columns = min(COLUMNS, max(len(rows), 1))
    figure, panels = make_figure(height, columns, height_in=0.5 + 2.9 * height)
    for axes in panels[len(rows) :]:
        axes.set_axis_off()
    for axes, row in zip(panels, rows, strict=False):
        few = row.n < least
        n = "" if few else f", n = {row.n}"
        set_title(axes, f"{row.region.replace('_', ' ').capitalize()}{n}")
        axes.set_xlabel(f"Mean of both, {row.unit} (L1–L5)")
        axes.set_ylabel(f"{labels[0]} − {labels[1]}, {row.unit}", parse_math=False)
        if few or row.bland_altman.bias is None:
            say_empty(axes, "too few pairs")
            continue
        _draw_panel(axes, row.bland_altman, values[row.region], row.region)
    return figure


def _draw_panel(axes: Axes, limits: BlandAltman, both: Values, region: str) -> None:
    known = both[np.isfinite(both).all(axis=1)]
    shown = known[:: -(-len(known) // MOST_POINTS)]
    mean, difference = shown.mean(axis=1), shown[:, 0] - shown[:, 1]
    colour = REGION_COLOURS.get(region, _OTHER_COLOUR)
    axes.scatter(
        mean, difference, s=11, color=colour, alpha=0.5, linewidths=0,
        rasterized=len(shown) > MOST_POINTS // 2,
    )  # fmt: skip
    if len(shown) < len(known):
        axes.text(
            0.02, 0.01, f"{len(shown)} drawn", transform=axes.transAxes, fontsize=FONT_PT - 1,
            color=QUIET,
        )  # fmt: skip
    low, high = float(mean.min()), float(mean.max())
    extent = (high - low) or 1.0
    axes.set_xlim(low - 0.05 * extent, high + _MARGIN * extent)
    axes.axhline(0.0, color="#9aa4ae", linewidth=0.8)
    for name, words, dashes in (
        ("upper", "+1.96 SD", (0, (4, 2))),
        ("bias", "bias", (0, (1, 0))),
        ("lower", "−1.96 SD", (0, (4, 2))),
    ):
        value, ends = getattr(limits, name), _ends(limits, name)
        axes.axhline(value, color=INK, linewidth=1.1, linestyle=dashes)
        if ends is not None:
            axes.axhspan(*ends, color=INK, alpha=0.1, linewidth=0)
        for text, side, shift in ((words, "bottom", 1.5), (_say(value), "top", -2.0)):
            axes.annotate(
                text, (high + (_MARGIN - 0.02) * extent, value), xytext=(0, shift),
                textcoords="offset points", ha="right", va=side, fontsize=FONT_PT - 1, color=INK,
            )  # fmt: skip
    axes.text(
        0.02, 0.985, "grey: 95 % CI", transform=axes.transAxes, va="top", fontsize=FONT_PT - 1,
        color=QUIET,
    )  # fmt: skip
    _make_room(axes, limits, difference)


def _ends(limits: BlandAltman, name: str) -> tuple[float, float] | None:
    low, high = getattr(limits, f"{name}_ci_low"), getattr(limits, f"{name}_ci_high")
    return None if low is None or high is None else (low, high)


def _make_room(axes: Axes, limits: BlandAltman, difference: Values) -> None:
    """Show every point and every band, and the words at the lines without one on another."""
    ends = [e for n in ("lower", "bias", "upper") for e in _ends(limits, n) or ()]
    least = float(min([*ends, difference.min(), 0.0]))
    most = float(max([*ends, difference.max(), 0.0]))
    spread = (most - least) or 1.0
    axes.set_ylim(least - 0.12 * spread, most + 0.16 * spread)


def _say(value: float) -> str:
    digits = next((d for limit, d in ((100, 0), (10, 1)) if abs(value) >= limit), 2)
    return f"{value:.{digits}f}".replace("-", "−")


def draw_level_agreement(
    rows: Sequence[AgreementRow], labels: tuple[str, str], *, least: int = 3
) -> Figure:
    """Draw bias and limits of agreement level by level, one panel per region."""
    regions = list(dict.fromkeys(r.region for r in rows))
    columns = min(COLUMNS, max(len(regions), 1))
    lines = -(-len(regions) // COLUMNS) or 1
    figure, panels = make_figure(lines, columns, height_in=0.4 + 2.3 * lines, share_y=True)
    for axes in panels[len(regions) :]:
        axes.set_axis_off()
    for axes, region in zip(panels, regions, strict=False):
        own = [r for r in rows if r.region == region]
        set_title(axes, region.replace("_", " ").capitalize())
        axes.axhline(0.0, color="#9aa4ae", linewidth=0.8)
        for x, row in enumerate(own):
            _draw_level(axes, x, row, least)
        axes.text(
            0.02, 0.985, "dot: bias, thick: its 95 % CI\nwhiskers: ±1.96 SD", va="top",
            transform=axes.transAxes, fontsize=FONT_PT - 1.2, color=QUIET, linespacing=1.2,
        )  # fmt: skip
        axes.set_xlim(-0.6, len(own) - 0.4)
        axes.set_xticks(
            range(len(own)), [_name_level(r, least) for r in own], fontsize=FONT_PT - 1.2, color=INK
        )
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high + 0.22 * (high - low))
    if rows:
        panels[0].set_ylabel(f"{labels[0]} − {labels[1]}, {rows[0].unit}", parse_math=False)
    return figure


def _name_level(row: AgreementRow, least: int) -> str:
    return f"{row.level}\n" + ("too few" if row.n < least else f"n {row.n}")


def _draw_level(axes: Axes, x: int, row: AgreementRow, least: int) -> None:
    limits = row.bland_altman
    if row.n < least or limits.bias is None or limits.lower is None or limits.upper is None:
        return
    colour = REGION_COLOURS.get(row.region, _OTHER_COLOUR)
    axes.plot([x, x], [limits.lower, limits.upper], color=colour, linewidth=1.0)
    for end in (limits.lower, limits.upper):
        axes.plot([x - 0.12, x + 0.12], [end, end], color=colour, linewidth=1.0)
    if (ends := _ends(limits, "bias")) is not None:
        axes.plot([x, x], ends, color=colour, linewidth=4.0, alpha=0.45)
    axes.plot(x, limits.bias, "o", color=colour, markersize=3.8)
