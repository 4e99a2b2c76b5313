"""A whole analysis: every file there, the same bytes twice, nothing that should not be printed."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile

import pandas as pd
import pytest

from osteoct.cohort.columns import SYNTHETIC
from osteoct.cohort.commands import analyze_into, simulate_into
from osteoct.cohort.csv_text import table_csv
from osteoct.cohort.folder import read_cohort
from osteoct.cohort.report.choices import ReportChoices
from osteoct.cohort.report.cohort_agreement import compare_repeats
from osteoct.cohort.report.tables import CORRELATION_COLUMNS, ROC_COLUMNS, ROC_PAIR_COLUMNS
from osteoct.cohort.simulate.drawing import draw_cohort
from osteoct.cohort.statistics.choices import StatisticsChoices
from osteoct.errors import ConfigError, OutputExistsError, TableError

QUICK = ReportChoices(
    statistics=StatisticsChoices(definition="study", n_bootstrap=20, n_validation=5)
)
TEXT = QUICK.model_copy(update={"pdf": False, "excel": False, "png": False})

FIGURES = {
    "flow", "scatter", "levels", "groups", "roc", "calibration", "decision", "robustness_low_bmd",
    "robustness_osteoporosis", "bland_altman",
}  # fmt: skip
TABLES = {
    "correlations.csv", "roc.csv", "roc_pairs.csv", "cutoffs.csv", "groups.csv", "flow.csv",
    "robustness.csv", "models.csv", "describe/table1.csv",
}  # fmt: skip


def files_of(folder):
    return {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def analyze_table(tmp_path, table, *, choices=TEXT, name="out"):
    """Analyse a bare table, under names that are not synthetic."""
    path = tmp_path / f"{name}.csv"
    path.write_text(table_csv(table), newline="")
    out = tmp_path / name
    done = analyze_into(path, out, choices, overwrite=False)
    return out, done


def measured(n=60, seed=1):
    table = draw_cohort(n, seed=seed)
    table["patient"] = [f"P{i}" for i in range(n)]
    return table


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """One synthetic cohort, analysed with every output."""
    folder = tmp_path_factory.mktemp("cohort")
    simulate_into(80, 1, folder / "cohort", overwrite=False)
    repeats = [
        f"SYNTHETIC-{i:06d},{day},{100 + 9 * i + shift},SYNTHETIC"
        for i in range(6)
        for day, shift in ((0, 0), (9, 4))
    ]
    header = "patient,days_from_first_ct,trabecular_hu,SYNTHETIC"
    (folder / "cohort" / "repeats.csv").write_text("\n".join([header, *repeats]) + "\n")
    analyze_into(folder / "cohort", folder / "out", QUICK, overwrite=False)
    return folder


@pytest.fixture(scope="module")
def three_healthy():
    """Patients of whom three are healthy."""
    table = measured(80)
    healthy = table.index[table["group"] == "healthy"]
    return table.drop(healthy[3:])


@pytest.fixture(scope="module")
def shown(tmp_path_factory, three_healthy):
    """They, analysed with small cells allowed."""
    choices = TEXT.model_copy(update={"allow_small_cells": True})
    return analyze_table(tmp_path_factory.mktemp("shown"), three_healthy, choices=choices)[0]


def test_every_file_is_there(synthetic):
    """What the pages promise."""
    wanted = TABLES | {f"figures/{f}.{kind}" for f in FIGURES for kind in ("svg", "png")}
    wanted |= {"cohort.html", "cohort.pdf", "results.json", "workbook.xlsx"}
    wanted |= {"agreement.csv", "icc.csv"}
    assert set(files_of(synthetic / "out")) == wanted


def test_the_same_inputs_give_the_same_bytes(synthetic):
    """PDF, workbook and figures included: no time of day, no random id."""
    again = synthetic / "again"
    analyze_into(synthetic / "cohort", again, QUICK, overwrite=False)
    first, second = files_of(synthetic / "out"), files_of(again)
    assert set(first) == set(second)
    assert [n for n in first if first[n].read_bytes() != second[n].read_bytes()] == []


def test_every_file_says_synthetic(synthetic):
    """Drawn numbers must not pass for measured ones, whichever file somebody keeps."""
    folders = [*files_of(synthetic / "cohort").items(), *files_of(synthetic / "out").items()]
    for name, path in folders:
        data = path.read_bytes()
        if name.endswith((".csv", ".html", ".json", ".svg", ".toml")):
            assert SYNTHETIC.encode() in data, name
        if name.endswith(".csv"):
            rows = list(csv.reader(io.StringIO(data.decode())))
            assert all(any(SYNTHETIC in cell for cell in row) for row in rows[1:]), name
        if name.endswith(".xlsx"):
            with zipfile.ZipFile(path) as book:
                assert SYNTHETIC in book.read("xl/sharedStrings.xml").decode()


def test_columns_are_those_promised(synthetic, shown):
    """Other programs read them by name; of measured cohorts there is not one column more."""
    for name, columns in (
        ("correlations", CORRELATION_COLUMNS),
        ("roc", ROC_COLUMNS),
        ("roc_pairs", ROC_PAIR_COLUMNS),
    ):
        header = (shown / f"{name}.csv").read_text().splitlines()[0].split(",")
        assert tuple(header) == columns
        marked = (synthetic / "out" / f"{name}.csv").read_text().splitlines()[0].split(",")
        assert tuple(marked) == (*columns, SYNTHETIC)
    assert "SYNTHETIC" not in (shown / "cohort.html").read_text(encoding="utf-8")


def test_the_page_needs_no_other_file(synthetic):
    """It is sent by mail; and it says what it cannot do."""
    page = (synthetic / "out" / "cohort.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "cannot rule out low bone density" in page
    assert "STARD 19" in page
    assert page.count("<figure") == len(FIGURES)


def test_no_small_cell_in_any_text(tmp_path, three_healthy, shown):
    """Three healthy patients: their count stands nowhere, nor what rests on it."""
    out, _ = analyze_table(tmp_path, three_healthy)
    rows = rows_of(out / "roc.csv")
    low = [r for r in rows if r["outcome"] == "low_bmd"]
    assert {(r["n_pos"], r["n_neg"], r["auc"]) for r in low} == {("hidden", "<5", "")}
    assert all(r["auc"] for r in rows if r["outcome"] == "osteoporosis")
    (first, *_) = rows_of(out / "describe" / "table1.csv")
    assert first["healthy"] == "<5"
    assert "hidden" in first.values()
    counts = json.loads((out / "results.json").read_text())["results"]["group_counts"]
    assert counts["healthy"] == "<5"
    page = (out / "cohort.html").read_text(encoding="utf-8")
    assert "Healthy: 3" not in page
    flow = (out / "figures" / "flow.svg").read_text(encoding="utf-8")
    assert "Healthy: &lt;5" in flow
    rows = rows_of(shown / "roc.csv")
    assert {r["n_neg"] for r in rows if r["outcome"] == "low_bmd"} == {"3"}


def _no_healthy(table):
    return table[table["group"] != "healthy"]


def _equal_t_scores(table):
    return table.assign(t_lumbar=-1.5, t_femoral_neck=-1.5, t_total_hip=-1.5)


def _nothing_known(table):
    return table.assign(**dict.fromkeys(table.columns[1:]))


def _nobody(table):
    return table.iloc[:0]


def _one(table):
    return table.iloc[:1]


@pytest.mark.parametrize(
    "spoil", [_no_healthy, _equal_t_scores, _nothing_known, _nobody, _one], ids=lambda f: f.__name__
)
def test_cohorts_with_nothing_to_say_say_so(tmp_path, spoil):
    """No failure, no number out of nothing: figures and page say that there are too few."""
    out, done = analyze_table(tmp_path, spoil(measured()))
    assert set(files_of(out)) >= TABLES
    figure = (out / "figures" / "roc.svg").read_text(encoding="utf-8")
    assert "too few patients" in figure
    assert "nan" not in (out / "results.json").read_text().lower()
    if spoil in (_nothing_known, _nobody, _one):
        assert done.headline[0] == "Too few patients: nothing could be estimated."


def test_repeated_cts_get_a_section(synthetic):
    """Where patients have several CTs within a month, the report tells how far they agree."""
    (row,) = rows_of(synthetic / "out" / "agreement.csv")
    assert (row["kind"], row["n"], row["icc_form"]) == ("repeats", "6", "ICC(1)")
    assert float(row["rms_sd"]) == pytest.approx(8**0.5)
    page = (synthetic / "out" / "cohort.html").read_text(encoding="utf-8")
    assert "Agreement of repeated CTs" in page
    assert "They were 9 days apart" in page
    written = json.loads((synthetic / "out" / "results.json").read_text())["results"]
    assert written["agreement"][0]["n"] == 6


def test_repeats_of_unknown_day_are_told_and_not_compared(tmp_path):
    """A bare table with every patient twice and no days: no section, and a sentence why."""
    table = measured(12)
    path = tmp_path / "twice.csv"
    path.write_text(table_csv(pd.concat([table, table])), newline="")
    found = compare_repeats(read_cohort(path), TEXT)
    assert found.section is None
    assert "no two that may be compared" in found.absence


def test_a_bare_table_needs_its_columns(tmp_path):
    """All that are missing are named."""
    with pytest.raises(TableError, match=r"t_lumbar.*total_hu"):
        analyze_table(tmp_path, measured().drop(columns=["t_lumbar", "total_hu"]))


def test_another_protocol_is_refused(synthetic):
    """The numbers are of one protocol: asking for another cannot change them."""
    other = ReportChoices(statistics=StatisticsChoices(protocol="body-core-4"))
    with pytest.raises(ConfigError, match="another protocol"):
        analyze_into(synthetic / "cohort", synthetic / "other", other, overwrite=False)


def test_an_earlier_result_is_not_lost(synthetic):
    """Only on request, and never a folder of something else."""
    with pytest.raises(OutputExistsError):
        analyze_into(synthetic / "cohort", synthetic / "out", TEXT, overwrite=False)
    with pytest.raises(OutputExistsError):
        analyze_into(synthetic / "cohort", synthetic / "cohort", TEXT, overwrite=True)
