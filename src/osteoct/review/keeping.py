"""Decisions in result folders: kept when a case is analysed again, put there when they come in."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from osteoct.errors import ConfigError
from osteoct.io.output import RESULT_FILE, write_text
from osteoct.records import CaseResult
from osteoct.review.decisions import (
    REVIEW_FILE,
    Decision,
    Review,
    later_of,
    parse_reviews,
    read_reviews,
    reviews_csv,
    tell_review,
)
from osteoct.review.fingerprint import fingerprint_of
from osteoct.review.folders import ReviewedCase


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of the decisions of a file: how many results got one, and whose are not here."""

    results: int
    unknown: tuple[str, ...]


def find_review(folder: Path, case_id: str) -> Review | None:
    """The latest decision about a case, in its result folder or beside it.

    Raises
    ------
    ConfigError
        A ``review.csv`` has bad lines; they are named.
    """
    files = _files_of(folder)
    found = [review for file in files if (review := read_reviews(file).get(case_id)) is not None]
    return max(found, key=lambda review: review.decided_utc or "", default=None)


def gather_reviews(places: Sequence[Path]) -> dict[str, Review]:
    """The latest decision about each case in or below some folders.

    Of a place that is a result folder itself, decisions beside it count as well.

    Raises
    ------
    ConfigError
        Lines of a ``review.csv`` are bad; they are named.
    """
    latest: dict[str, Review] = {}
    for place in places:
        beside = [f for f in _files_of(place) if (place / RESULT_FILE).is_file()]
        for source in (place, *beside):
            for case_id, review in read_reviews(source).items():
                latest[case_id] = later_of(latest.get(case_id), review)
    return latest


def check_reviews(folder: Path) -> None:
    """Refuse bad lines in the decisions of an earlier result, before hours are spent on a new one.

    Raises
    ------
    ConfigError
        Lines of a ``review.csv`` are bad; they are named.
    """
    for file in _files_of(folder):
        read_reviews(file)


def keep_reviews(result: CaseResult, old: Path, new: Path) -> str:
    """Copy the decisions of a result folder into the one that is to replace it; tell what holds.

    The file is copied byte by byte. A decision never changes a number: it is shown, and whoever
    gathers results leaves out what was rejected.

    Returns
    -------
    str
        What was decided about the case and whether it still holds; empty without a decision.
    """
    if (old / REVIEW_FILE).is_file():
        shutil.copyfile(old / REVIEW_FILE, new / REVIEW_FILE)
    return tell_standing(result, find_review(old, result.case_id))


def tell_standing(result: CaseResult, review: Review | None) -> str:
    """What was decided about a result, and whether it still holds; nothing without a decision."""
    if review is None or review.decision is Decision.UNDECIDED:
        return ""
    return tell_review(review, review.standing(fingerprint_of(result)))


def import_reviews(file: Path, cases: Sequence[ReviewedCase]) -> Imported:
    """Put each decision of a file into the result folder of its case.

    A decision that lies there already is replaced; cases without one in the file keep theirs.

    Raises
    ------
    ConfigError
        The file cannot be read or has bad lines (all are named); nothing is written then.
    OutputError
        A decision cannot be written.
    """
    if not file.is_file():
        raise ConfigError("is not a file", where=str(file), wanted="the review.csv of a sheet")
    reviews = read_reviews(file)
    held = {case.folder: _held(case.folder) for case in cases}
    written = 0
    for case in cases:
        review = reviews.get(case.result.case_id)
        if review is not None:
            others = [r for r in held[case.folder] if r.case_id != review.case_id]
            write_text(case.folder / REVIEW_FILE, reviews_csv([*others, review]))
            written += 1
    known = {case.result.case_id for case in cases}
    return Imported(results=written, unknown=_without(reviews, known))


def _files_of(folder: Path) -> list[Path]:
    """Where decisions about the case of a result folder may lie."""
    places = (folder, folder.absolute().parent)
    return [place / REVIEW_FILE for place in places if (place / REVIEW_FILE).is_file()]


def _held(folder: Path) -> tuple[Review, ...]:
    """The decisions that lie in a folder; bad lines there stop an import before it writes."""
    file = folder / REVIEW_FILE
    if not file.is_file():
        return ()
    return parse_reviews(file.read_text(encoding="utf-8"), where=str(file))


def _without(names: Iterable[str], known: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in known)
