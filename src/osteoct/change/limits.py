"""Published least significant changes, read from ``limits.toml`` and validated."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from math import hypot
from tomllib import loads
from typing import Annotated, Final

from pydantic import Field

from osteoct.record import Record

LIMITS_FILE: Final = "limits.toml"

Percent = Annotated[float, Field(gt=0, lt=100)]


class Repeatability(Record):
    """How far repeated measurements differ for one cause.

    Parameters
    ----------
    rmscv_percent
        Root-mean-square coefficient of variation, as published.
    lsc_percent
        Least significant change at 95 %: 2.77 times it (1.96·√2, derived).
    """

    rmscv_percent: Percent
    lsc_percent: Percent


class Limits(Record):
    """Least significant changes of trabecular density by cause, and where they come from.

    ``phase`` was measured after a correction for the phase that is not made here; it is listed, and
    never applied.
    """

    citation: str
    doi: str
    measured_on: str
    session: Repeatability
    scanner: Repeatability
    kernel: Repeatability
    phase: Repeatability

    @property
    def source(self) -> str:
        """Whose they are, in one line."""
        return f"{self.citation}, doi:{self.doi}; {self.measured_on}"

    def lsc_percent(self, *, is_same_scanner: bool, is_same_kernel: bool) -> float:
        """The limit for two examinations; unlike kernels add to it as an independent cause does.

        >>> limits = load_limits()
        >>> limits.lsc_percent(is_same_scanner=True, is_same_kernel=True)
        13.0
        >>> round(limits.lsc_percent(is_same_scanner=False, is_same_kernel=False), 2)
        14.07
        """
        own = (self.session if is_same_scanner else self.scanner).lsc_percent
        return own if is_same_kernel else hypot(own, self.kernel.lsc_percent)


@cache
def load_limits() -> Limits:
    """The published limits."""
    text = files("osteoct.change").joinpath(LIMITS_FILE).read_text(encoding="utf-8")
    return Limits.model_validate(loads(text))
