"""CSV: tidy, quoted, absent is empty, and no spreadsheet runs a message."""

from __future__ import annotations

import csv
import io
import tomllib

import pytest

from osteoct.anatomy import Level
from osteoct.config import AnalysisConfig, make_config
from osteoct.export.run_file import run_toml
from osteoct.export.tables import findings_csv, levels_csv
from osteoct.policy.entries import hash_entries
from osteoct.policy.judging import make_policy
from osteoct.protocols import Region
from osteoct.quality.gate import judge_case
from osteoct.records import (
    Acquisition,
    CaseResult,
    Finding,
    GridRecord,
    HuStatistics,
    InputRecord,
    LevelResult,
    Provenance,
    Reason,
    RegionMeasure,
    Severity,
)

HU = HuStatistics(
    mean_hu=-12.34567,
    median_hu=0.0,
    sd_hu=1e-9,
    p05_hu=-100,
    p25_hu=-0.00001,
    p75_hu=1 / 3,
    p95_hu=40000,
)
MEASURED = RegionMeasure(
    protocol="body-core-4", region=Region.TRABECULAR, volume_cm3=12.345678, voxels=987, hu=HU
)
ABSENT = RegionMeasure(protocol="body-core-4", region=Region.CORTICAL, reason=Reason.EMPTY_CORE)
MESSAGES = ("=1+1", "+cmd", "-2 voxels", "@SUM(A1)", " =x", 'a, "b"\nc', "plain")


def result() -> CaseResult:
    """One level measured, one absent; findings of every kind of text."""
    grid = GridRecord(shape=(2, 2, 2), spacing_mm=(1, 1, 1), axis_codes="RAS")
    return CaseResult(
        case_id="case-1",
        acquisition=Acquisition(),
        grid=grid,
        mask_grid=grid,
        protocols=("body-core-4",),
        levels=(
            LevelResult(level=Level.L1, usable=True, regions=(MEASURED, ABSENT)),
            LevelResult(level=Level.L2, usable=False),
        ),
        summaries=(),
        findings=tuple(
            Finding(code="x", severity=Severity.WARNING, message=m, level=Level.L1 if i else None)
            for i, m in enumerate(MESSAGES)
        ),
        opinions=(),
        provenance=Provenance(
            osteoct_version="0.1.0",
            python_version="3.11.7",
            packages={"numpy": "2.0"},
            inputs=(InputRecord(role="ct", kind="NIfTI", sha256="ab"),),
            started_utc="2026-01-01T00:00:00Z",
            seconds={"read": 0.12345},
        ),
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_columns_are_the_published_ones():
    """Scripts of users depend on names and order."""
    assert levels_csv(result()).splitlines()[0] == (
        "case_id,level,protocol,region,volume_cm3,voxels,mean_hu,median_hu,sd_hu,"
        "p05_hu,p25_hu,p75_hu,p95_hu,reason,numbering_certainty,masks_used,usability,"
        "usability_codes,numbering_reason"
    )
    assert findings_csv(result()).splitlines()[0] == "code,severity,level,message,effect"


def test_numbers_come_back_as_they_were():
    """Four decimals of cm³, three of HU; negative HU stay numbers; no minus zero."""
    row = rows(levels_csv(result()))[0]
    assert (row["volume_cm3"], row["voxels"], row["mean_hu"]) == ("12.3457", "987", "-12.346")
    assert (row["p25_hu"], row["sd_hu"], row["median_hu"]) == ("0.000", "0.000", "0.000")
    for name in ("mean_hu", "p05_hu", "p75_hu", "p95_hu"):
        assert float(row[name]) == pytest.approx(getattr(HU, name), abs=5e-4)
    assert row["reason"] == ""


def test_what_is_absent_is_empty_beside_its_reason():
    """A 0 would be below every cut-off; a missing row would be overlooked."""
    _, absent, level = rows(levels_csv(result()))
    assert [absent[n] for n in ("volume_cm3", "voxels", "mean_hu", "p95_hu")] == [""] * 4
    assert absent["reason"] == "empty-core"
    assert (level["level"], level["region"], level["reason"]) == ("L2", "", "level-absent")


def test_how_sure_a_name_is_stands_beside_it():
    """Per level, with its reason at the end of the row; nothing where it was not judged."""
    old = result()
    known = {"numbering_certainty": 0.7533, "numbering_reason": "over a gap"}
    levels = (old.levels[0].model_copy(update=known), *old.levels[1:])
    first, *_, last = rows(levels_csv(old.model_copy(update={"levels": levels})))
    assert (first["numbering_certainty"], first["numbering_reason"]) == ("0.753", "over a gap")
    assert (last["numbering_certainty"], last["numbering_reason"]) == ("", "")


def test_every_line_ends_as_rfc_4180_says():
    """CRLF, and no line break inside a message to trip simple readers."""
    for text in (levels_csv(result()), findings_csv(result())):
        assert text.endswith("\r\n")
        assert "\n" not in text.replace("\r\n", "")
    assert findings_csv(result()).count("\r\n") == 1 + len(MESSAGES)


def test_no_spreadsheet_runs_a_message():
    """A file name in a message may begin with =; Excel would compute it."""
    messages = [row["message"] for row in rows(findings_csv(result()))]
    assert messages == ["'=1+1", "'+cmd", "'-2 voxels", "'@SUM(A1)", "' =x", 'a, "b" c', "plain"]
    assert [row["level"] for row in rows(findings_csv(result()))[:2]] == ["", "L1"]


def test_usability_stands_at_every_row_of_its_level():
    """Also at a level without numbers; results older than it have empty cells."""
    old = result()
    assert {row["usability"] for row in rows(levels_csv(old))} == {""}
    judged = judge_case(old.levels, old.findings, make_policy())
    new = old.model_copy(update={"levels": judged.levels, "findings": judged.findings})
    table = rows(levels_csv(new))
    told = {(row["level"], row["usability"], row["usability_codes"]) for row in table}
    assert told == {("L1", "usable-with-warning", "x"), ("L2", "not-usable", "")}
    assert {row["effect"] for row in rows(findings_csv(new))} == {"warn"}


def test_the_run_file_says_which_policy_decided():
    """Name, hash, changes and accepted risks: enough to judge again."""
    policy = make_policy({"metal": "warn", "accept-risk": ["metal"]})
    text = run_toml(
        result().model_copy(update={"policy": policy.record()}),
        AnalysisConfig(policy={"metal": "warn", "accept-risk": ["metal"]}),
    )
    document = tomllib.loads(text)
    assert document["policy"]["name"] == "osteoct"
    assert document["policy"]["sha256"] == hash_entries()
    assert document["policy"]["changed"] == {"metal": {"blocking": "warn"}}
    assert document["policy"]["accepted_risks"] == ["metal"]
    assert make_config(document["configuration"]).policy["metal"] == "warn"


def test_the_run_file_says_what_was_done_and_names_nobody():
    """Configuration, versions, hashes, times; the series UID would name the scan."""
    config = AnalysisConfig(series="1.2.840.1", kvp=120, levels=(Level.L1,))
    text = run_toml(result(), config)
    document = tomllib.loads(text)
    assert "1.2.840.1" not in text
    assert document["configuration"]["series"] == "given"
    assert document["configuration"]["kvp"] == 120
    assert document["configuration"]["levels"] == ["L1"]
    assert document["versions"] == {"osteoct": "0.1.0", "python": "3.11.7", "numpy": "2.0"}
    assert document["inputs"] == [{"role": "ct", "kind": "NIfTI", "sha256": "ab"}]
    assert document["seconds"] == {"read": 0.123}


def test_an_open_choice_is_not_written():
    """TOML has no null, and "none" would be a value."""
    assert "series" not in tomllib.loads(run_toml(result(), AnalysisConfig()))["configuration"]
