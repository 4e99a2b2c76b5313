"""Records of the contrast phase; part of :mod:`osteoct.records`."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from osteoct.record import Record


class Phase(StrEnum):
    """Contrast phase; unknown is not native."""

    NATIVE = "native"
    ARTERIAL = "arterial"
    PORTAL_VENOUS = "portal-venous"
    DELAYED = "delayed"
    CONTRAST = "contrast"
    """Contrast was given, the phase is not told."""


class PhaseOpinion(Record):
    """What another program says of the contrast phase, by the HU of organs.

    Parameters
    ----------
    made_by
        Name of the program.
    packages
        Versions of what said it.
    phase
        Its answer in our words; ``named`` in its own.
    probability
        As the program states it, 0 … 1; TotalSegmentator's is a table over the time, no frequency.
    seconds_after_injection
        Its estimate; below 10 it calls a scan native. ``earliest_s`` and ``latest_s`` are the
        least and most that its models say.
    organs_hu
        Median HU of the organs that it was told; what is not in the image is not among them.
    """

    made_by: str
    packages: dict[str, str] = Field(default_factory=dict)
    phase: Phase
    named: str
    probability: float = Field(ge=0, le=1)
    seconds_after_injection: float | None = None
    earliest_s: float | None = None
    latest_s: float | None = None
    organs_hu: dict[str, float] = Field(default_factory=dict)
