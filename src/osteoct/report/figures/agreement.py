"""The mid-sagittal picture with the vertebrae of two segmenters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from osteoct.compartments.level import LevelCompartments
from osteoct.report.figures.drawing import draw_section
from osteoct.report.figures.sagittal import cut_sagittal
from osteoct.report.figures.section import Layer, Outline
from osteoct.volume import CTVolume


def draw_agreement(
    ct: CTVolume, first: Sequence[LevelCompartments], second: Sequence[LevelCompartments]
) -> Figure:
    """Draw the outlines of both, and the names of the first, on the plane through all bodies."""
    section = cut_sagittal(ct, [*first, *second])
    mine, theirs = section.layers[: len(first)], section.layers[len(first) :]
    layers = (
        *(_only(layer, Outline.VERTEBRA) for layer in mine),
        *(_only(layer, Outline.SECOND) for layer in theirs),
    )
    return draw_section(replace(section, layers=layers))


def _only(layer: Layer, outline: Outline) -> Layer:
    """The vertebra alone, drawn as another outline."""
    area = layer.areas.get(Outline.VERTEBRA)
    return replace(layer, areas={} if area is None else {outline: area})
