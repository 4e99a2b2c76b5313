"""The report of a case, set by typst; the same result gives the same bytes.

typst brings its own fonts and needs no system library; dates in the file are fixed. No text of a
case is ever typst code: the template reads it as JSON.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from osteoct.export.case_folder import FinishedCase
from osteoct.export.documents_extra import check_documents_extra
from osteoct.export.pdf.content import Shown, make_content
from osteoct.export.pdf.pictures import draw_panels, read_pictures

FIXED_DATE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Date in the file's properties: the day of printing would change the bytes."""

SHOWN: Final = Shown()

_TEMPLATE: Final = "case.typ"


def render_case_pdf(case: FinishedCase, *, shown: Shown = SHOWN) -> bytes:
    """Set the report of a case as PDF (A4, PDF 1.7, tagged).

    Raises
    ------
    DependencyError
        typst is not installed.
    UnreadableInputError
        A picture of the result folder is damaged.
    """
    return _compile(case, "pdf", shown)[0]


def render_case_pages(
    case: FinishedCase, *, dots_per_inch: float, shown: Shown = SHOWN
) -> list[bytes]:
    """The same pages as PNG, one by one."""
    return _compile(case, "png", shown, dots_per_inch=dots_per_inch)


def _compile(
    case: FinishedCase, kind: Literal["pdf", "png"], shown: Shown, *, dots_per_inch: float = 144
) -> list[bytes]:
    check_documents_extra("a report as PDF", "typst")
    import typst  # noqa: PLC0415 -- an extra

    pictures, panels = read_pictures(case), draw_panels(case.result)
    content = make_content(case.result, pictures, panels, shown=shown)
    template = files("osteoct.export.pdf").joinpath("templates", _TEMPLATE)
    with tempfile.TemporaryDirectory(prefix="osteoct-") as name:
        folder = Path(name)
        for picture in (*pictures, *panels):
            (folder / picture.name).write_bytes(picture.content)
        (folder / "content.json").write_text(json.dumps(content), encoding="utf-8")
        (folder / _TEMPLATE).write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
        # one page is bytes, several are a list, whatever its annotation says
        made: Any = typst.compile(
            folder / _TEMPLATE,
            root=folder,
            format=kind,
            ppi=dots_per_inch,
            ignore_system_fonts=True,
            timestamp=FIXED_DATE,
        )
    return [bytes(page) for page in made] if isinstance(made, list) else [bytes(made)]
