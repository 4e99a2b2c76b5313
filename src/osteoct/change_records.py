"""Records of two examinations of one patient, compared."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import model_validator

from osteoct.anatomy import Level
from osteoct.protocols import Region
from osteoct.record import Record


class ChangeVerdict(StrEnum):
    """A change against the least significant change."""

    BEYOND = "beyond"
    WITHIN = "within"
    """Exactly at the limit is within it."""
    NO_LIMIT = "no-limit"
    """No least significant change is published for this number."""
    NOT_COMPARABLE = "not-comparable"
    """The two numbers do not mean the same; the reason says why."""


class Quantity(StrEnum):
    """What is compared."""

    MEAN_HU = "mean-hu"
    VOLUME = "volume"
    """In cm³."""


class RegionChange(Record):
    """One number of two examinations; later minus earlier.

    Parameters
    ----------
    level
        ``None`` for the mean over ``levels``, those that count in both examinations.
    earlier, later
        In HU or cm³; ``None`` where it was not measured.
    difference, difference_percent
        ``None`` where one of them is absent; percent of the mean of both.
    limit, limit_percent
        The least significant change, in the unit of the numbers and in percent of their mean; a
        user's own limit in HU has no percentage of its own.
    """

    level: Level | None
    levels: tuple[Level, ...] = ()
    protocol: str
    region: Region
    quantity: Quantity
    earlier: float | None = None
    later: float | None = None
    difference: float | None = None
    difference_percent: float | None = None
    limit: float | None = None
    limit_percent: float | None = None
    verdict: ChangeVerdict
    reason: str

    @model_validator(mode="after")
    def _is_whole(self) -> RegionChange:
        """A verdict by a limit has the limit and both numbers."""
        is_judged = self.verdict in {ChangeVerdict.BEYOND, ChangeVerdict.WITHIN}
        numbers = (self.earlier, self.later, self.difference, self.limit)
        if is_judged and None in numbers:
            msg = "beyond and within need both numbers, their difference and a limit"
            raise ValueError(msg)
        return self


class Change(Record):
    """What changed since an earlier examination of the same patient.

    Parameters
    ----------
    earlier_case
        Name of the earlier case; ``None`` where it was read from a structured report.
    earlier_date, later_date
        ``YYYY-MM-DD``, as far as known.
    days
        Between the two dates.
    scanner
        Whether the model was the same; ``unknown`` is judged as another one.
    limit_from
        Whose least significant change it is, and what it was measured on.
    notes
        What holds of the comparison as a whole.
    """

    earlier_case: str | None
    earlier_date: str | None
    later_date: str | None
    days: int | None
    scanner: Literal["same", "other", "unknown"]
    limit_from: str
    notes: tuple[str, ...] = ()
    rows: tuple[RegionChange, ...]

    def row(
        self,
        level: Level | None,
        region: Region,
        protocol: str,
        quantity: Quantity = Quantity.MEAN_HU,
    ) -> RegionChange | None:
        """One comparison, or ``None`` where it was not made."""
        wanted = (level, region, protocol, quantity)
        found = (r for r in self.rows if (r.level, r.region, r.protocol, r.quantity) == wanted)
        return next(found, None)
