"""The flow diagram: screened, excluded and why, linked, analysed."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from osteoct.cohort.figures.style import FONT_PT, INK, QUIET, WIDTH_IN
from osteoct.cohort.linking.flow import FlowRow

_LINE_HEIGHT = 0.19
"""Inches per line of a box."""

_GAP = 0.32
_SIDES = {"ct": "CTs", "dxa": "DXA scans"}


def draw_flow(
    flow: Sequence[FlowRow], outcome: Sequence[str], *, shown: Sequence[str] | None = None
) -> Figure:
    """Draw the flow from the two sources to the groups.

    Parameters
    ----------
    outcome
        Lines of the last box: patients analysed and their groups.
    shown
        How each row's count is written, where small ones are hidden.
    """
    counted = list(zip(flow, shown or [str(r.n) for r in flow], strict=True))
    excluded = {
        side: [f"{r.words}: {n}" for r, n in counted if (r.side, r.step) == (side, "excluded")]
        for side in _SIDES
    }
    screened = {r.side: n for r, n in counted if r.step == "screened"}
    lines = max((len(x) for x in excluded.values()), default=0)
    middle = (lines + 1.6) * _LINE_HEIGHT if any(excluded.values()) else 0.0
    bottom = (len(outcome) + 0.9) * _LINE_HEIGHT
    height = 0.5 + (middle + _GAP if middle else 0) + bottom + 2 * _GAP + 0.35
    figure = Figure(figsize=(WIDTH_IN, height))
    axes = figure.add_axes((0, 0, 1, 0.93))
    axes.set_xlim(0, WIDTH_IN)
    axes.set_ylim(0, height * 0.93)
    axes.set_axis_off()
    top = height * 0.93 - 0.05
    final_top = bottom + 0.12
    for side, x in zip(_SIDES, (1.85, 5.15), strict=True):
        if side not in screened:
            continue
        _box(axes, x, top, 2.9, [f"{_SIDES[side]} screened: {screened[side]}"], is_strong=True)
        _arrow(axes, x, top - 0.36, x, final_top + 0.02)
        if excluded[side]:
            _box(axes, x, top - 0.36 - _GAP, 2.9, ["Left out", *excluded[side]])
    if not screened:
        final_top = top
    _box(axes, WIDTH_IN / 2, final_top, 6.2, outcome, is_strong=True)
    return figure


def _box(
    axes: Axes, x: float, top: float, width: float, lines: Sequence[str], *, is_strong: bool = False
) -> None:
    """A box hung from ``top`` with lines of text in it."""
    height = (len(lines) + 0.9) * _LINE_HEIGHT
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, top - height),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor="#f7f8fa" if is_strong else "white",
            edgecolor=INK if is_strong else "#9aa4ae",
            linewidth=0.9,
            zorder=2,
        )
    )
    for n, line in enumerate(lines):
        axes.text(
            x - width / 2 + 0.12,
            top - (n + 0.95) * _LINE_HEIGHT,
            line,
            fontsize=FONT_PT,
            va="center",
            color=INK if is_strong or n == 0 else QUIET,
            fontweight="bold" if n == 0 else "normal",
            zorder=3,
        )


def _arrow(axes: Axes, x: float, y: float, x_to: float, y_to: float) -> None:
    axes.annotate(
        "",
        xy=(x_to, y_to),
        xytext=(x, y),
        arrowprops={"arrowstyle": "-|>", "color": "#9aa4ae", "linewidth": 1.0},
        zorder=1,
    )
