"""The mid-sagittal picture: all bodies from the side."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from osteoct.compartments.level import LevelCompartments
from osteoct.report.figures.curve import cut_along_bodies
from osteoct.report.figures.drawing import draw_section
from osteoct.report.figures.section import SAGITTAL_LETTERS, Section
from osteoct.volume import CTVolume


def cut_sagittal(ct: CTVolume, levels: Sequence[LevelCompartments]) -> Section:
    """Cut the sagittal plane through the body centres; anterior on the left, head up."""
    return cut_along_bodies(ct, levels, across=0, letters=SAGITTAL_LETTERS)


def draw_sagittal(ct: CTVolume, levels: Sequence[LevelCompartments]) -> Figure:
    """Draw the sagittal picture with every level's outlines and name."""
    return draw_section(cut_sagittal(ct, levels))
