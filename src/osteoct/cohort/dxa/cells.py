"""Cells into numbers, dates and words; what cannot be read says why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from math import isfinite
from typing import Final, Literal

from osteoct.cohort.dxa.sheet import Cell
from osteoct.cohort.dxa.words import ABSENT_WORDS, SEX_WORDS, fold

DateOrder = Literal["dmy", "mdy"]

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_EITHER = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?: .*)?")

MONTHS: Final = 12


def is_absent(cell: Cell) -> bool:
    """Whether a cell says that nothing is known."""
    if isinstance(cell, float):
        return cell != cell  # noqa: PLR0124 - NaN alone differs from itself
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in ABSENT_WORDS)


def parse_number(cell: Cell) -> float:
    """Read a number with decimal point or comma.

    Raises
    ------
    ValueError
        No number, or one with two separators: 1.234,5 may be meant as anything.

    >>> parse_number("−1,5"), parse_number(2)
    (-1.5, 2.0)
    """
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        value = float(cell)
    else:
        text = str(cell).strip().replace("\u2212", "-").replace("\u2013", "-")
        if len(re.findall(r"[.,]", text)) > 1:
            raise ValueError("two decimal signs")
        if not _NUMBER.fullmatch(text):
            raise ValueError("no number")
        value = float(text.replace(",", "."))
    if not isfinite(value):
        raise ValueError("no number")
    return value


def find_date_order(cells: Sequence[Cell]) -> DateOrder | None:
    """Tell from the days above 12 in a column how 03/04/2021 is meant; ``None`` if nothing tells.

    >>> find_date_order(["03/04/2021", "25/04/2021"])
    'dmy'
    """
    pairs = [m for c in cells if isinstance(c, str) and (m := _EITHER.fullmatch(c.strip()))]
    first = any(int(m[1]) > MONTHS for m in pairs)
    second = any(int(m[2]) > MONTHS for m in pairs)
    if first == second:
        return None
    return "dmy" if first else "mdy"


def parse_date(cell: Cell, order: DateOrder | None) -> date:
    """Read a date; with slashes or hyphens and the year last, ``order`` must be known.

    Raises
    ------
    ValueError
        No date, a day that does not exist, a year of two digits, or an order that nothing tells.

    >>> parse_date("24.12.2021", None)
    datetime.date(2021, 12, 24)
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = str(cell).strip()
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day = match[1], match[2], match[3]
    elif match := _DOTTED.fullmatch(text):
        day, month, year = match[1], match[2], match[3]
    elif match := _EITHER.fullmatch(text):
        year = match[3]
        day, month = _day_and_month(match[1], match[2], order)
    else:
        raise ValueError("no date (wanted 2021-12-24, 24.12.2021 or 20211224)")
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise ValueError("no such day") from error


def _day_and_month(first: str, second: str, order: DateOrder | None) -> tuple[str, str]:
    if order is None:
        if first == second:
            return first, second
        raise ValueError('ambiguous date: say date_order = "dmy" or "mdy" in the map')
    return (first, second) if order == "dmy" else (second, first)


def parse_sex(cell: Cell, further: Mapping[Literal["F", "M"], Sequence[str]]) -> str:
    """Read a word for a sex.

    Raises
    ------
    ValueError
        A word not known; numbers need the map, for sheets disagree about them.

    >>> parse_sex("weiblich", {})
    'F'
    """
    word = fold(str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell))
    for sex, known in SEX_WORDS.items():
        extra = further.get("F" if sex == "F" else "M", ())
        if word in known or word in {fold(w) for w in extra}:
            return sex
    raise ValueError('unknown word for sex: say [sex] F = ["…"], M = ["…"] in the map')
