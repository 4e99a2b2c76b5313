"""From a CT and its masks to a result: composition only, no files."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import osteoct
from osteoct.classify.opinions import form_opinions
from osteoct.compartments.case import build_compartments
from osteoct.compartments.level import LevelCompartments
from osteoct.config import AnalysisConfig
from osteoct.geometry import Geometry
from osteoct.io.alignment import align_labels
from osteoct.measure.level import absent_level, measure_level
from osteoct.measure.summary import summarise
from osteoct.protocols import Protocol, protocol
from osteoct.quality.acquisition import check_acquisition
from osteoct.quality.artefacts import check_artefacts
from osteoct.quality.gate import apply_gate
from osteoct.quality.segmentation import check_segmentation
from osteoct.records import Acquisition, CaseResult, Finding, GridRecord, LevelResult, Provenance
from osteoct.volume import CTVolume, LabelVolume

CANONICAL = "RAS"
"""Array orientation in which everything is measured; results do not depend on it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseAnalysis:
    """A result and the arrays behind it, all on one grid in canonical orientation."""

    result: CaseResult
    ct: CTVolume
    compartments: tuple[LevelCompartments, ...]


def analyze_volumes(
    ct: CTVolume,
    vertebrae: LabelVolume,
    *,
    bodies: LabelVolume | None = None,
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

    Raises
    ------
    GeometryError
        CT and masks do not meet in patient space.
    """
    config = config or AnalysisConfig()
    started, clock = datetime.now(UTC), time.perf_counter()
    protocols = tuple(protocol(p) for p in config.protocols)
    acquisition = state_facts(ct.acquisition, config)
    aligned = align_labels(vertebrae, ct.geometry)
    aligned_bodies = (
        None if bodies is None else align_labels(bodies, ct.geometry, where="body-masks")
    )
    canonical = ct.reoriented(CANONICAL)
    levels = build_compartments(
        canonical,
        aligned.reoriented(CANONICAL),
        None if aligned_bodies is None else aligned_bodies.reoriented(CANONICAL),
        levels=config.levels,
        protocols=protocols,
    )
    findings = (
        *_unique(ct, aligned, aligned_bodies),
        *check_acquisition(acquisition, ct.geometry),
        *check_segmentation(config.levels, levels),
        *check_artefacts(canonical, levels),
    )
    measured = apply_gate(_measure_levels(canonical, levels, config, protocols), findings)
    summaries = summarise(measured, protocols)
    result = CaseResult(
        case_id=case_id,
        patient_pseudonym=patient_pseudonym,
        acquisition=acquisition,
        grid=record_grid(ct.geometry),
        mask_grid=record_grid(vertebrae.geometry),
        protocols=config.protocols,
        levels=measured,
        summaries=summaries,
        findings=findings,
        opinions=form_opinions(
            levels=measured, summaries=summaries, acquisition=acquisition, findings=findings
        ),
        provenance=Provenance(
            osteoct_version=osteoct.__version__,
            python_version=platform.python_version(),
            started_utc=started.isoformat(timespec="seconds"),
            seconds={"measure": round(time.perf_counter() - clock, 3)},
        ),
    )
    return CaseAnalysis(result=result, ct=canonical, compartments=levels)


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


def record_grid(geometry: Geometry) -> GridRecord:
    """Describe a grid without its position, which no result needs."""
    return GridRecord(
        shape=geometry.shape,
        spacing_mm=geometry.spacing_mm,
        axis_codes=geometry.axis_codes,
    )


def _measure_levels(
    ct: CTVolume,
    levels: tuple[LevelCompartments, ...],
    config: AnalysisConfig,
    protocols: tuple[Protocol, ...],
) -> tuple[LevelResult, ...]:
    """Measure the levels that are there, and say of the others that they are not."""
    present = {level.level: level for level in levels}
    return tuple(
        measure_level(ct, present[level], protocols)
        if level in present
        else absent_level(level, protocols)
        for level in config.levels
    )


def _unique(*volumes: CTVolume | LabelVolume | None) -> tuple[Finding, ...]:
    """What reading and aligning noticed, once: masks and body masks often share a finding."""
    found: list[Finding] = []
    for volume in volumes:
        if volume is not None:
            found += [finding for finding in volume.findings if finding not in found]
    return tuple(found)
