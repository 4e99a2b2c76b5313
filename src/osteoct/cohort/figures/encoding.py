"""Figures as files: SVG with real letters, PNG at 300 dpi; the same figure gives the same bytes."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

PNG_DPI: Final = 300

_SALT = "osteoct"


def svg_bytes(figure: Figure, *, with_outlines: bool = False) -> bytes:
    """The figure as SVG; ``with_outlines`` draws letters as shapes."""
    with mpl.rc_context(
        {"svg.fonttype": "path" if with_outlines else "none", "svg.hashsalt": _SALT}
    ):
        return _encode(figure, "svg", dict.fromkeys(("Date", "Creator", "Format", "Type")))


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG at :data:`PNG_DPI`."""
    return _encode(figure, "png", {"Software": None})


def _encode(figure: Figure, kind: str, metadata: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, dpi=PNG_DPI, metadata=metadata)
    return buffer.getvalue()
