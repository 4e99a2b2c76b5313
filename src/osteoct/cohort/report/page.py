"""The report as one HTML file that loads nothing."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup


def render_page(content: object, svgs: dict[str, bytes], *, template: str = "cohort") -> str:
    """Write the page; ``svgs`` holds each figure's file by name. Everything is escaped."""
    uris = {
        name: f"data:image/svg+xml;base64,{b64encode(data).decode('ascii')}"
        for name, data in svgs.items()
    }
    return _load_template(template).render(content=content, uris=uris, css=_load_css())


@cache
def _load_template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("osteoct.cohort.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{name}.html.j2")


@cache
def _load_css() -> Markup:
    """The case report's style sheet, and what a cohort adds to it."""
    case = files("osteoct.report").joinpath("templates/report.css")
    own = files("osteoct.cohort.report").joinpath("templates/cohort.css")
    text = case.read_text(encoding="utf-8") + own.read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - package data, nothing in it comes from a cohort
