"""The coronal picture: all bodies from the front."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from osteoct.compartments.level import LevelCompartments
from osteoct.report.figures.curve import cut_along_bodies
from osteoct.report.figures.drawing import draw_section
from osteoct.report.figures.section import CORONAL_LETTERS, Section
from osteoct.volume import CTVolume


def cut_coronal(ct: CTVolume, levels: Sequence[LevelCompartments]) -> Section:
    """Cut the coronal plane through the body centres; patient right on the left, head up."""
    return cut_along_bodies(ct, levels, across=1, letters=CORONAL_LETTERS)


def draw_coronal(ct: CTVolume, levels: Sequence[LevelCompartments]) -> Figure:
    """Draw the coronal picture with every level's outlines and name."""
    return draw_section(cut_coronal(ct, levels))
