"""``osteoct cohort`` as a user types it: from a patient's CT to the tables, and from a drawing."""

from __future__ import annotations

import csv
import io
import json

import pytest

QUICK = "pdf = false\nexcel = false\npng = false\n[statistics]\nn_bootstrap = 5\nn_validation = 2\n"


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.fixture
def quick(tmp_path):
    path = tmp_path / "quick.toml"
    path.write_text(QUICK)
    return path


def test_from_a_ct_and_a_dxa_sheet_to_the_report(osteoct, patient, tmp_path, quick):
    """The whole way: the phantom's PatientID in a sheet finds the phantom's CT."""
    done = osteoct(
        "analyze", patient.dicom, "--masks", patient.masks, "-o", tmp_path / "results" / "a"
    )
    assert done.code == 0, done.err
    sheet = tmp_path / "dxa.csv"
    sheet.write_text(
        "Patient ID;Scan date;Sex;Age;T-score L1-L4;T-score femoral neck\n"
        "PHANTOM-0001;02.03.2020;F;71;-2,6;-1,0\n"
        "SOMEBODY-ELSE;02.03.2020;M;50;0,1;0,2\n"
    )
    link = ("cohort", "link", tmp_path / "results", "--dxa", sheet, "-o", tmp_path / "cohort")
    strict = osteoct(*link)
    assert strict.code == 1
    assert any("too few levels of L1–L5 measured" in line for line in strict.said)
    told = osteoct(*link, "--min-levels", "2", "--overwrite")
    assert told.code == 0, told.err
    assert any("t_lumbar ← 'T-score L1-L4'" in line for line in told.said)
    (row,) = rows_of(tmp_path / "cohort" / "cohort.csv")
    case = json.loads((tmp_path / "results" / "a" / "case.json").read_text())
    assert row["patient"] == case["patient_pseudonym"]
    assert (row["days_between"], row["t_lumbar"], row["group"]) == ("60", "-2.6", "osteoporosis")
    wanted = next(
        s["value_hu"]
        for s in case["summaries"]
        if (s["protocol"], s["region"], s["statistic"])
        == ("vertebra-core-3.5", "trabecular", "mean")
    )
    assert float(row["trabecular_hu"]) == pytest.approx(wanted, abs=0.001)
    (left,) = rows_of(tmp_path / "cohort" / "unlinked.csv")
    assert (left["side"], left["row"], left["reason"]) == ("dxa", "3", "no-ct")
    everything = b"".join(p.read_bytes() for p in (tmp_path / "cohort").iterdir())
    for name in (b"PHANTOM-0001", b"SOMEBODY", b"2020-01-02", b"2020-03-02"):
        assert name not in everything
    done = osteoct(
        "cohort", "analyze", tmp_path / "cohort", "-o", tmp_path / "out", "--config", quick
    )
    assert done.code == 0, done.err
    assert any("Too few patients" in line for line in done.said)
    assert (tmp_path / "out" / "cohort.html").is_file()


def test_from_a_drawing_to_the_report(osteoct, tmp_path, quick):
    """Two commands, and every word on the terminal says that nobody is behind it."""
    drawn, out = tmp_path / "drawn", tmp_path / "out"
    assert osteoct("cohort", "simulate", "--n", "60", "--seed", "4", "-o", drawn).code == 0
    assert len(rows_of(drawn / "cohort.csv")) == 60
    done = osteoct("cohort", "analyze", drawn, "-o", out, "--config", quick, "--site", "lumbar")
    assert done.code == 0, done.err
    assert done.said[0].startswith("SYNTHETIC DATA")
    written = json.loads((out / "results.json").read_text())
    assert written["configuration"]["statistics"]["site"] == "lumbar"
    assert written["configuration"]["statistics"]["n_bootstrap"] == 5
    told = osteoct("cohort", "cutoff", "apply", drawn, "--json")
    assert {row["rule"] for row in json.loads(told.out)} >= {"study-2026-trabecular-low"}
    one = osteoct("cohort", "cutoff", "apply", drawn, "--rule", "study-2026-trabecular-low")
    assert one.out.startswith("study-2026-trabecular-low")
    assert osteoct("cohort", "cutoff", "apply", drawn, "--rule", "no-such").code == 2


def test_two_protocols_of_one_result_agree(osteoct, patient, tmp_path):
    """From a CT to the comparison of two protocols, and every refusal with its exit code."""
    done = osteoct(
        "analyze", patient.dicom, "--masks", patient.masks, "-o", tmp_path / "results" / "a",
        "--protocol", "body-core-4", "--protocol", "vertebra-core-3.5",
    )  # fmt: skip
    assert done.code == 0, done.err
    agree = ("cohort", "agree", tmp_path / "results", "-o", tmp_path / "out", "--no-pdf")
    done = osteoct(*agree, "--protocols", "body-core-4,vertebra-core-3.5", "--allow-small-cells")
    assert done.code == 0, done.err
    assert done.said[0] == "1 pair"
    pairs = rows_of(tmp_path / "out" / "pairs.csv")
    case = json.loads((tmp_path / "results" / "a" / "case.json").read_text())
    assert {row["name"] for row in pairs} == {case["case_id"]}
    wanted = {
        (level["level"], region["protocol"]): region["hu"]["mean_hu"]
        for level in case["levels"]
        for region in level["regions"]
        if region["region"] == "trabecular" and region["hu"] is not None and level["usable"]
    }
    found = [r for r in pairs if (r["region"], r["unit"]) == ("trabecular", "HU")]
    assert found
    for row in found:
        assert float(row["first"]) == wanted[row["level"], "body-core-4"]
        assert float(row["second"]) == wanted[row["level"], "vertebra-core-3.5"]
    assert (tmp_path / "out" / "workbook.xlsx").is_file()
    assert osteoct(*agree, "--overwrite").code == 2
    again = osteoct(*agree, "--repeats", "--overwrite")
    assert again.code == 3
    assert any("1 patients, 0 of them with several CTs" in line for line in again.said)


def test_problems_of_a_table_have_a_line_each(osteoct, tmp_path, patient):
    """A refusal of one line could not be read; the exit code is that of a refused input."""
    sheet = tmp_path / "dxa.csv"
    sheet.write_text("id,date,T neck\nSECRET,2020-01-01,-25\nSECRET2,2020-13-01,-1\n")
    told = osteoct("cohort", "link", patient.folder, "--dxa", sheet, "-o", tmp_path / "cohort")
    assert told.code == 3
    assert [line.partition(":")[0] for line in told.said[:2]] == [
        "row 2, column 'T neck'",
        "row 3, column 'date'",
    ]
    assert "2 problems in the table" in told.said[2]
    assert "SECRET" not in told.err
    assert not (tmp_path / "cohort").exists()


def test_words_that_are_none(osteoct, tmp_path):
    """Usage mistakes end with 2 before anything is read."""
    sheet = tmp_path / "dxa.csv"
    sheet.write_text("id,date,T neck\nA,2020-01-01,-2\n")
    link = ("cohort", "link", tmp_path, "--dxa", sheet, "-o", tmp_path / "cohort")
    assert osteoct(*link, "--protocol", "no-such").code == 2
    assert osteoct(*link, "--min-levels", "6").code == 2
    assert osteoct("cohort", "simulate", "--n", "0", "-o", tmp_path / "drawn").code == 2
    assert osteoct("cohort", "analyze", tmp_path / "no-such", "-o", tmp_path / "out").code == 3
