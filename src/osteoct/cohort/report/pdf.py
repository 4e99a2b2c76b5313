"""The report as PDF, set by typst from the same content as the page.

typst brings its own fonts and needs no system library. System fonts are not used and figures bring
their letters as shapes, so the bytes do not depend on the machine.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from osteoct.cohort.extra import PDF, check_extra
from osteoct.cohort.report.content import AgreementSection, Content, Picture
from osteoct.cohort.report.tables import Table

FIXED_DATE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Date in the file's properties: the day of printing would change the bytes."""


def render_pdf(content: Content, svgs: dict[str, bytes]) -> bytes:
    """Set the PDF; ``svgs`` holds each figure by name, letters as shapes.

    Raises
    ------
    DependencyError
        typst is not installed.
    """
    return set_pdf("cohort", _as_plain(content), svgs)


def set_pdf(template: str, plain: Mapping[str, Any], svgs: dict[str, bytes]) -> bytes:
    """Set a template with what it reads as JSON; no text of that is ever typst code.

    Raises
    ------
    DependencyError
        typst is not installed.
    """
    check_extra("the PDF of a cohort", PDF)
    import typst  # noqa: PLC0415 - an extra

    templates = files("osteoct.cohort.report").joinpath("templates")
    with tempfile.TemporaryDirectory(prefix="osteoct-") as name:
        folder = Path(name)
        for figure, data in svgs.items():
            (folder / f"{figure}.svg").write_bytes(data)
        (folder / "content.json").write_text(json.dumps(plain), encoding="utf-8")
        for source in (f"{template}.typ", "parts.typ"):
            text = templates.joinpath(source).read_text(encoding="utf-8")
            (folder / source).write_text(text, encoding="utf-8")
        made = typst.compile(
            folder / f"{template}.typ",
            root=folder,
            format="pdf",
            ignore_system_fonts=True,
            timestamp=FIXED_DATE,
        )
    return bytes(made)


def _as_plain(content: Content) -> dict[str, Any]:
    """The content as JSON that the template reads."""
    agreement = content.agreement
    return {
        "title": content.title,
        "banner": content.banner,
        "headline": list(content.headline),
        "disclaimer": content.disclaimer,
        "flow": _plain_picture(content.flow),
        "table_one": _plain_rows(content.table_one),
        "pictures": [_plain_picture(p) for p in content.pictures],
        "cutoff_header": list(content.cutoffs.columns),
        "cutoffs": _plain_rows(content.cutoffs),
        "pairs": list(content.pairs),
        "agreement": None if agreement is None else plain_section(agreement),
        "methods": list(content.methods),
        "limits": list(content.limits),
        "assumptions": list(content.assumptions),
        "checklist": [[i.name, i.asks, i.answer] for i in content.checklist],
    }


def plain_section(section: AgreementSection) -> dict[str, Any]:
    """The section of an agreement as JSON."""
    return {
        "title": section.title,
        "header": list(section.table.columns),
        "rows": _plain_rows(section.table),
        "note": section.note,
        "pictures": [_plain_picture(p) for p in section.pictures],
    }


def _plain_picture(picture: Picture) -> dict[str, str]:
    return {"file": f"{picture.name}.svg", "title": picture.title, "caption": picture.caption}


def _plain_rows(table: Table) -> list[list[str]]:
    return [["–" if cell is None else str(cell) for cell in row] for row in table.rows]
