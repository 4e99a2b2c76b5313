"""Small pictures of a case, to be seen beside those of a hundred others.

The result folder holds neither CT nor masks, and the report's pictures are large: so they are drawn
when the case is analysed, as WebP of some ten kilobytes each.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Final

from matplotlib.figure import Figure

from osteoct.compartments.level import LevelCompartments
from osteoct.records import CaseResult
from osteoct.report.figures.sagittal import draw_sagittal
from osteoct.report.pictures import list_undrawn
from osteoct.report.place_pictures import draw_places
from osteoct.volume import CTVolume

FOLDER: Final = "pictures"
SPINE: Final = "spine.webp"

MOST_PLACES = 3
"""More do not fit beside the spine, and the gravest come first."""

SPINE_HEIGHT_PX = 520
PLACE_HEIGHT_PX = 250
"""Sizes at which outlines can still be judged; a hundred cases make about 6 MB."""

QUALITY = 72
"""Of WebP: below it thin outlines fray."""

EFFORT = 2
"""Of WebP, 0 to 6: half the time of 4, which saves 4 % of the bytes."""


def draw_thumbnails(
    result: CaseResult, ct: CTVolume, compartments: Sequence[LevelCompartments]
) -> dict[str, bytes]:
    """Draw the spine from the side and the places of the gravest findings, by file name.

    Names are numbered in order of gravity and tell level and code: ``1.L3.dense-focus.webp``. A
    case without a drawn level has no spine.
    """
    undrawn = list_undrawn(result, compartments)
    drawn = [level for level in compartments if level.level not in undrawn]
    pictures = {}
    if drawn:
        pictures[SPINE] = _encode(draw_sagittal(ct, drawn), SPINE_HEIGHT_PX)
    for n, place in enumerate(draw_places(result, ct, compartments, most=MOST_PLACES), start=1):
        name = f"{n}.{place.finding.level or 'case'}.{place.finding.code}.webp"
        pictures[name] = _encode(place.figure, PLACE_HEIGHT_PX)
    return pictures


def _encode(figure: Figure, height_px: int) -> bytes:
    """A figure as WebP of a given height."""
    buffer = BytesIO()
    dpi = height_px / figure.get_size_inches()[1]
    figure.savefig(
        buffer, format="webp", dpi=dpi, pil_kwargs={"quality": QUALITY, "method": EFFORT}
    )
    return buffer.getvalue()
