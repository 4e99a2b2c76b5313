"""From files to a result folder: the library's twin of ``osteoct analyze``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal, TypeAlias

from osteoct.anatomy import Part
from osteoct.compartments.labelmap import label_compartments
from osteoct.config import AnalysisConfig
from osteoct.errors import ConfigError, GeometryError, SegmentationError
from osteoct.export.run_file import run_toml
from osteoct.export.tables import agreement_csv, findings_csv, heights_csv, levels_csv
from osteoct.io.hashing import sha256_of
from osteoct.io.identity import SourceIdentity
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_labels
from osteoct.io.output import check_place, result_folder
from osteoct.io.pseudonym import case_pseudonym, check_case_id, load_key, patient_pseudonym
from osteoct.io.tissues import read_tissues
from osteoct.io.volume import read_volume_with_identity
from osteoct.pipeline import CaseAnalysis, SecondMasks, analyze_volumes
from osteoct.records import (
    CaseResult,
    Finding,
    InputRecord,
    PhaseOpinion,
    SegmenterRecord,
    Severity,
)
from osteoct.report.page import render_report
from osteoct.report.repairs import draw_repairs
from osteoct.report.thumbnails import FOLDER as THUMBNAILS
from osteoct.report.thumbnails import draw_thumbnails
from osteoct.review.keeping import check_reviews, keep_reviews
from osteoct.segment.interface import Segmenter, SegmentOptions
from osteoct.segment.phase_opinion import seek_opinion
from osteoct.segment.registry import DEFAULT, make_segmenter
from osteoct.volume import CTVolume, LabelVolume

WITHOUT_SEGMENTER = "masks"
"""What masks are called that the user brought."""

RECORDED_PACKAGES = ("numpy", "scipy", "pydicom", "nibabel", "SimpleITK", "matplotlib")
"""Packages whose version can move a number or a picture."""


def analyze(
    ct: Path | str,
    masks: Path | str | None = None,
    *,
    body_masks: Path | str | None = None,
    tissues: Path | str | None = None,
    segmenter: Segmenter | None = None,
    second: Segmenter | None = None,
    out: Path | str | None = None,
    config: AnalysisConfig | None = None,
    case_id: str | None = None,
    key_file: Path | None = None,
    overwrite: bool = False,
) -> CaseResult:
    """Analyse one case from files and, with ``out``, write its result folder.

    Parameters
    ----------
    ct
        DICOM folder, DICOM file, zip of either, NIfTI, NRRD or MetaImage.
    masks, body_masks
        A label volume, or a folder with one mask per structure.
    tissues
        Vessels, organs and muscles, likewise, for checks of contrast, HU scale and orientation.
        Without them those that ``masks`` names beside the vertebrae, or that a segmenter was asked
        for (:attr:`osteoct.segment.interface.SegmentOptions.with_tissues`).
    segmenter
        What makes the masks where none are given; by default TotalSegmentator. See
        :func:`osteoct.segment.registry.make_segmenter`.
    second
        Another segmenter to compare with; the numbers stay those of the first. Should it fail, a
        finding says so.
    out
        Folder to make; it appears whole or not at all.
    case_id
        Name of the case in every result; without one a keyed pseudonym is made.
    key_file
        Key for pseudonyms; see :func:`osteoct.io.pseudonym.load_key`.

    Raises
    ------
    InputError, GeometryError, ConfigError, OutputError, SegmentationError, DependencyError
        See :mod:`osteoct.errors`. Bad image quality is a finding, not an error.
    """
    config = config or AnalysisConfig()
    sources = Sources(
        ct=Path(ct),
        masks=None if masks is None else Path(masks),
        body_masks=None if body_masks is None else Path(body_masks),
        tissues=None if tissues is None else Path(tissues),
    )
    if out is not None:
        check_place(Path(out), overwrite=overwrite)
        check_reviews(Path(out))
    case = analyze_files(
        sources,
        config=config,
        case_id=case_id,
        key_file=key_file,
        segmenter=segmenter,
        second=second,
    )
    if out is None:
        return case.result
    with result_folder(Path(out), overwrite=overwrite) as folder:
        return write_case(case, folder, config, earlier=Path(out))


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


def analyze_files(
    sources: Sources,
    *,
    config: AnalysisConfig,
    case_id: str | None = None,
    key_file: Path | None = None,
    segmenter: Segmenter | None = None,
    second: Segmenter | None = None,
) -> CaseAnalysis:
    """Read the images, analyse them and record what they were and how long it took."""
    if case_id is not None:
        check_case_id(case_id)
    if sources.masks is None:
        segmenter = segmenter or _default_segmenter(config)
        segmenter.check()
    if second is not None:
        second.check()
    return analyze_read(
        read_ct(sources, config),
        sources,
        config=config,
        case_id=case_id,
        key_file=key_file,
        segmenter=segmenter,
        second=second,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ReadCt:
    """A CT in memory, and what it was read from.

    Parameters
    ----------
    identity
        Raw identifiers, for pseudonyms alone.
    kind
        Such as ``DICOM series, 600 slices``.
    sha256
        Of its files' content.
    seconds
        That reading took.
    """

    volume: CTVolume
    identity: SourceIdentity
    kind: str
    sha256: str
    seconds: float


def read_ct(sources: Sources, config: AnalysisConfig) -> ReadCt:
    """Read the CT of a case; apart from its analysis, so that it may run ahead of it.

    Raises
    ------
    InputError, ConfigError
        As :func:`osteoct.io.volume.read_volume`.
    """
    clock = time.perf_counter()
    volume, identity, kind = read_volume_with_identity(sources.ct, series=config.series)
    seconds = time.perf_counter() - clock
    return ReadCt(
        volume=volume,
        identity=identity,
        kind=kind,
        sha256=sha256_of(sources.ct),
        seconds=seconds,
    )


def analyze_read(
    read: ReadCt,
    sources: Sources,
    *,
    config: AnalysisConfig,
    case_id: str | None = None,
    key_file: Path | None = None,
    segmenter: Segmenter | None = None,
    second: Segmenter | None = None,
) -> CaseAnalysis:
    """Analyse a CT that was read, as :func:`analyze_files` does; masks are read or made here."""
    masks = _get_masks(sources, read.volume, config, segmenter)
    masks, other = _get_second(masks, read.volume, second)
    masks, opinion, phase_seconds = _get_phase_opinion(masks, read.volume, config)
    name, patient = _name_case(case_id, read.identity, read.sha256, key_file)
    with _named_masks(sources):
        case = analyze_volumes(
            read.volume,
            masks.vertebrae,
            bodies=masks.bodies,
            tissues=masks.tissues,
            second=other,
            phase_opinion=opinion,
            config=config,
            case_id=name,
            patient_pseudonym=patient,
        )
    seconds = {"read": read.seconds, "masks": masks.seconds, **phase_seconds}
    return _with_provenance(case, _note_inputs(read, sources), seconds, masks.segmenter)


def _note_inputs(read: ReadCt, sources: Sources) -> tuple[InputRecord, ...]:
    """What was read, by role and content; the CT comes first."""
    return tuple(
        InputRecord(role=role, kind=read.kind, sha256=read.sha256)
        if role == "ct"
        else InputRecord(role=role, kind="labels", sha256=sha256_of(path))
        for role, path in sources.by_role.items()
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Masks:
    """The masks of a case, what made them (``None`` for the user) and how long it took."""

    vertebrae: LabelVolume
    bodies: LabelVolume | None
    tissues: LabelVolume | None
    segmenter: SegmenterRecord | None = None
    seconds: float


def _default_segmenter(config: AnalysisConfig) -> Segmenter:
    """What makes masks where nobody says what else."""
    options = SegmentOptions(
        with_tissues=config.with_tissues, with_phase_organs=config.phase_opinion is not None
    )
    return make_segmenter(DEFAULT, options)


def _get_masks(
    sources: Sources, ct: CTVolume, config: AnalysisConfig, segmenter: Segmenter | None
) -> _Masks:
    """Read the masks that were given, or have them made."""
    clock = time.perf_counter()
    tissues = None if sources.tissues is None else read_tissues(sources.tissues)
    if sources.masks is None:
        made = (segmenter or _default_segmenter(config)).segment(ct)
        return _Masks(
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
    return _Masks(
        vertebrae=vertebrae, bodies=bodies, tissues=tissues, seconds=time.perf_counter() - clock
    )


def _get_second(
    masks: _Masks, ct: CTVolume, second: Segmenter | None
) -> tuple[_Masks, SecondMasks | None]:
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


def _get_phase_opinion(
    masks: _Masks, ct: CTVolume, config: AnalysisConfig
) -> tuple[_Masks, PhaseOpinion | None, dict[str, float]]:
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


def _with_finding(masks: _Masks, finding: Finding) -> _Masks:
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


def write_case(
    case: CaseAnalysis, folder: Path, config: AnalysisConfig, *, earlier: Path | None = None
) -> CaseResult:
    """Write every file of a result into an existing folder; return what ``case.json`` holds.

    ``earlier`` is the folder that this one is to replace: a person's decisions in it, and beside
    it, are kept and shown.
    """
    clock = time.perf_counter()
    labels = label_compartments(case.compartments, case.ct.geometry)
    original = case.result.grid.axis_codes
    write_labels(labels.reoriented(original), folder / "compartments.nii.gz")
    write_both_masks(case, folder)
    reviewed = "" if earlier is None else keep_reviews(case.result, earlier, folder)
    report = render_report(
        case.result,
        case.ct,
        case.compartments,
        second=case.second,
        reviewed=reviewed,
        repaired=draw_repairs(case.result, case.ct, case.before, case.compartments),
    )
    write_pictures(draw_thumbnails(case.result, case.ct, case.compartments), folder)
    seconds = {
        **case.result.provenance.seconds,
        "report": round(time.perf_counter() - clock, 3),
    }
    result = _update_provenance(case.result, {"seconds": seconds})
    texts = {
        "case.json": result.model_dump_json(by_alias=True, indent=2) + "\n",
        "levels.csv": levels_csv(result),
        "heights.csv": heights_csv(result),
        "findings.csv": findings_csv(result),
        "run.toml": run_toml(result, config),
        "report.html": report,
    }
    if result.agreement is not None:
        texts["agreement.csv"] = agreement_csv(result)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return result


def write_pictures(pictures: Mapping[str, bytes], folder: Path) -> None:
    """Write the small pictures of a case, where it has any."""
    if pictures:
        (folder / THUMBNAILS).mkdir()
    for name, content in pictures.items():
        (folder / THUMBNAILS / name).write_bytes(content)


def write_both_masks(case: CaseAnalysis, folder: Path) -> None:
    """Write the masks as they came and as they were measured, where some were repaired."""
    if case.original is None or case.repaired is None:
        return
    codes = case.result.grid.axis_codes
    for kind, masks in (("original", case.original), ("repaired", case.repaired)):
        is_ours = kind == "repaired"  # in canonical orientation; the others lie as they came
        for name, labels in (("masks", masks.vertebrae), ("body-masks", masks.bodies)):
            if labels is not None:
                placed = labels.reoriented(codes) if is_ours else labels
                write_labels(placed, folder / f"{name}-{kind}.nii.gz")


@contextmanager
def _named_masks(sources: Sources) -> Iterator[None]:
    """Let a failure name the file of the masks that do not meet the CT, not their role."""
    try:
        yield
    except GeometryError as error:
        paths = {str(role): str(path) for role, path in sources.by_role.items()}
        error.where = paths.get(error.where or "", error.where)
        error.args = (error.line,)
        raise


def _name_case(
    case_id: str | None, identity: SourceIdentity, content_sha256: str, key_file: Path | None
) -> tuple[str, str | None]:
    """The case's id, given or pseudonymous, and the patient's pseudonym where there is an id."""
    if case_id is not None and identity.patient_key is None:
        return case_id, None
    key = load_key(key_file)
    name = case_id or case_pseudonym(identity, content_sha256, key)
    return name, patient_pseudonym(identity, key)


def _with_provenance(
    case: CaseAnalysis,
    inputs: tuple[InputRecord, ...],
    seconds: dict[str, float],
    segmenter: SegmenterRecord | None,
) -> CaseAnalysis:
    """The same case, with inputs, package versions, times and the masks' origin recorded."""
    steps = {step: round(taken, 3) for step, taken in seconds.items()}
    changes: dict[str, object] = {
        "inputs": inputs,
        "packages": {name: version(name) for name in RECORDED_PACKAGES},
        "seconds": {**steps, **case.result.provenance.seconds},
        "segmenter": segmenter,
    }
    result = _update_provenance(case.result, changes)
    return replace(case, result=result)


def _update_provenance(result: CaseResult, changes: dict[str, object]) -> CaseResult:
    """The same result with parts of its provenance replaced."""
    provenance = result.provenance.model_copy(update=changes)
    return result.model_copy(update={"provenance": provenance})
