"""Figures as files: SVG with real letters, PNG at 300 dpi; the same figure gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

PNG_DPI: Final = 300

_SALT = "osteoct"


def svg_bytes(figure: Figure, *, with_outlines: bool = False) -> bytes:
    """The figure as SVG; ``with_outlines`` draws letters as shapes."""
    metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    letters = "path" if with_outlines else "none"
    with (
        mpl.rc_context({"svg.fonttype": letters, "svg.hashsalt": _SALT}),
        _print_size(figure),
    ):
        # savefig would draw every figure twice: once for its layout, which is settled already
        text = StringIO()
        canvas: Any = FigureCanvasSVG(figure)  # its methods carry no types
        canvas.print_svg(text, metadata=metadata)
    return text.getvalue().encode()


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG at :data:`PNG_DPI`."""
    buffer = BytesIO()
    with _print_size(figure):
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


@contextmanager
def _print_size(figure: Figure) -> Iterator[None]:
    """Set the resolution of print, for pixels and for what an SVG holds as pixels."""
    before = figure.dpi
    figure.dpi = PNG_DPI
    try:
        yield
    finally:
        figure.dpi = before
