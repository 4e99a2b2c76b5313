"""A second opinion on the contrast phase, or the finding that says why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from osteoct.errors import DependencyError, SegmentationError
from osteoct.records import Finding, PhaseOpinion, Severity
from osteoct.segment.totalsegmentator.phase import ask_phase
from osteoct.volume import CTVolume, LabelVolume

Ask = Callable[[CTVolume, LabelVolume], PhaseOpinion]

OPINIONS: Final[Mapping[str, Ask]] = MappingProxyType({"totalsegmentator": ask_phase})
"""Who can be asked."""


def seek_opinion(
    name: str, ct: CTVolume, organs: LabelVolume | None
) -> tuple[PhaseOpinion | None, Finding | None]:
    """Ask for an opinion; whatever stands in its way costs the opinion and nothing else.

    Parameters
    ----------
    organs
        Labels of organs by name; ``None`` where nobody made any.
    """
    if organs is None:
        return None, _missing(name, "no labels of organs were given or made")
    try:
        return OPINIONS[name](ct, organs), None
    except (DependencyError, SegmentationError) as error:
        return None, _missing(name, error.line)


def _missing(name: str, why: str) -> Finding:
    """An opinion that was asked for and is not there."""
    return Finding(
        code="phase-opinion-missing",
        severity=Severity.WARNING,
        message=f"There is no second opinion on the contrast phase: {why}",
        evidence={"asked": name},
    )
