"""Small results by hand, and folders of them."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level
from osteoct.io.output import RESULT_FILE
from osteoct.protocols import Region
from osteoct.records import (
    Acquisition,
    CaseResult,
    Finding,
    GridRecord,
    Heights,
    HuStatistics,
    InputRecord,
    LevelResult,
    Provenance,
    RegionMeasure,
    Severity,
)
from osteoct.review.folders import ReviewedCase

GRID = GridRecord(shape=(9, 9, 9), spacing_mm=(1.0, 1.0, 1.0), axis_codes="RAS")


def make_level(level=Level.L1, *, mean_hu=150.0, usable=True, voxels=1000) -> LevelResult:
    """A level with one region."""
    hu = HuStatistics(mean_hu=mean_hu, median_hu=1, sd_hu=1, p05_hu=1, p25_hu=1, p75_hu=1, p95_hu=1)
    core = RegionMeasure(
        protocol="body-core-4", region=Region.TRABECULAR, volume_cm3=5.0, voxels=500, hu=hu
    )
    heights = Heights(height_anterior_mm=25.0, height_middle_mm=24.0, height_posterior_mm=26.0)
    return LevelResult(
        level=level,
        vertebra_voxels=voxels,
        usable=usable,
        body_certainty=1.0,
        regions=(core,),
        heights=heights,
    )


def make_finding(code="contrast", severity=Severity.WARNING, level=None, **fields) -> Finding:
    """A finding."""
    return Finding(code=code, severity=severity, message=f"{code} was found", level=level, **fields)


def make_result(case_id="case-1", *, levels=None, findings=(), **fields) -> CaseResult:
    """A case with one level."""
    return CaseResult(
        case_id=case_id,
        acquisition=Acquisition(kvp=120.0),
        grid=GRID,
        mask_grid=GRID,
        protocols=("body-core-4",),
        levels=(make_level(),) if levels is None else tuple(levels),
        summaries=(),
        findings=tuple(findings),
        opinions=(),
        provenance=fields.pop("provenance", make_provenance()),
        **fields,
    )


def make_provenance(version="0.1.0", started="2026-01-02T03:04:05Z") -> Provenance:
    """What made a result, and when."""
    return Provenance(
        osteoct_version=version,
        python_version="3.11.2",
        packages={},
        inputs=(InputRecord(role="ct", kind="NIfTI", sha256="ab12" * 16),),
        started_utc=started,
        seconds={},
    )


def write_result(result, folder) -> ReviewedCase:
    """A result as it lies on the disk."""
    folder.mkdir(parents=True)
    (folder / RESULT_FILE).write_text(result.model_dump_json(by_alias=True), encoding="utf-8")
    return ReviewedCase(folder=folder.resolve(), result=result)


class Maker:
    """The makers above, reachable from tests without importing a conftest."""

    level = staticmethod(make_level)
    finding = staticmethod(make_finding)
    result = staticmethod(make_result)
    provenance = staticmethod(make_provenance)
    write = staticmethod(write_result)


@pytest.fixture
def make() -> Maker:
    """The makers of results."""
    return Maker()
