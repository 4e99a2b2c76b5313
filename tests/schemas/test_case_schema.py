"""The shipped JSON Schema is that of the records, and tells whole results from broken ones."""

import copy
import json

import pytest
from jsonschema import Draft202012Validator

from osteoct.records import (
    Acquisition,
    CaseResult,
    GridRecord,
    HuStatistics,
    LevelResult,
    Opinion,
    Provenance,
    RegionMeasure,
    Summary,
)
from osteoct.schemas.case import load_case_schema, make_case_schema, render_case_schema

HU = HuStatistics(
    mean_hu=152.4, median_hu=150.0, sd_hu=31.0, p05_hu=99.0, p25_hu=130, p75_hu=170, p95_hu=210
)


@pytest.fixture
def written() -> dict:
    """A case as ``case.json`` holds it: one level measured, one absent, one opinion."""
    grid = GridRecord(shape=(40, 50, 60), spacing_mm=(0.8, 0.8, 1.5), axis_codes="RAS")
    measured = RegionMeasure(
        protocol="body-core-4", region="trabecular", volume_cm3=9.1, voxels=9479, hu=HU
    )
    absent = RegionMeasure(protocol="body-core-4", region="trabecular", reason="cut-by-border")
    case = CaseResult(
        case_id="example",
        acquisition=Acquisition(modality="CT", kvp=120, phase="native"),
        grid=grid,
        mask_grid=grid,
        protocols=("body-core-4",),
        levels=(
            LevelResult(level="L1", usable=True, vertebra_voxels=60000, regions=(measured,)),
            LevelResult(level="L2", usable=False, regions=(absent,)),
        ),
        summaries=(
            Summary(
                protocol="body-core-4",
                region="trabecular",
                statistic="mean",
                value_hu=152.4,
                levels_used=("L1",),
                levels_asked=("L1", "L2"),
            ),
        ),
        findings=(),
        opinions=(Opinion(rule="r", verdict="not-applicable", reason="why", cutoff=1.0),),
        provenance=Provenance(
            osteoct_version="0.1.0", python_version="3.11", started_utc="2026-01-01T00:00:00Z"
        ),
    )
    return json.loads(case.model_dump_json(by_alias=True))


def test_shipped_schema_is_current():
    """A record changed without its schema would let other programs reject good results."""
    assert load_case_schema() == make_case_schema(), "write it anew with: nox -s schema"


def test_schema_is_a_schema():
    """The validator's own meta-schema accepts ours."""
    Draft202012Validator.check_schema(load_case_schema())


def test_rendering_is_stable():
    """Two runs give one text, and the text holds the schema: a diff shows changes only."""
    assert render_case_schema() == render_case_schema()
    assert json.loads(render_case_schema()) == make_case_schema()


def test_written_case_validates_and_comes_back(written):
    """What osteoct writes passes an outside validator and is read back equal."""
    Draft202012Validator(load_case_schema()).validate(written)
    again = CaseResult.model_validate(written)
    assert json.loads(again.model_dump_json(by_alias=True)) == written
    assert written["schema"] == "osteoct.case/1"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "osteoct.case/2"),
        (("levels", 0, "level"), "L9"),
        (("levels", 0, "usable"), None),
        (("opinions", 0, "verdict"), "osteoporosis"),
        (("grid", "spacing_mm"), [1.0, 1.0]),
        (("acquisition", "patient_name"), "x"),
    ],
)
def test_broken_case_is_refused(written, path, value):
    """The schema is not so loose that it accepts anything, least of all a name field."""
    broken = copy.deepcopy(written)
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not Draft202012Validator(load_case_schema()).is_valid(broken)
