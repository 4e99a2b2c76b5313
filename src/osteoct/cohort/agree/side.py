"""One side of a comparison: CTs with their numbers, wherever they came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

UNITS: Final = {"hu": "HU", "cm3": "cm³", "mm": "mm", "mg_cm3": "mg/cm³"}
"""Ends of names of columns, and the unit each stands for."""

UNIT_WORDS: Final = {"HU": "HU", "cm³": "volume (cm³)", "mm": "(mm)", "mg/cm³": "mg/cm³"}

_COLUMN = re.compile(
    r"(?P<region>[a-z][a-z0-9_]*?)_(?P<unit>mg_cm3|hu|cm3|mm)(?:_(?P<level>l[1-5]))?"
)

MEAN: Final = "mean"


@dataclass(frozen=True, kw_only=True, order=True)
class Quantity:
    """A number that both sides may have: region, level (``mean`` of L1–L5, or one) and unit."""

    region: str
    unit: str
    level: str = MEAN

    @property
    def words(self) -> str:
        """As printed.

        >>> Quantity(region="trabecular", unit="HU").words
        'Trabecular HU, mean of L1–L5'
        """
        place = "mean of L1–L5" if self.level == MEAN else self.level
        return f"{self.region.replace('_', ' ').capitalize()} {UNIT_WORDS[self.unit]}, {place}"


def find_quantity(column: str) -> Quantity | None:
    """The quantity that a column's name tells, or ``None``.

    >>> find_quantity("cortical_hu_l5")
    Quantity(region='cortical', unit='HU', level='L5')
    >>> find_quantity("days_between") is None
    True
    """
    found = _COLUMN.fullmatch(column.strip().lower())
    if found is None:
        return None
    level = found["level"]
    return Quantity(
        region=found["region"], unit=UNITS[found["unit"]], level=level.upper() if level else MEAN
    )


class Unpaired(StrEnum):
    """Why a CT is compared with none, beside the reasons for which a result is not read."""

    NO_PARTNER = "no-partner"
    NO_PATIENT = "no-patient"
    NO_VALUE = "no-value"
    DATE_UNKNOWN = "date-unknown"
    OUTSIDE_WINDOW = "outside-window"
    OTHER_CONDITIONS = "other-conditions"
    OTHER_SCAN_NEARER = "other-scan-nearer"


UNPAIRED_WORDS: Final = {
    Unpaired.NO_PARTNER: "nothing to compare it with",
    Unpaired.NO_PATIENT: "the patient is not known",
    Unpaired.NO_VALUE: "nothing measured",
    Unpaired.DATE_UNKNOWN: "day of the CT not known",
    Unpaired.OUTSIDE_WINDOW: "too many days from the first CT",
    Unpaired.OTHER_CONDITIONS: "other tube voltage or contrast phase",
    Unpaired.OTHER_SCAN_NEARER: "another CT of the patient was taken",
}


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One CT of one side.

    Parameters
    ----------
    shown
        How it is called in what is written; empty for a name that may be a hospital number.
    row
        Row of the table it came from.
    day
        A day count: differences within a side, or between two sides of results, are days.
    """

    case: str | None = None
    patient: str | None = None
    shown: str = ""
    row: int | None = None
    day: int | None = None
    kvp: float | None = None
    phase: str | None = None
    values: Mapping[Quantity, float]


@dataclass(frozen=True, kw_only=True)
class Left:
    """A CT that is not compared, and why: a value of ``Unpaired``, or of reading the results."""

    side: int
    shown: str
    row: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Side:
    """All CTs of one side, and those that could not be used."""

    scans: tuple[Scan, ...]
    left: tuple[Left, ...]
    protocol: str | None
    is_synthetic: bool
    sha256: str


def leave(side: int, scan: Scan, reason: str) -> Left:
    """Note that a CT is not compared."""
    return Left(side=side, shown=scan.shown, row=scan.row, reason=reason)


def list_quantities(scans: Iterable[Scan]) -> list[Quantity]:
    """Quantities that any of the CTs has: HU first, regions as they come, the mean first."""
    known = dict.fromkeys(q for s in scans for q in s.values)
    regions = list(dict.fromkeys(q.region for q in known))
    units = list(UNITS.values())
    return sorted(
        known,
        key=lambda q: (units.index(q.unit), regions.index(q.region), q.level != MEAN, q.level),
    )
