"""One DXA examination, and the limits outside of which a cell is a mistake."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from osteoct.record import Record

T_LIMIT: Final = 10.0
"""A bone without mineral lies near T = −8; beyond ±10 a decimal sign is missing (−25 for −2.5)."""

ABMD_LIMITS: Final = (0.1, 3.0)
"""g/cm². Values of hundreds are mg/cm²."""

BMI_LIMITS: Final = (8.0, 100.0)
"""Outside no living adult is described; 3 and 280 are slips of a decimal sign."""

AGE_LIMITS: Final = (0.0, 125.0)
HEIGHT_LIMITS_CM: Final = (80.0, 250.0)
WEIGHT_LIMITS_KG: Final = (15.0, 400.0)

EARLIEST: Final = date(1970, 1, 1)
"""Older than any CT: a typing mistake, or a spreadsheet's 1900."""

BMI_TOLERANCE: Final = 1.0
"""kg/m² between a table's BMI and weight/height²: more than rounding of all three."""

Score = Annotated[float, Field(ge=-T_LIMIT, le=T_LIMIT)] | None
Density = Annotated[float, Field(ge=ABMD_LIMITS[0], le=ABMD_LIMITS[1])] | None
Side = Literal["left", "right"]


class SiteMeasure(Record):
    """What DXA says of one site; ``side`` where the table tells it."""

    site: str
    side: Side | None = None
    t: Score = None
    z: Score = None
    abmd: Density = None
    """g/cm²"""


class Person(Record):
    """Whom a row is about, as far as the row tells."""

    age: Annotated[float, Field(ge=AGE_LIMITS[0], le=AGE_LIMITS[1])] | None = None
    sex: Literal["F", "M"] | None = None
    height_cm: Annotated[float, Field(ge=HEIGHT_LIMITS_CM[0], le=HEIGHT_LIMITS_CM[1])] | None = None
    weight_kg: Annotated[float, Field(ge=WEIGHT_LIMITS_KG[0], le=WEIGHT_LIMITS_KG[1])] | None = None
    bmi: Annotated[float, Field(ge=BMI_LIMITS[0], le=BMI_LIMITS[1])] | None = None


class DxaScan(Record):
    """One examination of one patient on one day.

    Parameters
    ----------
    row
        Row of the sheet (the first, where sites have rows of their own).
    patient
        The patient column as it stands; never written out, never shown.
    ct_date
        Day of the CT, where the table tells it: for CTs whose files do not.
    """

    row: int
    patient: str = Field(repr=False)
    dxa_date: date
    ct_date: date | None = None
    person: Person = Person()
    measures: tuple[SiteMeasure, ...] = ()

    def t_score(self, site: str) -> float | None:
        """T-score of a site; of two sides the lower one, as DXA reports take it.

        A lumbar T-score is never made from those of single levels: T-scores do not average.
        """
        known = [m.t for m in self.measures if m.site == site and m.t is not None]
        return min(known, default=None)


class Problem(Record):
    """What is wrong with one cell or column; ``row`` as in the sheet."""

    row: int | None = None
    column: str | None = None
    what: str

    @property
    def line(self) -> str:
        """As shown: ``row 7, column 'T neck': …``."""
        place = ", ".join(
            part
            for part in (
                None if self.row is None else f"row {self.row}",
                None if self.column is None else f"column {self.column!r}",
            )
            if part
        )
        return f"{place}: {self.what}" if place else self.what
