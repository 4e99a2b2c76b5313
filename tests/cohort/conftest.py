"""Results of CTs as files, without a CT: the cohort reads nothing else."""

from __future__ import annotations

from datetime import date
from functools import partial
from types import SimpleNamespace

import pytest

from osteoct.anatomy import LUMBAR
from osteoct.cohort.linking.link import link_cohort
from osteoct.io.identity import SourceIdentity
from osteoct.io.pseudonym import patient_pseudonym
from osteoct.protocols import VERTEBRA_CORE_3_5, Region
from osteoct.record import Reason
from osteoct.records import (
    Acquisition,
    CaseResult,
    Finding,
    GridRecord,
    HuStatistics,
    LevelResult,
    Provenance,
    RegionMeasure,
    Severity,
)

KEY = b"a key for tests, not for patients"
PROTOCOL = VERTEBRA_CORE_3_5.id
GRID = GridRecord(shape=(2, 2, 2), spacing_mm=(1.0, 1.0, 1.0), axis_codes="RAS")


def pseudonym_of(hospital_id, issuer=""):
    """The pseudonym that a CT of this PatientID gets: id, zero byte, issuer, under the key."""
    whole = hospital_id.encode() + b"\0" + issuer.encode()
    return patient_pseudonym(SourceIdentity(patient_key=whole), KEY)


def hu_of(mean):
    return HuStatistics(
        mean_hu=mean, median_hu=mean, sd_hu=1, p05_hu=mean, p25_hu=mean, p75_hu=mean, p95_hu=mean
    )


def region_of(region, mean):
    return RegionMeasure(
        protocol=PROTOCOL, region=region, volume_cm3=1.0, voxels=10, hu=hu_of(mean)
    )


def level_of(level, trabecular):
    """A level whose cortical HU is 100 above its trabecular and the total between them."""
    means = {
        Region.VERTEBRA: trabecular + 65,
        Region.TRABECULAR: trabecular,
        Region.CORTICAL: trabecular + 100,
    }
    regions = tuple(region_of(region, mean) for region, mean in means.items())
    return LevelResult(level=level, vertebra_voxels=30, usable=True, regions=regions)


def make_case(case_id, *, hospital_id=None, day="2020-01-02", trabecular=150.0, **changes):
    """A case result with all five lumbar levels, each 1 HU above the one before."""
    absent = changes.pop("absent", ())
    levels = [level_of(level, trabecular + n) for n, level in enumerate(LUMBAR)]
    levels = [
        LevelResult(
            level=one.level,
            usable=False,
            regions=(
                RegionMeasure(
                    protocol=PROTOCOL, region=Region.TRABECULAR, reason=Reason.CUT_BY_BORDER
                ),
            ),
        )
        if one.level in absent
        else one
        for one in levels
    ]
    is_blocked = changes.pop("is_blocked", False)
    if is_blocked:
        levels = [one.model_copy(update={"usable": False}) for one in levels]
    finding = Finding(code="labels-out-of-order", severity=Severity.BLOCKING, message="x")
    return CaseResult(
        case_id=case_id,
        patient_pseudonym=None if hospital_id is None else pseudonym_of(hospital_id),
        acquisition=Acquisition(study_date=day, kvp=120.0, **changes),
        grid=GRID,
        mask_grid=GRID,
        protocols=(PROTOCOL,),
        levels=tuple(levels),
        summaries=(),
        findings=(finding,) if is_blocked else (),
        opinions=(),
        provenance=Provenance(
            osteoct_version="0", python_version="3", started_utc="2020-01-02T00:00:00Z"
        ),
    )


@pytest.fixture(scope="session")
def kit():
    """The makers above, reachable from tests without importing a conftest."""
    link = partial(link_cohort, get_key=lambda _: KEY, today=date(2024, 1, 1))
    return SimpleNamespace(case=make_case, pseudonym=pseudonym_of, link=link)


@pytest.fixture
def results(tmp_path):
    """Write cases into a tree of results and return its root."""

    def write(*cases, name="results"):
        root = tmp_path / name
        for number, case in enumerate(cases):
            folder = root / f"{number:03d}"
            folder.mkdir(parents=True)
            (folder / "case.json").write_text(case.model_dump_json(by_alias=True))
        return root

    return write


@pytest.fixture
def sheet(tmp_path):
    """Write a DXA table as CSV and return its path."""

    def write(*rows, header="id,date,T-score L1-L4,T-score neck,T-score total hip,sex,age,BMI"):
        path = tmp_path / "dxa.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write
