"""The pictures as the page needs them: data URI, alternative text, caption; what is not drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from osteoct.anatomy import Level, name_levels
from osteoct.classify.rules import Rule
from osteoct.compartments.level import LevelCompartments
from osteoct.protocols import PROTOCOLS
from osteoct.records import CaseResult, Reason
from osteoct.report.figures.agreement import draw_agreement
from osteoct.report.figures.axial import common_size_mm, draw_axial
from osteoct.report.figures.chart import Panel, common_limits, draw_panel, make_panels
from osteoct.report.figures.coronal import draw_coronal
from osteoct.report.figures.drawing import WINDOW_LEVEL_HU, WINDOW_WIDTH_HU
from osteoct.report.figures.encoding import encode_png, encode_svg
from osteoct.report.figures.pens import PENS, Pen
from osteoct.report.figures.sagittal import draw_sagittal
from osteoct.report.figures.section import Outline, masks_of
from osteoct.report.wording import REASONS, format_number
from osteoct.volume import CTVolume

WINDOW_WORDS = f"Bone window W {WINDOW_WIDTH_HU:g} / L {WINDOW_LEVEL_HU:g} HU"

_UNDRAWN = (Reason.LEVEL_ABSENT, Reason.CUT_BY_BORDER)
_SIDES = "The patient's right is on the left of the picture, the head is up."


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture; ``aspect`` is width over height, so that pictures in a row share one height."""

    uri: str
    alt: str
    caption: str
    aspect: float


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """All CT pictures of a case."""

    overview: tuple[Picture, ...]
    axial: tuple[Picture, ...]
    undrawn: str
    """Levels without a picture and why, as one sentence; empty when all are drawn."""
    pens: tuple[Pen, ...]
    """The lines that occur, for the legend."""
    window: str = WINDOW_WORDS


def draw_pictures(
    result: CaseResult, ct: CTVolume, compartments: Sequence[LevelCompartments]
) -> Pictures:
    """Draw the overview and one axial picture per level that is whole and present."""
    undrawn = list_undrawn(result, compartments)
    drawn = [c for c in compartments if c.level not in undrawn]
    outlines = {outline for level in drawn for outline in masks_of(level)}
    return Pictures(
        overview=_draw_overview(ct, drawn) if drawn else (),
        axial=_draw_axials(ct, drawn) if drawn else (),
        undrawn="; ".join(f"{level}: {why}" for level, why in undrawn.items()),
        pens=tuple(pen for outline, pen in PENS.items() if outline in outlines),
    )


def draw_comparison(
    ct: CTVolume, first: Sequence[LevelCompartments], second: Sequence[LevelCompartments]
) -> tuple[Picture, tuple[Pen, ...]] | None:
    """Draw the outlines of two segmenters and name their lines; ``None`` where one has none."""
    if not first or not second:
        return None
    picture = make_picture(
        draw_agreement(ct, first, second),
        alt="Sagittal CT picture with the vertebrae of both segmenters outlined. "
        "Anterior is on the left of the picture, the head is up.",
        caption="Sagittal, bent through the body centres",
    )
    return picture, (PENS[Outline.VERTEBRA], PENS[Outline.SECOND])


def list_undrawn(result: CaseResult, compartments: Sequence[LevelCompartments]) -> dict[Level, str]:
    """Levels that are absent or cut, and why, in words."""
    present = {c.level for c in compartments}
    undrawn: dict[Level, str] = {}
    for level in result.levels:
        reasons = {r.reason for r in level.regions}
        why = next((r for r in _UNDRAWN if r in reasons), None)
        if why is not None or level.level not in present:
            undrawn[level.level] = REASONS[why or Reason.LEVEL_ABSENT]
    return undrawn


def _draw_overview(ct: CTVolume, levels: Sequence[LevelCompartments]) -> tuple[Picture, ...]:
    """Sagittal and coronal."""
    names = name_levels([level.level for level in levels])
    return (
        make_picture(
            draw_sagittal(ct, levels),
            alt=f"Sagittal CT picture through the bodies of {names} with outlines. "
            "Anterior is on the left of the picture, the head is up.",
            caption="Sagittal, bent through the body centres",
        ),
        make_picture(
            draw_coronal(ct, levels),
            alt=f"Coronal CT picture through the bodies of {names} with outlines. {_SIDES}",
            caption="Coronal, bent through the body centres",
        ),
    )


def _draw_axials(ct: CTVolume, levels: Sequence[LevelCompartments]) -> tuple[Picture, ...]:
    """One picture per level, all of one size."""
    size_mm = common_size_mm(levels)
    return tuple(
        make_picture(
            draw_axial(ct, level, size_mm),
            alt=f"Axial CT picture through the middle of the body of {level.level} with outlines. "
            "The patient's right is on the left of the picture, anterior is up.",
            caption=level.level,
        )
        for level in levels
    )


def make_picture(figure: Figure, *, alt: str, caption: str) -> Picture:
    """Turn a figure into a picture of the page."""
    width, height = figure.get_size_inches()
    return Picture(
        uri=encode_png(figure), alt=alt, caption=caption, aspect=round(width / height, 4)
    )


def draw_chart(result: CaseResult, rules: Sequence[Rule]) -> tuple[Picture, ...]:
    """Draw the chart, one panel per protocol that measured anything."""
    panels = [
        p for p in make_panels(result, rules) if any(q.value_hu is not None for q in p.points)
    ]
    limits = common_limits(panels)
    return tuple(_draw_panel(panel, limits) for panel in panels)


def _draw_panel(panel: Panel, limits_hu: tuple[float, float]) -> Picture:
    figure = draw_panel(panel, limits_hu)
    width, height = figure.get_size_inches()
    title = PROTOCOLS[panel.protocol].title if panel.protocol in PROTOCOLS else panel.protocol
    return Picture(
        uri=encode_svg(figure),
        alt=f"Trabecular mean HU, {panel.protocol}: {_tell_points(panel)}. {_tell_cutoffs(panel)}.",
        caption=f"{panel.protocol}. {title}. {_tell_cutoffs(panel)}.",
        aspect=round(width / height, 4),
    )


def _tell_points(panel: Panel) -> str:
    """The panel's points as text."""
    return ", ".join(f"{p.level} {format_number(p.value_hu)}" for p in panel.points)


def _tell_cutoffs(panel: Panel) -> str:
    """The panel's cut-offs as text, or that there is none."""
    if panel.is_without_rules:
        return "No published cut-off belongs to this protocol"
    if not panel.cutoffs:
        return "Cut-offs not drawn: the levels they are for did not all count"
    on_mean = [f"{c.cutoff_hu:g}" for c in panel.cutoffs if c.level is None]
    texts = [f"{' and '.join(on_mean)} HU for the mean"] if on_mean else []
    for level in dict.fromkeys(c.level for c in panel.cutoffs if c.level is not None):
        own = [f"{c.cutoff_hu:g}" for c in panel.cutoffs if c.level == level]
        texts.append(f"{' and '.join(own)} HU for {level}")
    return f"Cut-offs (dashed): {'; '.join(texts)}"
