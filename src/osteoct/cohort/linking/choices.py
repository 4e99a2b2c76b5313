"""What linking lets a user choose."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from osteoct.record import Record

RepeatRule = Literal["nearest", "first", "last", "all"]
"""Which CT of a patient counts. ``nearest``: the one with the fewest days to a DXA. ``first`` and
``last``: by day, among those with a DXA in the window. ``all``: one row for each CT."""


class LinkChoices(Record):
    """Choices that decide who is in the cohort.

    Ties are broken so: fewer days; then the DXA before the CT; then the earlier CT; then the lower
    case id; then the upper row of the DXA table.

    Parameters
    ----------
    window_days
        Days between CT and DXA, either way, at most.
    min_levels
        Of L1–L5 that must be usable. A mean over fewer levels is another quantity than the mean of
        L1–L5, so all five by default.
    keep_blocked
        Keep cases with a finding that forbids conclusions (column ``has_blocking``), to see what
        they would change.
    keep_dates
        Write days of examinations: only with consent to keep them.
    allow_undated
        Link by case id where the day of the CT is not known; ``days_between`` is then empty.
    definition, site
        How a T-score sorts a patient: see the statistics.
    """

    protocol: str = "vertebra-core-3.5"
    window_days: Annotated[int, Field(ge=0)] = 365
    repeats: RepeatRule = "nearest"
    min_levels: Annotated[int, Field(ge=1, le=5)] = 5
    keep_blocked: bool = False
    keep_dates: bool = False
    allow_undated: bool = False
    definition: Literal["who", "study"] = "who"
    site: Literal["lowest", "lumbar", "femoral_neck", "total_hip"] = "lowest"
