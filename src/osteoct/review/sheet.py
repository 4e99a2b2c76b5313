"""The contact sheet: many cases on one page, to be accepted or rejected."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from os.path import relpath
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from osteoct.errors import OutputExistsError
from osteoct.io.output import write_text
from osteoct.protocols import BODY_CORE_4
from osteoct.review.cards import Card, make_card
from osteoct.review.decisions import COLUMNS, REVIEW_FILE, Review
from osteoct.review.folders import ReviewedCase
from osteoct.review.ordering import order_cases

SHEET_FILE: Final = "review.html"
GENERATOR: Final = "osteoct review"
"""Stands in every sheet: only such a file is ever replaced."""

_HEAD_BYTES = 2048
"""The mark lies in the page's head."""


def write_sheet(
    path: Path,
    cases: Sequence[ReviewedCase],
    reviews: Mapping[str, Review],
    *,
    is_linked: bool = False,
) -> tuple[Card, ...]:
    """Write the contact sheet of some cases, worst first, as one file without network.

    Parameters
    ----------
    reviews
        Decisions by case id; those about an earlier result are shown as outdated.
    is_linked
        Whether every report is linked, which writes the names of folders into the sheet. Without
        it a report is linked where its folder has the case's own name.

    Returns
    -------
    tuple of Card
        The cases in the order shown.

    Raises
    ------
    OutputExistsError
        A file that is no contact sheet lies at ``path``.
    OutputError
        The file cannot be written.
    """
    check_sheet_place(path)
    cards = tuple(
        make_card(case, reviews.get(case.result.case_id), _link(path, case, is_linked=is_linked))
        for case in order_cases(cases)
    )
    write_text(path, render_sheet(cards))
    return cards


def render_sheet(cards: Sequence[Card]) -> str:
    """Write the page; everything that comes from a case is escaped."""
    script = _load("sheet.js")
    return _load_template().render(
        cards=cards,
        generator=GENERATOR,
        number=f"mean trabecular HU, {BODY_CORE_4.id}",
        columns=",".join(COLUMNS),
        file_name=REVIEW_FILE,
        css=Markup(_load("sheet.css")),  # noqa: S704 - package data, nothing in it comes from a case
        script=Markup(script),  # noqa: S704 - likewise
        script_hash=b64encode(sha256(script.encode()).digest()).decode("ascii"),
    )


def check_sheet_place(path: Path) -> None:
    """Refuse to replace anything but an earlier contact sheet.

    Raises
    ------
    OutputExistsError
        Something else lies there.
    """
    if not path.exists():
        return
    if path.is_file():
        with path.open("rb") as file:
            if GENERATOR.encode() in file.read(_HEAD_BYTES):
                return
    raise OutputExistsError(
        "exists already",
        where=str(path),
        found="something that is no contact sheet",
        wanted="no file or an earlier sheet",
        hint="choose another file with -o",
    )


def _link(path: Path, case: ReviewedCase, *, is_linked: bool) -> str:
    """Where a report lies, seen from the sheet; a folder's name may be a patient's."""
    report = case.folder / "report.html"
    if not report.is_file():
        return ""
    way = Path(relpath(report, path.resolve().parent)).as_posix()
    named = (report.name, f"{case.result.case_id}/{report.name}")
    return quote(way) if is_linked or way in named else ""


@cache
def _load_template() -> Template:
    """The page's template; escaping is on, and an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("osteoct.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("sheet.html.j2")


@cache
def _load(name: str) -> str:
    """A file of the page."""
    return files("osteoct.review").joinpath(f"templates/{name}").read_text(encoding="utf-8")
