"""The small spine as a result folder with its pictures beside its series."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from osteoct.case_files import write_pictures
from osteoct.export.case_folder import FinishedCase, read_finished_case
from osteoct.export.exporting import export_case
from osteoct.report.thumbnails import draw_thumbnails


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A result folder, what it holds, and the series that it was measured on."""

    case: FinishedCase
    series: Path


@pytest.fixture(scope="session")
def laid(measured, finish, tmp_path_factory) -> Laid:
    """The case that these tests read; its id would be a command to a shell or a sheet."""
    finished = finish(measured, tmp_path_factory.mktemp("documents"))
    names = {"case_id": "=cmd|phantom", "patient_pseudonym": "p-0123456789abcdef"}
    result = finished.result.model_copy(update=names)
    (finished.case / "case.json").write_text(
        result.model_dump_json(by_alias=True), encoding="utf-8"
    )
    shown = measured.analysis
    write_pictures(draw_thumbnails(result, shown.ct, shown.compartments), finished.case)
    return Laid(case=read_finished_case(finished.case), series=finished.series)


@pytest.fixture(scope="session")
def sent(laid, tmp_path_factory) -> Path:
    """Everything that is not for programs, once."""
    out = tmp_path_factory.mktemp("sent") / "out"
    export_case(
        laid.case.folder, ["pdf", "excel", "fhir", "dicom-pdf"], out=out, source=laid.series
    )
    return out
