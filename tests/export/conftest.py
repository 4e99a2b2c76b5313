"""A small spine, measured once, as finished cases beside series of any orientation."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from osteoct.anatomy import Level
from osteoct.compartments.labelmap import label_compartments
from osteoct.config import AnalysisConfig
from osteoct.export.exporting import export_case
from osteoct.io.hashing import sha256_of
from osteoct.io.nifti import write_labels
from osteoct.phantom.acquisition import PhantomScan, scan
from osteoct.phantom.catalogue import DEMO_BONE
from osteoct.phantom.dicom import write_dicom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import lumbar_spine
from osteoct.pipeline import CaseAnalysis, analyze_volumes
from osteoct.records import CaseResult, InputRecord
from osteoct.volume import describe_grid

KEY = "a key for tests, not for patients"
LEVELS = (Level.L1, Level.L2, Level.L3)
"""L1 is not there, L2 is cut by the border, L3 is measured."""

SCANNER = Scanner(
    pixel_mm=2.0,
    slice_mm=3.0,
    noise_sd_hu=8.0,
    axis_codes="LPS",
    fine_step_mm=1.0,
    field_of_view_mm=(105.0, 111.0, 100.0),
    centre_mm=(0.0, -19.0, -26.0),
)


@pytest.fixture(autouse=True)
def _own_key(monkeypatch):
    """No test reads or makes the key of the person who runs it."""
    monkeypatch.delenv("OSTEOCT_KEY_FILE", raising=False)
    monkeypatch.setenv("OSTEOCT_KEY", KEY)


@pytest.fixture(autouse=True, scope="module")
def _collect_here():
    """Let highdicom's connections go while their warning is ignored, not in another module.

    From Python 3.13 on an SQLite connection that nobody closed warns; highdicom leaves its own to
    the garbage collector.
    """
    yield
    gc.collect()


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A scan and what was measured on it."""

    shot: PhantomScan
    analysis: CaseAnalysis


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A result folder and the series that it was measured on."""

    case: Path
    series: Path
    result: CaseResult


def measure(scanner: Scanner) -> Measured:
    shot = scan(lumbar_spine(DEMO_BONE), scanner)
    analysis = analyze_volumes(
        shot.ct,
        shot.vertebrae,
        bodies=shot.bodies,
        config=AnalysisConfig(levels=LEVELS),
        case_id="phantom",
    )
    return Measured(shot=shot, analysis=analysis)


def lay_out(
    measured: Measured, folder: Path, codes: str = "LPS", *, series: Path | None = None
) -> Finished:
    """Write a series, axes along ``codes``, and its result as ``osteoct analyze`` leaves it."""
    if series is None:
        series = folder / "ct"
        write_dicom(measured.shot.ct.reoriented(codes), series)
    case = folder / "case"
    case.mkdir(exist_ok=True)
    analysis = measured.analysis
    labels = label_compartments(analysis.compartments, analysis.ct.geometry).reoriented(codes)
    write_labels(labels, case / "compartments.nii.gz")
    shown = InputRecord(role="ct", kind="DICOM series, 40 slices", sha256=sha256_of(series))
    provenance = analysis.result.provenance.model_copy(update={"inputs": (shown,)})
    result = analysis.result.model_copy(
        update={"provenance": provenance, "grid": describe_grid(labels.geometry)}
    )
    (case / "case.json").write_text(result.model_dump_json(by_alias=True), encoding="utf-8")
    return Finished(case=case, series=series, result=result)


@pytest.fixture(scope="session")
def measured() -> Measured:
    return measure(SCANNER)


@pytest.fixture(scope="session")
def measured_at_5_mm() -> Measured:
    return measure(replace(SCANNER, slice_mm=5.0))


@pytest.fixture(scope="session")
def finish() -> Callable[..., Finished]:
    """Writes a case, and its series unless one is given."""
    return lay_out


@pytest.fixture(scope="session")
def finished(measured, tmp_path_factory) -> Finished:
    """One case that tests only read."""
    return lay_out(measured, tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="session")
def exported(finished, tmp_path_factory) -> Path:
    """Its segmentation and report."""
    out = tmp_path_factory.mktemp("exported") / "out"
    export_case(finished.case, ["dicom"], out=out, source=finished.series)
    return out
