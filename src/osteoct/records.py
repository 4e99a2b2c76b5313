"""Records: what goes from one step to the next and into ``case.json``.

Records are frozen, keyword-only and validated; a number that could not be measured is ``None`` with
a :class:`Reason`, never 0. Field names end in their unit.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from osteoct.agreement_records import (
    Agreement,
    LevelAgreement,
    OneSided,
    RegionAgreement,
    SegmenterRecord,
)
from osteoct.anatomy import Level
from osteoct.change_records import Change, ChangeVerdict, Quantity, RegionChange
from osteoct.numbering_records import Anchor, AnchorKind, LevelName, Numbering
from osteoct.phase_records import Phase, PhaseOpinion
from osteoct.protocols import Region
from osteoct.record import Reason, Record
from osteoct.repair_records import HuChange, MasksUsed, Repair, RepairRule
from osteoct.shape_records import Deformity, Heights, HeightSource, Morphometry
from osteoct.usability_records import Effect, PolicyRecord, Usability

__all__ = [
    "Agreement",
    "Anchor",
    "AnchorKind",
    "Change",
    "ChangeVerdict",
    "Deformity",
    "Effect",
    "HeightSource",
    "Heights",
    "HuChange",
    "LevelAgreement",
    "LevelName",
    "MasksUsed",
    "Morphometry",
    "Numbering",
    "OneSided",
    "Phase",
    "PhaseOpinion",
    "PolicyRecord",
    "Quantity",
    "Reason",
    "Record",
    "RegionAgreement",
    "RegionChange",
    "Repair",
    "RepairRule",
    "SegmenterRecord",
    "Usability",
]
"""Names that are told in other modules and belong to the records."""


class Acquisition(Record):
    """What the header tells about a scan; what it does not tell is ``None``.

    Holds no identifier: no name, number, birth date or UID.
    """

    modality: str | None = None
    kvp: float | None = None
    kernel: tuple[str, ...] = ()
    kernel_class: Literal["soft", "medium", "sharp"] | None = None
    """How sharp the kernel is by its maker's naming; ``None`` where the name is not known."""
    slice_thickness_mm: float | None = None
    tube_current_ma: float | None = None
    gantry_tilt_deg: float | None = None
    patient_position: str | None = None
    """DICOM's term, such as ``HFS`` (head first, supine): how the patient entered the scanner."""
    phase: Phase | None = None
    phase_evidence: str | None = None
    """Which tag or statement gave the phase, such as ``ContrastBolusAgent present``."""
    phase_pixels: Phase | None = None
    """What the HU of vessels and kidneys say, beside ``phase`` and never in its place."""
    phase_opinion: PhaseOpinion | None = None
    """What another program says, where it was asked; likewise."""
    contrast_agent: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    image_type: tuple[str, ...] = ()
    study_date: str | None = None
    patient_age_years: float | None = None
    patient_sex: Literal["F", "M", "O"] | None = None
    stated: tuple[str, ...] = ()
    """Names of the fields above that the user stated instead of the header."""


class Severity(StrEnum):
    """How far a finding reaches."""

    INFO = "info"
    WARNING = "warning"
    BLOCKING = "blocking"
    """No conclusion may rest on the level (or, without a level, on the case)."""


class Finding(Record):
    """Something that limits how far a number can be trusted; never a diagnosis.

    Parameters
    ----------
    certainty
        How sure the finding itself is, 0 … 1; ``None`` where it is a plain fact.
    place_mm
        Where to look: a point in patient space (RAS+); reports draw a picture around it. ``None``
        where there is no such place.
    effect
        What the policy lets it do; ``None`` before it was asked.
    """

    code: str
    severity: Severity
    message: str
    level: Level | None = None
    certainty: float | None = Field(default=None, ge=0, le=1)
    place_mm: tuple[float, float, float] | None = None
    evidence: dict[str, float | int | str | None] = {}
    effect: Effect | None = None


class HuStatistics(Record):
    """Distribution of HU over the voxels of a region; all values in HU.

    ``sd_hu`` is the population standard deviation; percentiles are linear between order statistics.
    """

    mean_hu: float
    median_hu: float
    sd_hu: float
    p05_hu: float
    p25_hu: float
    p75_hu: float
    p95_hu: float


class RegionMeasure(Record):
    """Volume and HU of one region of one level under one protocol.

    ``voxels`` counts the voxels that ``hu`` was taken from; ``excluded_voxels`` those of the region
    left out as metal, streak margin or padding. Either everything is there, or ``reason`` is.
    """

    protocol: str
    region: Region
    volume_cm3: float | None = None
    voxels: int | None = None
    excluded_voxels: int = 0
    hu: HuStatistics | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> RegionMeasure:
        """Missing is never zero, and never without a reason."""
        present = [self.volume_cm3 is not None, self.voxels is not None, self.hu is not None]
        if any(present) != all(present) or all(present) == (self.reason is not None):
            msg = "a region has volume, voxels and HU, or a reason why not"
            raise ValueError(msg)
        if self.voxels == 0:
            msg = "a region without voxels is absent, not zero"
            raise ValueError(msg)
        return self


class BodySource(StrEnum):
    """Where the vertebral body came from."""

    MASK = "mask"
    """A body mask, cut to the level's vertebra."""
    GEOMETRY = "geometry"
    """The vertebra mask in front of the spinal canal."""


class LevelResult(Record):
    """Everything measured at one level."""

    level: Level
    vertebra_voxels: int = 0
    """Voxels of the level's vertebra mask, counted before anything is left out."""
    usable: bool
    """Whether the level counts in summaries: measured, and left in by the policy."""
    usability: Usability | None = None
    usability_codes: tuple[str, ...] = ()
    """Codes of the findings that made it less than usable."""
    body_source: BodySource | None = None
    body_certainty: float | None = None
    """0 … 1, how sure the body is; 1 for a mask that covers the body."""
    tilt_deg: float | None = None
    """Angle between the vertebra's own axis and the scan's head–feet axis."""
    regions: tuple[RegionMeasure, ...] = ()
    heights: Heights = Heights(reason=Reason.LEVEL_ABSENT)
    morphometry: Morphometry = Morphometry()
    numbering_certainty: float | None = Field(default=None, ge=0, le=1)
    """How sure the level's name is; ``None`` where the level is not there."""
    numbering_reason: str | None = None
    """What the name was counted from, and what it was counted over."""
    masks_used: MasksUsed = MasksUsed.ORIGINAL
    """Which masks the level's numbers come from."""

    def region(self, protocol: str, region: Region) -> RegionMeasure | None:
        """The measure of one region under one protocol, or ``None`` if it was not asked for."""
        return next(
            (r for r in self.regions if r.protocol == protocol and r.region == region), None
        )


class Summary(Record):
    """Unweighted mean over usable levels of one region under one protocol."""

    protocol: str
    region: Region
    statistic: Literal["mean", "median"]
    value_hu: float | None
    levels_used: tuple[Level, ...]
    levels_asked: tuple[Level, ...]
    numbering_certainty: float | None = Field(default=None, ge=0, le=1)
    """How sure it is that the levels are those they are named after: that of the least sure."""
    levels_less_sure: tuple[Level, ...] = ()
    """Levels among ``levels_used`` with that certainty, where others are surer."""


class Verdict(StrEnum):
    """What a rule says of a case; never a diagnosis."""

    BELOW = "below"
    ABOVE = "above"
    NOT_APPLICABLE = "not-applicable"
    INDETERMINATE = "indeterminate"


class Opinion(Record):
    """What one published cut-off says; the reason is given for every verdict."""

    rule: str
    verdict: Verdict
    reason: str
    value_hu: float | None = None
    cutoff: float
    unit: Literal["HU", "mg/cm3"] = "HU"
    """Unit of ``cutoff``."""
    levels_used: tuple[Level, ...] = ()


class GridRecord(Record):
    """The grid the numbers were taken on."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    axis_codes: str


class InputRecord(Record):
    """One input by content, never by name or path."""

    role: Literal["ct", "masks", "body-masks", "tissues", "config"]
    kind: str
    """Such as ``DICOM series, 600 slices`` or ``NIfTI``."""
    sha256: str


class Provenance(Record):
    """What made the numbers."""

    osteoct_version: str
    python_version: str
    packages: dict[str, str] = {}
    inputs: tuple[InputRecord, ...] = ()
    started_utc: str
    seconds: dict[str, float] = {}
    segmenter: SegmenterRecord | None = None
    """What made the masks; ``None`` where the user brought them."""


class CaseResult(Record):
    """The whole result of one case, as written to ``case.json``."""

    schema_id: Literal["osteoct.case/1"] = Field(default="osteoct.case/1", alias="schema")
    case_id: str
    patient_pseudonym: str | None = None
    """Keyed pseudonym of the patient, equal over the patient's scans; ``None`` without an id."""
    acquisition: Acquisition
    grid: GridRecord
    mask_grid: GridRecord
    protocols: tuple[str, ...]
    levels: tuple[LevelResult, ...]
    summaries: tuple[Summary, ...]
    findings: tuple[Finding, ...]
    opinions: tuple[Opinion, ...]
    agreement: Agreement | None = None
    """Comparison with a second segmentation; ``None`` where there was none."""
    numbering: Numbering | None = None
    """How sure the names of the levels are; ``None`` in results of before it was judged."""
    usability: Usability | None = None
    usability_codes: tuple[str, ...] = ()
    """Codes of the findings that made the case less than usable, the gravest first."""
    policy: PolicyRecord | None = None
    """What decided; ``None`` in results older than policies."""
    masks_used: MasksUsed = MasksUsed.ORIGINAL
    """Whether any mask was repaired before it was measured."""
    repairs: tuple[Repair, ...] = ()
    """What was changed in the masks, and by which rule."""
    change: Change | None = None
    """What changed since an earlier examination; ``None`` where none was given."""
    provenance: Provenance

    @property
    def is_measured(self) -> bool:
        """Whether any region of any level has a number."""
        return any(r.hu is not None for level in self.levels for r in level.regions)

    def level(self, level: Level) -> LevelResult | None:
        """The result of one level, or ``None`` if it was not asked for."""
        return next((r for r in self.levels if r.level == level), None)

    def summary(
        self, protocol: str, region: Region, statistic: Literal["mean", "median"] = "mean"
    ) -> Summary | None:
        """The summary of one statistic of one region under one protocol, or ``None``."""
        wanted = (protocol, region, statistic)
        return next(
            (s for s in self.summaries if (s.protocol, s.region, s.statistic) == wanted), None
        )
