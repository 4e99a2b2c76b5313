"""From files to a result folder: the library's twin of ``osteoct analyze``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from osteoct.case_files import update_provenance, write_case
from osteoct.case_masks import (
    Sources,
    default_segmenter,
    get_masks,
    get_phase_opinion,
    get_second,
)
from osteoct.change.comparing import compare_examinations
from osteoct.change.earlier import read_earlier
from osteoct.change.examination import Examination, examination_of
from osteoct.config import AnalysisConfig
from osteoct.errors import GeometryError
from osteoct.io.hashing import sha256_of
from osteoct.io.identity import SourceIdentity
from osteoct.io.output import check_place, result_folder
from osteoct.io.pseudonym import case_pseudonym, check_case_id, load_key, patient_pseudonym
from osteoct.io.volume import read_volume_with_identity
from osteoct.pipeline import CaseAnalysis, analyze_volumes
from osteoct.records import CaseResult, InputRecord, SegmenterRecord
from osteoct.review.keeping import check_reviews
from osteoct.segment.interface import Segmenter
from osteoct.volume import CTVolume

RECORDED_PACKAGES = ("numpy", "scipy", "pydicom", "nibabel", "SimpleITK", "matplotlib")
"""Packages whose version can move a number or a picture."""


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier examination to compare with.

    Parameters
    ----------
    place
        See :func:`osteoct.change.earlier.read_earlier`.
    same_patient, own_limit_hu
        See :func:`osteoct.change.comparing.compare_examinations`.
    """

    place: Path
    same_patient: bool = False
    own_limit_hu: float | None = None


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
    earlier: Earlier | None = None,
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
    earlier
        An earlier examination of the patient, to compare with.

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
    before = None if earlier is None else read_earlier(earlier.place, key_file=key_file)
    case = analyze_files(
        sources,
        config=config,
        case_id=case_id,
        key_file=key_file,
        segmenter=segmenter,
        second=second,
    )
    if earlier is not None and before is not None:
        case = _with_change(case, before, earlier)
    if out is None:
        return case.result
    with result_folder(Path(out), overwrite=overwrite) as folder:
        return write_case(case, folder, config, earlier=Path(out))


def _with_change(case: CaseAnalysis, before: Examination, earlier: Earlier) -> CaseAnalysis:
    """The case with what changed since an earlier examination."""
    change = compare_examinations(
        before,
        examination_of(case.result),
        same_patient=earlier.same_patient,
        own_limit_hu=earlier.own_limit_hu,
    )
    return replace(case, result=case.result.model_copy(update={"change": change}))


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
        segmenter = segmenter or default_segmenter(config)
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
    masks = get_masks(sources, read.volume, config, segmenter)
    masks, other = get_second(masks, read.volume, second)
    masks, opinion, phase_seconds = get_phase_opinion(masks, read.volume, config)
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
    result = update_provenance(case.result, changes)
    return replace(case, result=result)
