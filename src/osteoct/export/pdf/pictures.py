"""The small pictures of a result folder, and the chart, as the PDF takes them in."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from osteoct.classify.rules import load_rules
from osteoct.errors import UnreadableInputError
from osteoct.export.case_folder import FinishedCase
from osteoct.records import CaseResult
from osteoct.report.figures.chart import common_limits, draw_panel, make_panels
from osteoct.report.thumbnails import FOLDER, MOST_PLACES, SPINE

SPINE_CAPTION: Final = "Sagittal, bent through the body centres. Anterior left, head up."


@dataclass(frozen=True, kw_only=True)
class CasePicture:
    """One picture; ``name`` is that of a file for the template and holds no identifier."""

    name: str
    caption: str
    content: bytes


def read_pictures(case: FinishedCase) -> tuple[CasePicture, ...]:
    """Read the spine from the side, then the places of the gravest findings.

    Results of before pictures were kept, and cases of which no level is drawn, have none.

    Raises
    ------
    UnreadableInputError
        A picture is damaged.
    """
    folder = case.folder / FOLDER
    spine = [folder / SPINE] if (folder / SPINE).is_file() else []
    places = sorted(p for p in folder.glob("[1-9].*.webp") if p.name != SPINE)[:MOST_PLACES]
    return tuple(
        CasePicture(
            name=f"picture-{n}.png",
            caption=SPINE_CAPTION if path.name == SPINE else _caption(path),
            content=_as_png(path),
        )
        for n, path in enumerate([*spine, *places])
    )


def draw_panels(result: CaseResult) -> tuple[CasePicture, ...]:
    """Trabecular HU of the levels against the cut-offs of their protocol, as SVG.

    Protocols that no cut-off belongs to are not drawn: the table has their numbers. Letters are
    shapes, so that no font of the machine is asked for.
    """
    panels = [
        panel
        for panel in make_panels(result, load_rules())
        if panel.cutoffs and any(point.value_hu is not None for point in panel.points)
    ]
    limits = common_limits(panels)
    return tuple(
        CasePicture(
            name=f"chart-{n}.svg",
            caption=f"Trabecular mean HU, {panel.protocol}, against its cut-offs (dashed)",
            content=_as_svg(draw_panel(panel, limits)),
        )
        for n, panel in enumerate(panels)
    )


def _as_svg(figure: Figure) -> bytes:
    buffer = BytesIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "osteoct"}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=nothing)
    return buffer.getvalue()


def _caption(path: Path) -> str:
    """``1.L3.dense-focus.webp`` shows that finding there."""
    _, place, code = path.stem.split(".", 2)
    return f"{'' if place == 'case' else place} {code}".strip()


def _as_png(path: Path) -> bytes:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 -- slow to import

    buffer = BytesIO()
    try:
        with Image.open(path) as image:
            image.convert("RGB").save(buffer, format="png")
    except (OSError, UnidentifiedImageError) as error:
        raise UnreadableInputError(
            "a picture is damaged",
            where=str(path),
            found=type(error).__name__,
            wanted="WebP as osteoct analyze writes it",
        ) from error
    return buffer.getvalue()
