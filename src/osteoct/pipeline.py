"""From a CT and its masks to a result: composition only, no files."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import osteoct
from osteoct.classify.opinions import form_opinions
from osteoct.compartments.anchors import choose_landmarks, look_for_anchors
from osteoct.compartments.case import build_compartments
from osteoct.compartments.level import LevelCompartments
from osteoct.config import AnalysisConfig
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
from osteoct.quality.gate import judge_case
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
    PhaseOpinion,
    Provenance,
    SegmenterRecord,
)
from osteoct.tidy.case import tidy_masks
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
    protocols = tuple(protocol(p) for p in config.protocols)
    inside = _look_inside(ct, tissues, vertebrae)
    acquisition = note_phase(state_facts(ct.acquisition, config), judge_phase(inside))
    acquisition = acquisition.model_copy(update={"phase_opinion": phase_opinion})
    canonical, masks, body_masks = _meet(ct, vertebrae, bodies)
    tidied = tidy_masks(canonical, masks, body_masks, repair=config.repair)
    before = divide_original(canonical, masks, body_masks, tidied.levels)
    masks, body_masks = tidied.masks.vertebrae, tidied.masks.bodies
    reading = _read(canonical, masks, body_masks, config, protocols)
    agreement, other = _compare(canonical, reading, second, config, protocols)
    numbering, names = judge_numbering(
        look_for_anchors(masks, choose_landmarks(vertebrae, tissues)),
        find_mixed_up(tidied.findings),
    )
    findings = (
        *_unique(canonical, masks, body_masks),
        *tidied.findings,
        *check_acquisition(acquisition, ct.geometry),
        *check_phase_opinion(acquisition),
        *check_pixels(canonical, reading.compartments, inside, acquisition),
        *check_segmentation(config.levels, reading.compartments),
        *check_masks(canonical, masks, reading.compartments),
        *names,
        *check_artefacts(canonical, reading.compartments),
        *check_bone(canonical, reading.compartments, acquisition),
        *check_heights(reading.levels, reading.compartments),
        *_check_agreement(agreement, protocols),
    )
    policy = make_policy(config.policy)
    named = note_numbering(numbering, mark_levels(reading.levels, tidied.levels))
    judged = judge_case(named, findings, policy)
    summaries = summarise(judged.levels, protocols)
    result = CaseResult(
        case_id=case_id,
        patient_pseudonym=patient_pseudonym,
        acquisition=acquisition,
        grid=describe_grid(ct.geometry),
        mask_grid=describe_grid(vertebrae.geometry),
        protocols=config.protocols,
        levels=judged.levels,
        summaries=summaries,
        findings=judged.findings,
        opinions=form_opinions(
            levels=judged.levels,
            summaries=summaries,
            acquisition=acquisition,
            findings=judged.findings,
        ),
        agreement=agreement,
        usability=judged.usability,
        usability_codes=judged.codes,
        policy=policy.record(),
        numbering=numbering,
        masks_used=MasksUsed.REPAIRED if tidied.is_repaired else MasksUsed.ORIGINAL,
        repairs=note_changes(canonical, before, reading.compartments, tidied.repairs),
        provenance=_note_provenance(started, time.perf_counter() - clock),
    )
    return CaseAnalysis(
        result=result,
        ct=canonical,
        compartments=reading.compartments,
        second=other,
        original=Masks(vertebrae=vertebrae, bodies=bodies) if tidied.is_repaired else None,
        repaired=tidied.masks if tidied.is_repaired else None,
        before=before,
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
