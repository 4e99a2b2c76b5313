"""Draw one section: grey values, outlines, level names, orientation letters, scale bar."""

from __future__ import annotations

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from osteoct.anatomy import Level
from osteoct.report.figures.pens import PENS, SHELL_COLOUR, SHELL_OPACITY
from osteoct.report.figures.section import Layer, Outline, Section
from osteoct.volume import Mask

WINDOW_WIDTH_HU = 1000.0
WINDOW_LEVEL_HU = 300.0
"""A bone window: marrow at mid-grey and the shell short of white."""

INCHES_PER_MM = 0.027
"""Size of a picture on its canvas; fonts and lines, in points, keep their proportion to it."""

SCALE_BARS_CM = (5, 2, 1)
BAR_SHARE = 0.4
"""The scale bar is the longest of ``SCALE_BARS_CM`` below this share of the picture's width."""

FONT_PT = 9.5
NAME_GAP_MM = 3.0
EDGE_MM = 1.5

LETTER_SHARES = (0.5, 0.3, 0.7, 0.2, 0.8)
"""Where down the picture the letter at its left edge may stand: the middle, or the first free."""

NAME_AREA_MM = (16.0, 7.0)
"""How far from the left edge the end of a name must stay, or how far above or below, to be clear of
the letter: two signs of 11 pt, and the letter."""

_HALO = patheffects.withStroke(linewidth=2.2, foreground="black")


def draw_section(section: Section, *, is_named: bool = True, enlarged: float = 1.0) -> Figure:
    """Draw a section in true proportions, millimetre by millimetre.

    Parameters
    ----------
    is_named
        Whether each level's name is written beside it.
    enlarged
        How much larger letters are than on the overview: for pictures that the page shows small.
    """
    height_mm, width_mm = section.size_mm
    figure = Figure(figsize=(width_mm * INCHES_PER_MM, height_mm * INCHES_PER_MM))
    axes = figure.add_axes((0, 0, 1, 1))
    _draw_hu(axes, section)
    for layer in section.layers:
        _draw_layer(axes, section, layer)
    if is_named:
        _write_names(axes, section)
    left_mm = place_letter(section) if is_named else section.size_mm[0] / 2
    _write_letters(axes, section, FONT_PT * enlarged, left_mm)
    _draw_scale_bar(axes, section, (FONT_PT - 1) * enlarged)
    return figure


def _extent(section: Section) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of the picture in mm, growing rightwards and downwards."""
    height_mm, width_mm = section.size_mm
    return 0.0, width_mm, height_mm, 0.0


def _draw_hu(axes: Axes, section: Section) -> None:
    """The grey values under the bone window."""
    axes.imshow(
        section.hu,
        cmap="gray",
        vmin=WINDOW_LEVEL_HU - WINDOW_WIDTH_HU / 2,
        vmax=WINDOW_LEVEL_HU + WINDOW_WIDTH_HU / 2,
        extent=_extent(section),
        interpolation="bilinear",
        aspect="equal",
    )
    axes.set_axis_off()
    axes.set_autoscale_on(False)  # the plane is the picture; each outline would measure it anew


def _draw_layer(axes: Axes, section: Section, layer: Layer) -> None:
    """One level's shell and outlines."""
    if Outline.BODY in layer.areas and Outline.CORE in layer.areas:
        _shade(axes, section, layer.areas[Outline.BODY] & ~layer.areas[Outline.CORE])
    rows, columns = (
        (np.arange(n) + 0.5) * step
        for n, step in zip(section.hu.shape, section.spacing_mm, strict=True)
    )
    for outline, area in layer.areas.items():
        if not area.any():
            continue
        pen = PENS[outline]
        lines = axes.contour(
            columns,
            rows,
            area.astype(np.float32),
            levels=[0.5],
            colors=pen.colour,
            linewidths=pen.width_pt,
            linestyles=[pen.line_style],
        )
        lines.set_path_effects([patheffects.withStroke(linewidth=pen.width_pt + 1, alpha=0.55)])


def _shade(axes: Axes, section: Section, area: Mask) -> None:
    """Tint an area."""
    tint = np.zeros((*area.shape, 4), dtype=np.float32)
    tint[area] = to_rgba(SHELL_COLOUR, SHELL_OPACITY)
    axes.imshow(tint, extent=_extent(section), interpolation="nearest", aspect="equal")


def _write_names(axes: Axes, section: Section) -> None:
    """Each level's name to the left of its body, at the body's mid-height."""
    for name, (x, y) in place_names(section).items():
        axes.text(
            x,
            y,
            name,
            color="white",
            fontsize=FONT_PT + 1.5,
            fontweight="bold",
            ha="right",
            va="center",
            path_effects=[_HALO],
        )


def place_names(section: Section) -> dict[Level, tuple[float, float]]:
    """Where each level's name ends, in mm from the left and the top of the picture."""
    places = {}
    for layer in section.layers:
        area = layer.areas.get(Outline.BODY, layer.areas.get(Outline.VERTEBRA))
        if area is None or not area.any():
            continue
        rows, columns = np.nonzero(area)
        left = float(columns.min()) * section.spacing_mm[1] - NAME_GAP_MM
        y = (float(rows.mean()) + 0.5) * section.spacing_mm[0]
        places[layer.level] = (left if _is_sagittal(section) else EDGE_MM + 12, y)
    return places


def place_letter(section: Section) -> float:
    """How far down the letter at the left edge stands: clear of the names, else in the middle."""
    height_mm = section.size_mm[0]
    width, half = NAME_AREA_MM
    near = [y for x, y in place_names(section).values() if x < width]
    free = (share * height_mm for share in LETTER_SHARES)
    return next(
        (at for at in free if all(abs(at - y) >= half for y in near)),
        LETTER_SHARES[0] * height_mm,
    )


def _is_sagittal(section: Section) -> bool:
    return section.letters.left == "A"


def _write_letters(axes: Axes, section: Section, font_pt: float, left_mm: float) -> None:
    """The anatomical directions in the middle of the edges; ``left_mm`` down on the left."""
    height_mm, width_mm = section.size_mm
    letters = section.letters
    for text, x, y, ha, va in (
        (letters.left, EDGE_MM, left_mm, "left", "center"),
        (letters.right, width_mm - EDGE_MM, height_mm / 2, "right", "center"),
        (letters.top, width_mm / 2, EDGE_MM, "center", "top"),
        (letters.bottom, width_mm / 2, height_mm - EDGE_MM, "center", "bottom"),
    ):
        axes.text(x, y, text, color="white", fontsize=font_pt, ha=ha, va=va, path_effects=[_HALO])


def _draw_scale_bar(axes: Axes, section: Section, font_pt: float) -> None:
    """A bar of whole centimetres in the lower right corner."""
    height_mm, width_mm = section.size_mm
    length_cm = next((cm for cm in SCALE_BARS_CM if cm * 10 <= BAR_SHARE * width_mm), 1)
    right, y = width_mm - 2 * EDGE_MM, height_mm - 3 * EDGE_MM
    axes.plot(
        [right - length_cm * 10, right],
        [y, y],
        color="white",
        linewidth=2.5,
        solid_capstyle="butt",
        path_effects=[patheffects.withStroke(linewidth=4, foreground="black")],
    )
    axes.text(
        right - length_cm * 5,
        y - EDGE_MM,
        f"{length_cm} cm",
        color="white",
        fontsize=font_pt,
        ha="center",
        va="bottom",
        path_effects=[_HALO],
    )
