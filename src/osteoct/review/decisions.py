"""``review.csv``: what a person decided about cases, read and written.

Light: whoever honours reviews (re-runs, a cohort) imports this and nothing that draws.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from osteoct.anatomy import Level, parse_levels
from osteoct.errors import ConfigError, OsteoctError
from osteoct.record import Record

REVIEW_FILE: Final = "review.csv"

COLUMNS: Final = (
    "case_id",
    "decision",
    "levels",
    "reason",
    "reviewer",
    "decided_utc",
    "result_sha256",
)
"""In the order written; only the first two must be there when a file is made by hand."""

REQUIRED: Final = COLUMNS[:2]
HASH_LETTERS = 64
TIME_EXAMPLE: Final = "such as 2026-01-31T12:00:00Z"

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""First signs at which spreadsheets take a text for a formula: an apostrophe goes before them."""


class Decision(StrEnum):
    """What a person decided about a case."""

    ACCEPT = "accept"
    REJECT = "reject"
    UNDECIDED = "undecided"
    """An earlier decision is taken back: without a line for it the earlier one would come again."""


_PAST: Final = {
    Decision.ACCEPT: "accepted",
    Decision.REJECT: "rejected",
    Decision.UNDECIDED: "decision taken back",
}


class Standing(StrEnum):
    """Whether a decision was made about the result at hand."""

    CURRENT = "current"
    OUTDATED = "outdated"
    """The result has changed since: the decision is shown and no longer holds."""


class Review(Record):
    """One decision.

    Parameters
    ----------
    levels
        Levels that a rejection is about; without any it is about the case.
    decided_utc
        ISO 8601 in UTC; ``None`` where a file made by hand does not tell.
    result_sha256
        Fingerprint of the result that was looked at
        (:func:`osteoct.review.fingerprint.fingerprint_of`); ``None`` where a file made by hand does
        not tell: the decision then holds for whatever result there is.
    """

    case_id: str
    decision: Decision
    levels: tuple[Level, ...] = ()
    reason: str = ""
    reviewer: str = ""
    decided_utc: str | None = None
    result_sha256: str | None = None

    @property
    def rejects_case(self) -> bool:
        """Whether the whole case is rejected, not only some of its levels."""
        return self.decision is Decision.REJECT and not self.levels

    def standing(self, result_sha256: str) -> Standing:
        """Whether the decision is about the result of this fingerprint."""
        is_same = self.result_sha256 in (None, result_sha256)
        return Standing.CURRENT if is_same else Standing.OUTDATED


def read_reviews(path: Path) -> Mapping[str, Review]:
    """Read decisions by case id, from one file or from every ``review.csv`` in a folder.

    In a folder of results the decisions may lie beside the results or inside each of them; of two
    about one case the later one counts.

    Returns
    -------
    Mapping of str to Review
        Empty for a folder that holds no decision.

    Raises
    ------
    ConfigError
        The path does not exist, or lines are bad: all of them are named.
    """
    if not path.exists():
        raise ConfigError("does not exist", where=str(path), wanted="a review.csv or a folder")
    files = sorted(path.rglob(REVIEW_FILE)) if path.is_dir() else [path]
    latest: dict[str, Review] = {}
    problems: list[str] = []
    for file in files:
        try:
            reviews = parse_reviews(_read(file), where=str(file))
        except ConfigError as error:
            problems.append(error.line)
            continue
        for review in reviews:
            latest[review.case_id] = later_of(latest.get(review.case_id), review)
    if problems:
        raise ConfigError(" | ".join(problems))
    return latest


def later_of(known: Review | None, other: Review) -> Review:
    """The later of two decisions about one case; of two at the same time the second."""
    is_later = known is None or (known.decided_utc or "") <= (other.decided_utc or "")
    return other if known is None or is_later else known


def parse_reviews(text: str, *, where: str = REVIEW_FILE) -> tuple[Review, ...]:
    """Read decisions from the text of a ``review.csv``.

    Raises
    ------
    ConfigError
        Columns are missing or unknown, or lines are bad: all of them are named.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        head = tuple(reader.fieldnames or ())
        problems = _check_head(head)
        rows = [] if problems else [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ConfigError("is not CSV", where=where, found=str(error)) from error
    reviews: dict[str, Review] = {}
    for line, row in rows:
        found = _check_row(row)
        name = _unguard((row.get("case_id") or "").strip())
        if name in reviews:
            found.append(f"case {name} stands there twice")
        if found:
            problems += [f"line {line}: {problem}" for problem in found]
        else:
            review = _make_review(row)
            reviews[review.case_id] = review
    if problems:
        raise ConfigError("bad decisions", where=where, found=" | ".join(problems))
    return tuple(reviews.values())


def reviews_csv(reviews: Iterable[Review]) -> str:
    """Write decisions as :func:`parse_reviews` reads them.

    >>> text = reviews_csv([Review(case_id="a", decision=Decision.ACCEPT)])
    >>> parse_reviews(text)[0].case_id
    'a'
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for review in reviews:
        texts = review.model_dump(mode="json") | {"levels": " ".join(review.levels)}
        writer.writerow([_guard(texts[column] or "") for column in COLUMNS])
    return out.getvalue()


def tell_review(review: Review, standing: Standing) -> str:
    """Say what was decided, by whom and when, as one sentence.

    >>> tell_review(Review(case_id="a", decision=Decision.REJECT, levels=("L2",)), Standing.CURRENT)
    'Reviewed: L2 rejected.'
    """
    what = _PAST[review.decision]
    if review.levels:
        what = f"{', '.join(review.levels)} rejected"
    by = f" by {review.reviewer}" if review.reviewer else ""
    when = f" on {review.decided_utc[:10]}" if review.decided_utc else ""
    why = f" ({review.reason})" if review.reason else ""
    if standing is Standing.OUTDATED:
        return f"Review outdated: {what}{by}{when}{why}; the result has changed since."
    return f"Reviewed: {what}{by}{when}{why}."


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError("cannot be read", where=str(file), found=error.strerror) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8", where=str(file), found=str(error)) from error


def _check_head(head: Sequence[str]) -> list[str]:
    """Columns that are missing, unknown or repeated."""
    missing = [f"no column {name}" for name in REQUIRED if name not in head]
    unknown = [f"unknown column {name!r}" for name in head if name not in COLUMNS]
    repeated = [f"column {name} repeats" for name in COLUMNS if head.count(name) > 1]
    return [*missing, *unknown, *repeated]


def _check_row(row: Mapping[str, str | None]) -> list[str]:
    """What is wrong with one line."""
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    problems = []
    if None in row:
        problems.append("more cells than columns")
    if not cells["case_id"]:
        problems.append("no case_id")
    if cells["decision"] not in set(Decision):
        problems.append(f"decision {cells['decision']!r}, wanted {' or '.join(Decision)}")
    if cells["levels"]:
        if cells["decision"] in (Decision.ACCEPT, Decision.UNDECIDED):
            problems.append(f"levels with {cells['decision']}: levels can only be rejected")
        try:
            _levels(cells["levels"])
        except OsteoctError as error:
            problems.append(f"levels: {error.line}")
    if cells["decided_utc"] and _as_utc(cells["decided_utc"]) is None:
        problems.append(
            f"decided_utc {cells['decided_utc']!r}, wanted such as 2026-01-31T12:00:00Z"
        )
    digest = cells["result_sha256"]
    if digest and (len(digest) != HASH_LETTERS or set(digest) - set("0123456789abcdef")):
        problems.append(f"result_sha256 {digest!r}, wanted {HASH_LETTERS} hexadecimal digits")
    return problems


def _make_review(row: Mapping[str, str | None]) -> Review:
    """The record of a line that was checked."""
    cells = {name: _unguard((row.get(name) or "").strip()) for name in COLUMNS}
    return Review(
        case_id=cells["case_id"],
        decision=Decision(cells["decision"]),
        levels=_levels(cells["levels"]),
        reason=cells["reason"],
        reviewer=cells["reviewer"],
        decided_utc=_as_utc(cells["decided_utc"]),
        result_sha256=cells["result_sha256"] or None,
    )


def _levels(text: str) -> tuple[Level, ...]:
    """Levels by name, divided by blanks, commas or semicolons, in the order of the spine."""
    names = text.replace(",", " ").replace(";", " ").split()
    found = {level for name in names for level in parse_levels(name)}
    return tuple(sorted(found, key=lambda level: level.order))


def _as_utc(text: str) -> str | None:
    """ISO 8601 in UTC to the second; a time without a zone is UTC. ``None`` for anything else."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def _guard(text: str) -> str:
    """A text on one line that no spreadsheet runs."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(_FORMULA_SIGNS) else line


def _unguard(text: str) -> str:
    """A text without the apostrophe that guards it."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_SIGNS) else text
