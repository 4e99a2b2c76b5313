"""What a comparison of methods or repeats lets a user choose."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from osteoct.cohort.report.choices import LEAST_CELL
from osteoct.record import Record

WINDOW_DAYS = 30
"""Days within which bone is taken to be the same: HU at L1 falls by 2.5 a year (Jang 2019,
10.1148/radiol.2019181648), so by 0.2 in a month."""


class AgreeChoices(Record):
    """Choices that decide what is compared with what.

    Parameters
    ----------
    by
        What two CTs are paired by; ``auto``: the case where both sides share one, else the patient.
    window_days
        Days between two CTs of a patient, at most.
    across_conditions
        Take CTs of another tube voltage or contrast phase as repeats as well: their difference is
        then no scatter of one method.
    allow_undated
        Take CTs of a patient as repeats though their days are not known.
    protocols
        How the HU of the first and second side were measured; ``None``: the only one of a side, or
        the study's.
    labels
        How the two sides are called in figures and tables.
    """

    by: Literal["auto", "case", "patient"] = "auto"
    window_days: Annotated[int, Field(ge=0)] = WINDOW_DAYS
    across_conditions: bool = False
    allow_undated: bool = False
    keep_blocked: bool = False
    protocols: tuple[str | None, str | None] = (None, None)
    labels: tuple[str, str] = ("first", "second")
    allow_small_cells: bool = False
    png: bool = True
    pdf: bool = True
    excel: bool = True

    @property
    def least(self) -> int:
        """Fewest pairs that are printed."""
        return 1 if self.allow_small_cells else LEAST_CELL
