"""One case as the contact sheet shows it: pictures, levels, doubts, and what was decided."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from osteoct.classify.rules import load_rules
from osteoct.protocols import BODY_CORE_4, Region
from osteoct.records import LevelResult
from osteoct.report.conclusion import conclude
from osteoct.report.finding_list import Doubt, list_doubts
from osteoct.report.level_table import usability_of
from osteoct.report.thumbnails import FOLDER, SPINE
from osteoct.report.wording import USABILITIES, format_number, tell_usability
from osteoct.review.decisions import Decision, Review, Standing, tell_review
from osteoct.review.fingerprint import fingerprint_of
from osteoct.review.folders import ReviewedCase
from osteoct.review.ordering import usability_of_case

MOST_DOUBTS = 6
"""More are not read in six seconds; the report has them all."""


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A picture as data URI, with its caption."""

    uri: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A level: its name, its number, and how far it can be used."""

    level: str
    number: str
    usability: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything about one case.

    Parameters
    ----------
    decided
        The decision that holds, as JSON for the page's script; empty without one.
    outdated
        A decision about an earlier result, as a sentence.
    report
        Where the report lies, seen from the sheet; empty where no link is wanted.
    """

    case_id: str
    result_sha256: str
    usability: str
    usability_words: str
    headline: str
    chips: tuple[Chip, ...]
    doubts: tuple[Doubt, ...]
    doubts_left: int
    spine: Thumbnail | None
    places: tuple[Thumbnail, ...]
    decided: str
    outdated: str
    report: str


def make_card(case: ReviewedCase, review: Review | None, report: str) -> Card:
    """Lay out one case."""
    result, digest = case.result, fingerprint_of(case.result)
    review = None if review is not None and review.decision is Decision.UNDECIDED else review
    usability, doubts = usability_of_case(result), list_doubts(result)
    holds = review is not None and review.standing(digest) is Standing.CURRENT
    spine, places = _read_pictures(case.folder / FOLDER)
    return Card(
        case_id=result.case_id,
        result_sha256=digest,
        usability=usability.value,
        usability_words=USABILITIES[usability],
        headline=conclude(result, load_rules()).headline.text.replace(
            "(reason below)", "(reason in the report)"
        ),
        chips=tuple(_make_chip(level) for level in result.levels),
        doubts=doubts[:MOST_DOUBTS],
        doubts_left=max(len(doubts) - MOST_DOUBTS, 0),
        spine=spine,
        places=places,
        decided=_as_json(review) if review is not None and holds else "",
        outdated="" if review is None or holds else tell_review(review, Standing.OUTDATED),
        report=report,
    )


def _make_chip(level: LevelResult) -> Chip:
    measure = level.region(BODY_CORE_4.id, Region.TRABECULAR)
    usability = usability_of(level)
    value = None if measure is None or measure.hu is None else measure.hu.mean_hu
    return Chip(
        level=level.level,
        number=format_number(value, 0),
        usability=usability.value,
        title=tell_usability(usability, level.usability_codes),
    )


def _read_pictures(folder: Path) -> tuple[Thumbnail | None, tuple[Thumbnail, ...]]:
    """The pictures that the analysis left; results older than that have none."""
    files = sorted(folder.glob("*.webp")) if folder.is_dir() else []
    spine = next((_thumbnail(f, "spine") for f in files if f.name == SPINE), None)
    return spine, tuple(_thumbnail(f, _caption(f)) for f in files if f.name != SPINE)


def _caption(file: Path) -> str:
    """``1.L3.dense-focus.webp`` shows the dense focus of L3."""
    _, place, code = f"{file.stem}..".split(".")[:3]
    return f"{place} {code}".strip()


def _thumbnail(file: Path, caption: str) -> Thumbnail:
    text = b64encode(file.read_bytes()).decode("ascii")
    return Thumbnail(uri=f"data:image/webp;base64,{text}", caption=caption)


def _as_json(review: Review) -> str:
    """A decision as the page's script keeps it."""
    return json.dumps(
        {
            "decision": review.decision,
            "levels": list(review.levels),
            "reason": review.reason,
            "reviewer": review.reviewer,
            "decided_utc": review.decided_utc or "",
        },
        ensure_ascii=True,
    )
