"""Which series are meant: studies by UID, or days with words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase

from osteoct.errors import ConfigError
from osteoct.network.archive import SeriesFound

_KEYS = ("date", "description", "body-part")
_WANTED = "date=YYYY-MM-DD or date=YYYY-MM-DD..YYYY-MM-DD, description=WORDS*, body-part=WORD"


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a series has to be; only the days are asked of the archive, words are compared here.

    Archives differ in how they compare words. ``*`` and ``?`` stand for any signs, case counts not.
    """

    studies: tuple[str, ...] = field(default=(), repr=False)
    dates: str = field(default="", repr=False)
    description: str = ""
    body_part: str = ""

    def matches(self, series: SeriesFound) -> bool:
        """Whether the words fit; the description may be that of the study or of the series."""
        texts = [text.casefold() for text in series.descriptions]
        is_described = not self.description or any(
            fnmatchcase(text, self.description.casefold()) for text in texts
        )
        part = series.body_part.casefold()
        is_part = not self.body_part or fnmatchcase(part, self.body_part.casefold())
        return is_described and is_part


def make_query(studies: Sequence[str], text: str | None) -> Query:
    """Read ``--study`` and ``--query``; one of them is needed, not both.

    Raises
    ------
    ConfigError
        A key or a day that is none; or no day, which would ask for a whole archive.
    """
    if bool(studies) == bool(text):
        raise ConfigError("name studies or a query", where="--study, --query", wanted="one of them")
    if not text:
        return Query(studies=tuple(dict.fromkeys(studies)))
    pairs = [part.partition("=") for part in text.split(",")]
    values = {key.strip(): value.strip() for key, _, value in pairs}
    if set(values) - set(_KEYS) or not all(values.values()) or len(values) < len(pairs):
        raise ConfigError("cannot be read", where="--query", wanted=_WANTED)
    if "date" not in values:
        raise ConfigError("would ask for a whole archive", where="--query", wanted=_WANTED)
    return Query(
        dates=_days(values["date"]),
        description=values.get("description", ""),
        body_part=values.get("body-part", ""),
    )


def _days(text: str) -> str:
    """A range of days as DICOM writes it."""
    first, dots, last = (part.strip() for part in text.partition(".."))
    try:
        days = [date.fromisoformat(day) for day in ((first, last) if dots else (first, first))]
    except ValueError:
        raise ConfigError("is no day", where="--query date", wanted=_WANTED) from None
    if days[0] > days[1] or not re.fullmatch(r"[0-9.-]+", text.replace(" ", "")):
        raise ConfigError("ends before it begins", where="--query date", wanted=_WANTED)
    return f"{days[0]:%Y%m%d}-{days[1]:%Y%m%d}"
