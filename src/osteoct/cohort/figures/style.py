"""The look that all figures of a cohort share: the report's ink, colours all can tell apart."""

from __future__ import annotations

from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from osteoct.cohort.columns import SYNTHETIC

INK: Final = "#1d2733"
QUIET: Final = "#55606b"
LINE: Final = "#d5dae0"
STOP: Final = "#7a1420"

WIDTH_IN: Final = 7.0
"""A4 less margins: figures are drawn at the size they are printed, so letters keep theirs."""

FONT_PT: Final = 8.0

# Okabe and Ito's colours; lines differ in dashes and points in shape as well, for prints in grey.
REGION_COLOURS: Final = {"total": "#1d2733", "trabecular": "#0072b2", "cortical": "#d55e00"}
REGION_DASHES: Final = {
    "total": (0, (1, 0)),
    "trabecular": (0, (5, 1.5)),
    "cortical": (0, (1.5, 1.2)),
}
GROUP_COLOURS: Final = {"healthy": "#009e73", "osteopenia": "#e69f00", "osteoporosis": "#cc79a7"}
GROUP_MARKERS: Final = {"healthy": "o", "osteopenia": "^", "osteoporosis": "s"}

REGION_WORDS: Final = {"total": "Total", "trabecular": "Trabecular", "cortical": "Cortical"}
SITE_WORDS: Final = {
    "lumbar": "lumbar spine",
    "femoral_neck": "femoral neck",
    "total_hip": "total hip",
}
OUTCOME_WORDS: Final = {"low_bmd": "low BMD", "osteoporosis": "osteoporosis"}
GROUP_WORDS: Final = {
    "healthy": "Healthy",
    "osteopenia": "Osteopenia",
    "osteoporosis": "Osteoporosis",
}

TOO_FEW: Final = "too few patients"


def make_figure(
    rows: int, columns: int, *, height_in: float, share_x: bool = False, share_y: bool = False
) -> tuple[Figure, list[Axes]]:
    """An empty figure of the report's width and its panels, row by row."""
    figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    with mpl.rc_context({"font.size": FONT_PT}):
        panels = figure.subplots(rows, columns, squeeze=False, sharex=share_x, sharey=share_y)
    flat = [panel for row in panels for panel in row]
    for panel in flat:
        prepare_panel(panel)
    return figure, flat


def prepare_panel(axes: Axes) -> None:
    """Quiet frame, light grid, letters in the report's ink."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#9aa4ae")
    axes.tick_params(labelsize=FONT_PT - 0.5, colors=QUIET, length=2.5, color="#9aa4ae")
    axes.grid(color="#eceff2", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.xaxis.label.set(color=INK, fontsize=FONT_PT)
    axes.yaxis.label.set(color=INK, fontsize=FONT_PT)


def set_title(axes: Axes, text: str) -> None:
    """A panel's title, flush left."""
    axes.set_title(text, loc="left", fontsize=FONT_PT + 0.5, color=INK, fontweight="bold", pad=5)


def say_empty(axes: Axes, words: str = TOO_FEW) -> None:
    """Say in an empty panel why it is empty."""
    axes.text(
        0.5,
        0.5,
        words,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=QUIET,
        fontsize=FONT_PT + 1,
        style="italic",
    )


def mark_synthetic(figure: Figure) -> None:
    """Write across the top that the patients of the figure do not exist."""
    figure.suptitle(
        f"{SYNTHETIC} DATA: drawn, not measured; no patient is behind it",
        color=STOP,
        fontsize=FONT_PT,
        fontweight="bold",
        ha="right",
        x=0.99,
    )


def settle_layout(figure: Figure) -> None:
    """Lay the figure out once and for all: it is drawn as SVG, as shapes and as PNG."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)  # a whole drawing for the layout alone costs half as much again
    figure.set_layout_engine("none")


def say_p(p: float | None) -> str:
    """A P value as journals print it.

    >>> say_p(0.0004), say_p(0.0312), say_p(0.5), say_p(None)
    ('P < .001', 'P = .031', 'P = .50', '')
    """
    if p is None:
        return ""
    smallest, fine = 0.001, 0.1
    if p < smallest:
        return "P < .001"
    text = f"{p:.3f}" if p < fine else f"{p:.2f}"
    return "P = 1.00" if text.startswith("1") else f"P = {text[1:]}"
