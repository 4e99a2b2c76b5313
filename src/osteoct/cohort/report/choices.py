"""What ``analyze`` lets a user choose."""

from __future__ import annotations

from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.errors import ConfigError
from osteoct.record import Record

LEAST_CELL: Final = 5
"""Counts of 1 to 4 patients are not printed unless allowed: who knows one of them learns of the
others. The usual limit of registries and statistical offices."""


class ReportChoices(Record):
    """Choices of the statistics, and of what is written.

    Parameters
    ----------
    allow_small_cells
        Print counts of 1 to 4 patients, and what follows from them, as they are.
    repeats_window_days
        Days within which CTs of one patient count as repeats, for their agreement.
    """

    statistics: StatisticsChoices = StatisticsChoices()
    allow_small_cells: bool = False
    repeats_window_days: Annotated[int, Field(ge=0)] = 30
    png: bool = True
    pdf: bool = True
    excel: bool = True

    @property
    def least(self) -> int:
        """Fewest patients that a printed count may have."""
        return 1 if self.allow_small_cells else LEAST_CELL


def read_choices(path: Path) -> ReportChoices:
    """Read a TOML file whose keys are the fields of :class:`ReportChoices`.

    Raises
    ------
    ConfigError
        Unreadable, not TOML, or with unknown keys or bad values; all are named.
    """
    try:
        return make_choices(loads(path.read_text(encoding="utf-8")), where=str(path))
    except OSError as error:
        raise ConfigError("cannot be read", where=str(path), found=error.strerror) from error
    except (TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("is not TOML", where=str(path), found=str(error)) from error


def make_choices(values: dict[str, Any], *, where: str = "configuration") -> ReportChoices:
    """Validate choices; every problem is named at once, each with its key."""
    try:
        return ReportChoices.model_validate(values)
    except ValidationError as error:
        problems = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError("bad values", where=where, found=" | ".join(problems)) from error
