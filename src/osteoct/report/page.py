"""Assemble the report: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from osteoct.classify.rules import load_rules
from osteoct.compartments.level import LevelCompartments
from osteoct.records import CaseResult
from osteoct.report.agreement_table import make_agreement_table
from osteoct.report.change_table import make_change_table
from osteoct.report.conclusion import conclude
from osteoct.report.facts import (
    describe_acquisition,
    describe_policy,
    describe_protocols,
    describe_provenance,
)
from osteoct.report.figures.section import check_canonical
from osteoct.report.finding_list import CHECKED, list_doubts
from osteoct.report.level_table import make_level_table
from osteoct.report.opinion_table import make_opinion_table
from osteoct.report.pictures import draw_chart, draw_comparison, draw_pictures
from osteoct.report.repairs import RepairView
from osteoct.report.wording import DISCLAIMER, PARTIAL_VOLUME, tell_usability
from osteoct.volume import CTVolume


def render_report(
    result: CaseResult,
    ct: CTVolume,
    compartments: Sequence[LevelCompartments],
    *,
    second: Sequence[LevelCompartments] = (),
    reviewed: str = "",
    repaired: Sequence[RepairView] = (),
) -> str:
    """Write one case's report as HTML that needs no network, no script and no other file.

    Parameters
    ----------
    result
        The case; every number on the page is one of its numbers.
    ct
        The CT in canonical orientation (array axes grow to R, A, S).
    compartments
        Per level the masks to outline, on boxes of the CT's array; levels without one are named.
    second
        The same of a second segmenter, where the case has a comparison.
    reviewed
        What a person decided about the case, as one sentence.
    repaired
        What was repaired, in words and pictures.

    Returns
    -------
    str
        HTML text. Everything that comes from the case is escaped.

    Raises
    ------
    GeometryError
        The CT is not in canonical orientation: the pictures would show left as right.
    """
    check_canonical(ct)
    rules = load_rules()
    return _load_template().render(
        result=result,
        conclusion=conclude(result, rules),
        disclaimer=DISCLAIMER,
        usability=_tell_case(result),
        reviewed=reviewed,
        doubts=list_doubts(result),
        checked=CHECKED,
        pictures=draw_pictures(result, ct, compartments),
        table=make_level_table(result),
        chart=draw_chart(result, rules),
        agreement=make_agreement_table(result),
        change=make_change_table(result.change),
        repaired=repaired,
        comparison=draw_comparison(ct, compartments, second),
        opinions=make_opinion_table(result, rules),
        protocols=describe_protocols(result),
        partial_volume=PARTIAL_VOLUME,
        acquisition=describe_acquisition(result),
        provenance=(*describe_policy(result.policy), *describe_provenance(result.provenance)),
        css=_load_css(),
    )


def _tell_case(result: CaseResult) -> str:
    """How far the case can be used; nothing where an older result does not say."""
    if result.usability is None:
        return ""
    return tell_usability(result.usability, result.usability_codes)


@cache
def _load_template() -> Template:
    """The page's template; escaping is on, and an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("osteoct.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


@cache
def _load_css() -> Markup:
    """The style sheet: our own file, and so not escaped."""
    text = files("osteoct.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - package data, nothing in it comes from a case
