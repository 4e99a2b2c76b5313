"""How each outline is drawn: told apart by line style, so that prints in grey still read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from osteoct.report.figures.section import Outline


@dataclass(frozen=True, kw_only=True)
class Pen:
    """A line: colour, width in points, and dashes in multiples of the width (empty: solid)."""

    colour: str
    width_pt: float
    dashes: tuple[float, ...] = ()
    words: str

    @property
    def line_style(self) -> str | tuple[float, tuple[float, ...]]:
        """The style as matplotlib takes it."""
        return (0.0, self.dashes) if self.dashes else "solid"


# Okabe and Ito's colours stay apart for colour-blind readers; all are light enough for dark bone.
PENS: Mapping[Outline, Pen] = {
    Outline.VERTEBRA: Pen(colour="#ffffff", width_pt=0.8, words="vertebra"),
    Outline.BODY: Pen(colour="#56b4e9", width_pt=1.3, words="vertebral body; shell shaded"),
    Outline.CORE: Pen(
        colour="#f0e442", width_pt=1.4, dashes=(3.0, 1.2), words="trabecular core of the body"
    ),
    Outline.VERTEBRA_CORE: Pen(
        colour="#ffffff", width_pt=1.1, dashes=(1.0, 1.4), words="trabecular core of the vertebra"
    ),
    Outline.ROI: Pen(
        colour="#ff9dd0",
        width_pt=1.6,
        dashes=(5.0, 1.2, 1.0, 1.2),
        words="axial region of interest",
    ),
    Outline.EXCLUDED: Pen(
        colour="#ff5a36", width_pt=1.4, dashes=(1.5, 0.8), words="left out (metal, padding)"
    ),
    Outline.SECOND: Pen(
        colour="#f0a030", width_pt=1.5, dashes=(3.0, 1.5), words="vertebra, second segmenter"
    ),
}

SHELL_COLOUR = "#56b4e9"
SHELL_OPACITY = 0.22
"""Shows where the shell is and leaves the bone under it readable."""
