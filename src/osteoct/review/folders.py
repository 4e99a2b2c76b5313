"""Result folders below the folders a user names, each with its result and its pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from osteoct.errors import ConfigError
from osteoct.io.output import RESULT_FILE
from osteoct.records import CaseResult


@dataclass(frozen=True, kw_only=True)
class ReviewedCase:
    """A result and the folder that it lies in."""

    folder: Path
    result: CaseResult


@dataclass(frozen=True, kw_only=True)
class FoundCases:
    """All results that could be read, and the folders of those that could not."""

    cases: tuple[ReviewedCase, ...]
    unreadable: tuple[Path, ...]


def find_cases(places: Sequence[Path]) -> FoundCases:
    """Read every result in or below the places, each folder once.

    One damaged result never hides the others; folders that begin with a dot are passed over.

    Raises
    ------
    ConfigError
        A place is no folder, or none of them holds a result.
    """
    for place in places:
        if not place.is_dir():
            raise ConfigError("is not a folder", where=str(place), wanted="a folder of results")
    cases, unreadable = [], []
    for folder in dict.fromkeys(f for place in places for f in _result_folders(place)):
        try:
            text = (folder / RESULT_FILE).read_text(encoding="utf-8")
            cases.append(ReviewedCase(folder=folder, result=CaseResult.model_validate_json(text)))
        except (OSError, UnicodeDecodeError, ValidationError):
            unreadable.append(folder)
    if not cases and not unreadable:
        named = ", ".join(str(place) for place in places)
        raise ConfigError("holds no result", where=named, wanted=f"folders with {RESULT_FILE}")
    return FoundCases(cases=tuple(cases), unreadable=tuple(unreadable))


def _result_folders(place: Path) -> Iterator[Path]:
    """Folders with a result, the place itself included, in the order of their names."""
    for file in sorted(place.rglob(RESULT_FILE)):
        hidden = [part for part in file.relative_to(place).parts if part.startswith(".")]
        if file.is_file() and not hidden:
            yield file.parent.resolve()
