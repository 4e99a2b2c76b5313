"""A small spine, measured once, as a result folder with its pictures beside its series."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path

import pytest

from osteoct.anatomy import Level
from osteoct.case_files import write_pictures
from osteoct.config import AnalysisConfig
from osteoct.export.case_folder import FinishedCase, read_finished_case
from osteoct.export.exporting import export_case
from osteoct.io.hashing import sha256_of
from osteoct.phantom.acquisition import scan
from osteoct.phantom.catalogue import DEMO_BONE
from osteoct.phantom.dicom import write_dicom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import lumbar_spine
from osteoct.pipeline import analyze_volumes
from osteoct.records import InputRecord
from osteoct.report.thumbnails import draw_thumbnails

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
    monkeypatch.setenv("OSTEOCT_KEY", "a key for tests, not for patients")


@pytest.fixture(autouse=True, scope="module")
def _collect_here():
    """Let highdicom's connections go while their warning is ignored, not in another module."""
    yield
    gc.collect()


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A result folder, what it holds, and the series that it was measured on."""

    case: FinishedCase
    series: Path


@pytest.fixture(scope="session")
def laid(tmp_path_factory) -> Laid:
    """The case that these tests read."""
    folder = tmp_path_factory.mktemp("documents")
    shot = scan(lumbar_spine(DEMO_BONE), SCANNER)
    analysis = analyze_volumes(
        shot.ct,
        shot.vertebrae,
        bodies=shot.bodies,
        config=AnalysisConfig(levels=LEVELS),
        case_id="=cmd|phantom",
    )
    series, case = folder / "ct", folder / "case"
    write_dicom(shot.ct, series)
    case.mkdir()
    shown = InputRecord(role="ct", kind="DICOM series, 40 slices", sha256=sha256_of(series))
    provenance = analysis.result.provenance.model_copy(update={"inputs": (shown,)})
    result = analysis.result.model_copy(
        update={"provenance": provenance, "patient_pseudonym": "p-0123456789abcdef"}
    )
    (case / "case.json").write_text(result.model_dump_json(by_alias=True), encoding="utf-8")
    write_pictures(draw_thumbnails(analysis.result, analysis.ct, analysis.compartments), case)
    return Laid(case=read_finished_case(case), series=series)


@pytest.fixture(scope="session")
def sent(laid, tmp_path_factory) -> Path:
    """Everything that is not for programs, once."""
    out = tmp_path_factory.mktemp("sent") / "out"
    export_case(
        laid.case.folder, ["pdf", "excel", "fhir", "dicom-pdf"], out=out, source=laid.series
    )
    return out
