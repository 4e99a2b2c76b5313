"""Which findings get a picture at their place, and what stands below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.policy.judging import effect_of
from osteoct.records import CaseResult, Effect, Finding
from osteoct.report.figures.place import draw_place
from osteoct.volume import CTVolume


@dataclass(frozen=True, kw_only=True)
class PlacePicture:
    """A finding with a place, and the drawing of it."""

    finding: Finding
    figure: Figure

    @property
    def name(self) -> str:
        """Level and code, such as ``L3 dense-focus``."""
        return " ".join((*([self.finding.level] if self.finding.level else []), self.finding.code))


def draw_places(
    result: CaseResult, ct: CTVolume, compartments: Sequence[LevelCompartments], *, most: int
) -> tuple[PlacePicture, ...]:
    """Draw the places of findings that do something, the gravest and surest first."""
    return tuple(
        PlacePicture(finding=finding, figure=draw_place(ct, compartments, finding.place_mm))
        for finding in choose_findings(result)[:most]
        if finding.place_mm is not None
    )


def choose_findings(result: CaseResult) -> list[Finding]:
    """Findings that have a place and do more than nothing, the gravest per level and code."""
    placed = [
        finding
        for finding in sorted(result.findings, key=gravity, reverse=True)
        if finding.place_mm is not None and effect_of(finding) is not Effect.IGNORE
    ]
    gravest: dict[tuple[Level | None, str], Finding] = {}
    for finding in placed:
        gravest.setdefault((finding.level, finding.code), finding)
    return list(gravest.values())


def gravity(finding: Finding) -> tuple[int, float]:
    """What a finding does, and how sure it is; a plain fact is sure."""
    return effect_of(finding).order, 1.0 if finding.certainty is None else finding.certainty
