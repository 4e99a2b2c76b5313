"""Where the images of a case lie, and its masks: given, or made by a segmenter."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from osteoct.anatomy import Part
from osteoct.config import AnalysisConfig
from osteoct.errors import ConfigError, SegmentationError
from osteoct.io.labels import read_labels
from osteoct.io.tissues import read_tissues
from osteoct.pipeline import SecondMasks
from osteoct.records import Finding, PhaseOpinion, SegmenterRecord, Severity
from osteoct.segment.interface import Segmenter, SegmentOptions
from osteoct.segment.phase_opinion import seek_opinion
from osteoct.segment.registry import DEFAULT, make_segmenter
from osteoct.volume import CTVolume, LabelVolume

WITHOUT_SEGMENTER = "masks"
"""What masks are called that the user brought."""

Role: TypeAlias = Literal["ct", "masks", "body-masks", "tissues"]
"""What a file is to an analysis."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where a case's images lie; without ``masks`` a segmenter makes them."""

    ct: Path
    masks: Path | None = None
    body_masks: Path | None = None
    tissues: Path | None = None

    def __post_init__(self) -> None:
        if self.masks is None and self.body_masks is not None:
            raise ConfigError(
                "masks of bodies need masks of vertebrae", where="--body-masks", wanted="--masks"
            )

    @property
    def by_role(self) -> dict[Role, Path]:
        """The paths that were given, by role."""
        paths: dict[Role, Path | None] = {
            "ct": self.ct,
            "masks": self.masks,
            "body-masks": self.body_masks,
            "tissues": self.tissues,
        }
        return {role: path for role, path in paths.items() if path is not None}


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseMasks:
    """The masks of a case, what made them (``None`` for the user) and how long it took."""

    vertebrae: LabelVolume
    bodies: LabelVolume | None
    tissues: LabelVolume | None
    segmenter: SegmenterRecord | None = None
    seconds: float


def default_segmenter(config: AnalysisConfig) -> Segmenter:
    """What makes masks where nobody says what else."""
    options = SegmentOptions(
        with_tissues=config.with_tissues, with_phase_organs=config.phase_opinion is not None
    )
    return make_segmenter(DEFAULT, options)


def get_masks(
    sources: Sources, ct: CTVolume, config: AnalysisConfig, segmenter: Segmenter | None
) -> CaseMasks:
    """Read the masks that were given, or have them made."""
    clock = time.perf_counter()
    tissues = None if sources.tissues is None else read_tissues(sources.tissues)
    if sources.masks is None:
        made = (segmenter or default_segmenter(config)).segment(ct)
        return CaseMasks(
            vertebrae=made.vertebrae,
            bodies=made.bodies,
            tissues=tissues or made.tissues,
            segmenter=made.provenance,
            seconds=time.perf_counter() - clock,
        )
    vertebrae = read_labels(sources.masks, scheme=config.labels, part=Part.VERTEBRA)
    bodies = None
    if sources.body_masks is not None:
        bodies = read_labels(sources.body_masks, scheme=config.body_labels, part=Part.BODY)
    return CaseMasks(
        vertebrae=vertebrae, bodies=bodies, tissues=tissues, seconds=time.perf_counter() - clock
    )


def get_second(
    masks: CaseMasks, ct: CTVolume, second: Segmenter | None
) -> tuple[CaseMasks, SecondMasks | None]:
    """Have a second segmenter make its masks; where it finds none, the first carry a finding."""
    if second is None:
        return masks, None
    first = WITHOUT_SEGMENTER if masks.segmenter is None else masks.segmenter.name
    try:
        made = second.segment(ct)
    except SegmentationError as error:
        return _with_finding(masks, _second_missing(second.name, error)), None
    return masks, SecondMasks(
        first=first, vertebrae=made.vertebrae, bodies=made.bodies, made_by=made.provenance
    )


def get_phase_opinion(
    masks: CaseMasks, ct: CTVolume, config: AnalysisConfig
) -> tuple[CaseMasks, PhaseOpinion | None, dict[str, float]]:
    """Ask for a second opinion on the phase, where wanted; the time it took.

    Where there is none, the masks carry a finding. Organs that have no labels of their own may lie
    beside the vertebrae.
    """
    if config.phase_opinion is None:
        return masks, None, {}
    clock = time.perf_counter()
    organs = masks.vertebrae if masks.tissues is None else masks.tissues
    opinion, finding = seek_opinion(config.phase_opinion, ct, organs)
    seconds = {"phase": time.perf_counter() - clock}
    return masks if finding is None else _with_finding(masks, finding), opinion, seconds


def _with_finding(masks: CaseMasks, finding: Finding) -> CaseMasks:
    """The same masks with a finding more."""
    findings = (*masks.vertebrae.findings, finding)
    return replace(masks, vertebrae=replace(masks.vertebrae, findings=findings))


def _second_missing(name: str, error: SegmentationError) -> Finding:
    """A comparison that was asked for and could not be made."""
    return Finding(
        code="second-segmenter-failed",
        severity=Severity.WARNING,
        message=f"There is no comparison with {name}: {error.line}",
        evidence={"segmenter": name},
    )
