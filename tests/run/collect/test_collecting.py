"""A collected table holds every case and nothing made up; its dictionary knows every column."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime

import openpyxl
import pyarrow.parquet as pq
import pytest

from osteoct.analysis import analyze
from osteoct.errors import ConfigError
from osteoct.phantom.small import write_small_patient
from osteoct.protocols import PROTOCOLS, Region
from osteoct.run.collect.collecting import collect_rows, columns_of
from osteoct.run.collect.columns import Rows
from osteoct.run.collect.writing import dictionary_path, write_table
from osteoct.run.ledger.records import Row
from osteoct.run.records import Cause, Failure, State

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILURE = Failure(cause=Cause.INPUT, kind="InputError", message="=2+2; found nothing")
DONE = Row(
    case_id="done",
    patient="p-1",
    key="k",
    segment_key=None,
    bytes_in=1,
    voxels=1,
    state=State.DONE,
    attempts=1,
    alone=False,
    interruptions=0,
    owner=None,
    worker=None,
    planned=NOW,
    began=NOW,
    ended=NOW,
    failure=None,
    seconds={},
    peak_mib=None,
    findings={},
    worst=None,
    usability=None,
    is_measured=True,
    place=None,
)
FAILED = replace(DONE, case_id="failed", patient=None, state=State.FAILED, failure=FAILURE)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patient")
    write_small_patient(folder)
    return analyze(folder / "ct.nii.gz", folder / "masks.nii.gz", case_id="done")


def table(path, rows, result):
    """Write the table of a finished and a failed case; the names of its columns."""
    columns = columns_of(rows)
    read = {"done": result}.get
    number = write_table(
        path, columns, collect_rows([DONE, FAILED], lambda row: read(row.case_id), rows)
    )
    return [column.name for column in columns], number


@pytest.mark.parametrize("rows", [Rows.REGIONS, Rows.LEVELS, Rows.CASES])
def test_csv_holds_what_the_result_holds(tmp_path, result, rows) -> None:
    """A failed case is one row with its reason; a text is no formula; an absent value is empty."""
    names, number = table(tmp_path / "t.csv", rows, result)
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == names
    assert len(found) == number
    failed = [row for row in found if row["case_id"] == "failed"]
    assert [(row["state"], row["failure"]) for row in failed] == [
        ("failed", "'=2+2; found nothing")
    ]
    assert set(failed[0].values()) == {"failed", "input", "'=2+2; found nothing", ""}
    done = [row for row in found if row["case_id"] == "done"]
    expected = {
        Rows.REGIONS: sum(max(len(level.regions), 1) for level in result.levels),
        Rows.LEVELS: len(result.levels),
        Rows.CASES: 1,
    }
    assert len(done) == expected[rows]


def test_numbers_keep_every_digit(tmp_path, result) -> None:
    """A table that rounds may move a value over a cut-off."""
    table(tmp_path / "t.parquet", Rows.REGIONS, result)
    read = pq.read_table(tmp_path / "t.parquet").to_pylist()
    found = {(r["level"], r["protocol"], r["region"]): r["mean_hu"] for r in read if r["protocol"]}
    for level in result.levels:
        for region in level.regions:
            hu = None if region.hu is None else region.hu.mean_hu
            assert found[(str(level.level), region.protocol, str(region.region))] == hu


def test_a_row_per_case_has_every_mean(tmp_path, result) -> None:
    """Of each protocol and region one column, with the value of the summary."""
    table(tmp_path / "t.parquet", Rows.CASES, result)
    row = pq.read_table(tmp_path / "t.parquet").to_pylist()[0]
    for protocol in PROTOCOLS:
        summary = result.summary(protocol, Region.TRABECULAR)
        name = f"trabecular_mean_hu__{protocol.replace('-', '_').replace('.', '_')}"
        assert row[name] == (None if summary is None else summary.value_hu)


def test_excel_opens_and_explains_itself(tmp_path, result) -> None:
    """Another library reads it; nothing in it is a formula."""
    names, number = table(tmp_path / "t.xlsx", Rows.LEVELS, result)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    cells = list(book["results"].iter_rows(values_only=True))
    assert list(cells[0]) == names
    assert len(cells) == number + 1
    assert [row[0] for row in book["dictionary"].iter_rows(min_row=2, values_only=True)] == names
    assert all(cell.data_type != "f" for row in book["results"].iter_rows() for cell in row)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.xlsx"])
def test_the_dictionary_knows_every_column(tmp_path, result, name) -> None:
    """Name, type, meaning, and a unit where the name says that there is one."""
    names, number = table(tmp_path / name, Rows.REGIONS, result)
    schema = json.loads(dictionary_path(tmp_path / name).read_text())
    assert [field["name"] for field in schema["fields"]] == names
    assert schema["rows"] == number
    for field in schema["fields"]:
        assert field["description"]
        for end, unit in (("_hu", "HU"), ("_cm3", "cm3"), ("_mm", "mm"), ("_percent", "%")):
            if field["name"].endswith(end):
                assert field["unit"] == unit


def test_a_damaged_result_is_a_failed_case() -> None:
    """The ledger says done, the file cannot be read: that is a row with its reason, not a gap."""
    columns = columns_of(Rows.CASES)
    rows = list(collect_rows([DONE], lambda _: None, Rows.CASES))
    row = dict(zip([column.name for column in columns], rows[0], strict=True))
    assert (row["state"], row["failure"]) == ("failed", "its result cannot be read")


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path) -> None:
    """The message lists the formats."""
    with pytest.raises(ConfigError, match=r"\.csv, \.parquet, \.xlsx"):
        write_table(tmp_path / "t.ods", columns_of(Rows.CASES), [])
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_leaves_the_old_table(tmp_path) -> None:
    """Half a table looks like a whole one."""

    def rows():
        yield ["x"] * len(columns_of(Rows.CASES))
        raise RuntimeError

    (tmp_path / "t.csv").write_text("old")
    with pytest.raises(RuntimeError):
        write_table(tmp_path / "t.csv", columns_of(Rows.CASES), rows())
    assert (tmp_path / "t.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_changes_are_those_of_one_patient_in_the_order_of_dates(result):
    """Three examinations are two comparisons; other patients, and cases without a date, none."""
    scans = {"c": "2021-01-01", "a": "2023-01-01", "b": "2022-01-01", "undated": None}

    def read(row):
        scan = result.acquisition.model_copy(
            update={"study_date": scans.get(row.case_id, "2020-01-01"), "kvp": 120.0}
        )
        return result.model_copy(
            update={"case_id": row.case_id, "acquisition": scan, "patient_pseudonym": row.patient}
        )

    rows = [replace(DONE, case_id=name) for name in scans]
    rows += [
        replace(DONE, case_id="other", patient="p-2"),
        replace(DONE, case_id="x", patient=None),
    ]
    names = [column.name for column in columns_of(Rows.CHANGES)]
    found = [dict(zip(names, r, strict=True)) for r in collect_rows(rows, read, Rows.CHANGES)]
    pairs = dict.fromkeys((r["earlier_case"], r["earlier_date"], r["days"]) for r in found)
    assert list(pairs) == [("c", "2021-01-01", 365), ("b", "2022-01-01", 365)]
    assert {r["patient"] for r in found} == {"p-1"}
    mean = next(r for r in found if r["level"] == "mean")
    assert (mean["difference"], mean["verdict"]) == (0.0, "not-comparable")
    assert mean["reason"] == "the contrast phase of the earlier and of the later scan is not known"
