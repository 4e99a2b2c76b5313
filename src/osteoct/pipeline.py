"""From a CT and its masks to a result: composition only, no files."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import osteoct
from osteoct.classify.opinions import form_opinions
from osteoct.compartments.anchors import choose_landmarks, look_for_anchors
from osteoct.compartments.case import build_compartments
from osteoct.compartments.level import LevelCompartments
from osteoct.config import AnalysisConfig
from osteoct.geometry import Geometry
from osteoct.io.alignment import align_labels, check_meeting
from osteoct.measure.level import absent_level, measure_level
from osteoct.measure.morphometry import measure_morphometry
from osteoct.measure.repairs import divide_original, mark_levels, note_changes
from osteoct.measure.summary import summarise
from osteoct.measure.tissues import TissueHus, measure_tissues
from osteoct.policy.judging import make_policy
from osteoct.protocols import Protocol, protocol
from osteoct.quality.acquisition import check_acquisition
from osteoct.quality.agreement import Reading, compare_readings
from osteoct.quality.artefacts import check_artefacts
from osteoct.quality.disagreement import check_agreement
from osteoct.quality.fracture import check_heights
from osteoct.quality.gate import Judgement, judge_case
from osteoct.quality.masks import check_masks
from osteoct.quality.name_certainty import find_mixed_up
from osteoct.quality.numbering import judge_numbering, note_numbering
from osteoct.quality.phase import judge_phase, note_phase
from osteoct.quality.phase_opinion import check_phase_opinion
from osteoct.quality.pixels import check_bone, check_pixels
from osteoct.quality.segmentation import check_segmentation
from osteoct.records import (
    Acquisition,
    Agreement,
    CaseResult,
    Finding,
    LevelResult,
    MasksUsed,
    Opinion,
    PhaseOpinion,
    Provenance,
    SegmenterRecord,
    Summary,
)
from osteoct.tidy.case import Tidied, tidy_masks
from osteoct.tidy.moving import Masks
from osteoct.volume import CTVolume, LabelVolume, describe_grid

CANONICAL = "RAS"
"""Array orientation in which everything is measured; results do not depend on it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SecondMasks:
    """Masks of another segmenter, to compare with; no number of the result comes from them.

    Parameters
    ----------
    first
        Name of what made the masks that count.
    vertebrae, bodies
        As those of the case.
    made_by
        What made these.
    """

    first: str
    vertebrae: LabelVolume
    bodies: LabelVolume | None = None
    made_by: SegmenterRecord


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseAnalysis:
    """A result and the arrays behind it, all on one grid in canonical orientation.

    Parameters
    ----------
    second
        Compartments of the second masks; empty where there are none.
    original, repaired
        Masks as they came (on their own grid) and as they were measured, where some were repaired.
    before
        Compartments of the repaired levels in the masks as they came.
    """

    result: CaseResult
    ct: CTVolume
    compartments: tuple[LevelCompartments, ...]
    second: tuple[LevelCompartments, ...] = ()
    original: Masks | None = None
    repaired: Masks | None = None
    before: tuple[LevelCompartments, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """What the image and the first masks show, before anything is judged.

    Parameters
    ----------
    ct
        In canonical orientation, as all that follows from it.
    as_given, original
        The CT's grid and the masks as they came.
    before
        Compartments of the repaired levels before repair.
    """

    ct: CTVolume
    as_given: Geometry
    original: Masks
    acquisition: Acquisition
    inside: TissueHus
    protocols: tuple[Protocol, ...]
    tidied: Tidied
    before: tuple[LevelCompartments, ...]
    reading: Reading


def analyze_volumes(
    ct: CTVolume,
    vertebrae: LabelVolume,
    *,
    bodies: LabelVolume | None = None,
    tissues: LabelVolume | None = None,
    second: SecondMasks | None = None,
    phase_opinion: PhaseOpinion | None = None,
    config: AnalysisConfig | None = None,
    case_id: str = "case",
    patient_pseudonym: str | None = None,
) -> CaseAnalysis:
    """Measure, doubt and classify one case in memory.

    Parameters
    ----------
    ct
        The image, in any orientation.
    vertebrae, bodies
        Masks in the CT's patient space, in any orientation, on the CT's grid or another one.
    tissues
        Vessels, organs and muscles by name, likewise; without them those that ``vertebrae`` holds.
    second
        Masks of another segmenter; where the two disagree, a finding says so.
    phase_opinion
        What another program says of the contrast phase, likewise.

    Raises
    ------
    GeometryError
        CT and masks do not meet in patient space.
    """
    config = config or AnalysisConfig()
    started, clock = datetime.now(UTC), time.perf_counter()
    ct = _note_opinion(ct, phase_opinion)
    seen = _look(ct, Masks(vertebrae=vertebrae, bodies=bodies), tissues, config)
    agreement, other = _compare(seen.ct, seen.reading, second, config, seen.protocols)
    numbering, names = judge_numbering(
        look_for_anchors(seen.reading.vertebrae, choose_landmarks(vertebrae, tissues)),
        find_mixed_up(seen.tidied.findings),
    )
    findings = _find(seen, config, names, agreement)
    policy = make_policy(config.policy)
    named = note_numbering(numbering, mark_levels(seen.reading.levels, seen.tidied.levels))
    judged = judge_case(named, findings, policy)
    summaries = summarise(judged.levels, seen.protocols)
    result = CaseResult(
        case_id=case_id,
        patient_pseudonym=patient_pseudonym,
        acquisition=seen.acquisition,
        grid=describe_grid(ct.geometry),
        mask_grid=describe_grid(vertebrae.geometry),
        protocols=config.protocols,
        levels=judged.levels,
        summaries=summaries,
        findings=judged.findings,
        opinions=_opine(judged, summaries, seen.acquisition),
        agreement=agreement,
        usability=judged.usability,
        usability_codes=judged.codes,
        policy=policy.record(),
        numbering=numbering,
        masks_used=MasksUsed.REPAIRED if seen.tidied.is_repaired else MasksUsed.ORIGINAL,
        repairs=note_changes(seen.ct, seen.before, seen.reading.compartments, seen.tidied.repairs),
        provenance=_note_provenance(started, time.perf_counter() - clock),
    )
    return _keep(result, seen, other)


def _note_opinion(ct: CTVolume, opinion: PhaseOpinion | None) -> CTVolume:
    """The CT with what another program says of its phase."""
    acquisition = ct.acquisition.model_copy(update={"phase_opinion": opinion})
    return replace(ct, acquisition=acquisition)


def _look(
    ct: CTVolume, original: Masks, tissues: LabelVolume | None, config: AnalysisConfig
) -> _Seen:
    """Bring all volumes together, repair the masks, divide and measure."""
    protocols = tuple(protocol(p) for p in config.protocols)
    inside = _look_inside(ct, tissues, original.vertebrae)
    acquisition = note_phase(state_facts(ct.acquisition, config), judge_phase(inside))
    canonical, masks, body_masks = _meet(ct, original.vertebrae, original.bodies)
    tidied = tidy_masks(canonical, masks, body_masks, repair=config.repair)
    return _Seen(
        ct=canonical,
        as_given=ct.geometry,
        original=original,
        acquisition=acquisition,
        inside=inside,
        protocols=protocols,
        tidied=tidied,
        before=divide_original(canonical, masks, body_masks, tidied.levels),
        reading=_read(canonical, tidied.masks.vertebrae, tidied.masks.bodies, config, protocols),
    )


def _find(
    seen: _Seen,
    config: AnalysisConfig,
    names: tuple[Finding, ...],
    agreement: Agreement | None,
) -> tuple[Finding, ...]:
    """Every finding of a case; ``names`` are those about the levels' names."""
    ct, masks, acquisition = seen.ct, seen.tidied.masks, seen.acquisition
    compartments = seen.reading.compartments
    return (
        *_unique(ct, masks.vertebrae, masks.bodies),
        *seen.tidied.findings,
        *check_acquisition(acquisition, seen.as_given),
        *check_phase_opinion(acquisition),
        *check_pixels(ct, compartments, seen.inside, acquisition),
        *check_segmentation(config.levels, compartments),
        *check_masks(ct, masks.vertebrae, compartments),
        *names,
        *check_artefacts(ct, compartments),
        *check_bone(ct, compartments, acquisition),
        *check_heights(seen.reading.levels, compartments),
        *_check_agreement(agreement, seen.protocols),
    )


def _opine(
    judged: Judgement, summaries: tuple[Summary, ...], acquisition: Acquisition
) -> tuple[Opinion, ...]:
    """What published cut-offs say of the judged levels."""
    return form_opinions(
        levels=judged.levels,
        summaries=summaries,
        acquisition=acquisition,
        findings=judged.findings,
    )


def _keep(result: CaseResult, seen: _Seen, second: tuple[LevelCompartments, ...]) -> CaseAnalysis:
    """The result with its arrays; both masks where some were repaired."""
    is_repaired = seen.tidied.is_repaired
    return CaseAnalysis(
        result=result,
        ct=seen.ct,
        compartments=seen.reading.compartments,
        second=second,
        original=seen.original if is_repaired else None,
        repaired=seen.tidied.masks if is_repaired else None,
        before=seen.before,
    )


def state_facts(acquisition: Acquisition, config: AnalysisConfig) -> Acquisition:
    """Add what the user knows about the scan, and say that the user said it."""
    stated = {
        name: value
        for name, value in (("kvp", config.kvp), ("phase", config.phase))
        if value is not None
    }
    if not stated:
        return acquisition
    evidence = {"phase_evidence": "stated by the user"} if "phase" in stated else {}
    return acquisition.model_copy(update={**stated, **evidence, "stated": tuple(stated)})


def _meet(
    ct: CTVolume, vertebrae: LabelVolume, bodies: LabelVolume | None
) -> tuple[CTVolume, LabelVolume, LabelVolume | None]:
    """All volumes on the CT's grid, in canonical orientation."""
    masks = align_labels(vertebrae, ct.geometry).reoriented(CANONICAL)
    body_masks = None if bodies is None else align_labels(bodies, ct.geometry).reoriented(CANONICAL)
    return ct.reoriented(CANONICAL), masks, body_masks


def _look_inside(ct: CTVolume, tissues: LabelVolume | None, vertebrae: LabelVolume) -> TissueHus:
    """HU of the tissues of their own map or, without one, of those beside the vertebrae."""
    if tissues is None:
        return measure_tissues(ct, vertebrae)
    check_meeting(tissues.geometry, ct.geometry, where="tissues")
    return measure_tissues(ct, tissues)


def _read(
    ct: CTVolume,
    vertebrae: LabelVolume,
    bodies: LabelVolume | None,
    config: AnalysisConfig,
    protocols: tuple[Protocol, ...],
) -> Reading:
    """Divide and measure one segmentation."""
    compartments = build_compartments(
        ct, vertebrae, bodies, levels=config.levels, protocols=protocols
    )
    return Reading(
        vertebrae=vertebrae,
        compartments=compartments,
        levels=_measure_levels(ct, compartments, config, protocols),
    )


def _compare(
    ct: CTVolume,
    reading: Reading,
    second: SecondMasks | None,
    config: AnalysisConfig,
    protocols: tuple[Protocol, ...],
) -> tuple[Agreement | None, tuple[LevelCompartments, ...]]:
    """Measure a second segmentation in the same way and compare the two."""
    if second is None:
        return None, ()
    _, masks, body_masks = _meet(ct, second.vertebrae, second.bodies)
    other = _read(ct, masks, body_masks, config, protocols)
    agreement = Agreement(
        first=second.first,
        second=second.made_by.name,
        made_second=second.made_by,
        levels=compare_readings(reading, other),
    )
    return agreement, other.compartments


def _check_agreement(
    agreement: Agreement | None, protocols: tuple[Protocol, ...]
) -> tuple[Finding, ...]:
    """Findings about a second segmentation, where there is one."""
    if agreement is None:
        return ()
    return check_agreement(agreement.levels, protocols, second=agreement.second)


def _note_provenance(started: datetime, seconds: float) -> Provenance:
    """What ran and how long it took."""
    return Provenance(
        osteoct_version=osteoct.__version__,
        python_version=platform.python_version(),
        started_utc=started.isoformat(timespec="seconds"),
        seconds={"measure": round(seconds, 3)},
    )


def _measure_levels(
    ct: CTVolume,
    levels: tuple[LevelCompartments, ...],
    config: AnalysisConfig,
    protocols: tuple[Protocol, ...],
) -> tuple[LevelResult, ...]:
    """Measure the levels that are there, and say of the others that they are not."""
    present = {level.level: level for level in levels}
    measured = tuple(
        measure_level(ct, present[level], protocols)
        if level in present
        else absent_level(level, protocols)
        for level in config.levels
    )
    return measure_morphometry(measured)


def _unique(*volumes: CTVolume | LabelVolume | None) -> tuple[Finding, ...]:
    """What reading and aligning noticed, once: masks and body masks often share a finding."""
    found: list[Finding] = []
    for volume in volumes:
        if volume is not None:
            found += [finding for finding in volume.findings if finding not in found]
    return tuple(found)
