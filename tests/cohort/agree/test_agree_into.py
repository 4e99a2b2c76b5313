"""A comparison from files to files: numbers by hand, small cells, and every refusal in words."""

from __future__ import annotations

import csv
import io

import pytest

from osteoct.cohort.commands import agree_into
from osteoct.cohort.folder import write_linked
from osteoct.errors import ConfigError, LinkageError, TableError, UnreadableInputError

QUICK = {"overwrite": False, "no_pdf": True, "no_excel": True, "no_png": True}
FIRST = (101.0, 202.0, 103.0, 150.0, 97.0, 120.0)
SECOND = (99.0, 198.0, 97.0, 152.0, 101.0, 120.0)
DIFFERENCES = (2.0, 4.0, 6.0, -2.0, -4.0, 0.0)


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


@pytest.fixture
def table(tmp_path):
    """Write a table of cases with their trabecular HU and return its path."""

    def write(name, values, column="trabecular_hu", key="case"):
        path = tmp_path / f"{name}.csv"
        lines = [f"C{i},{value}" for i, value in enumerate(values)]
        path.write_text("\n".join([f"{key},{column}", *lines]) + "\n")
        return path

    return write


def agree(first, second, tmp_path, **options):
    said = agree_into(first, second, tmp_path / "out", {**QUICK, **options})
    return said, tmp_path / "out"


def test_bias_limits_scatter_and_change_by_hand(table, tmp_path):
    """Mean difference 1, SD √(70/5); each pair gives half its squared difference to the scatter."""
    said, out = agree(table("a", FIRST), table("b", SECOND), tmp_path, names="reader $1$,<b>")
    (row,) = rows_of(out / "agreement.csv")
    sd = (sum((d - 1) ** 2 for d in DIFFERENCES) / 5) ** 0.5
    scatter = (sum(d**2 / 2 for d in DIFFERENCES) / 6) ** 0.5
    assert (row["n"], row["region"], row["level"], row["unit"]) == ("6", "trabecular", "mean", "HU")
    assert float(row["bias"]) == pytest.approx(1.0)
    assert float(row["lower"]) == pytest.approx(1 - 1.96 * sd, abs=1e-3)
    assert float(row["upper"]) == pytest.approx(1 + 1.96 * sd, abs=1e-3)
    assert float(row["rms_sd"]) == pytest.approx(scatter)
    assert float(row["least_change"]) == pytest.approx(2.77 * scatter)
    assert row["icc_form"] == "ICC(A,1)"
    pairs = rows_of(out / "pairs.csv")
    assert [float(p["difference"]) for p in pairs] == list(DIFFERENCES)
    assert [p["name"] for p in pairs] == [""] * 6, "a name of a table may be a hospital number"
    assert len(rows_of(out / "icc.csv")) == 3
    page = (out / "agreement.html").read_text(encoding="utf-8")
    assert "reader $1$ was compared with &lt;b&gt; in pairs of the same case" in page
    figure = (out / "figures" / "bland_altman.svg").read_text(encoding="utf-8")
    assert "n = 6" in figure
    assert "reader $1$ − &lt;b&gt;, HU" in figure
    assert any("bias 1.0" in line for line in said)


def test_results_compared_with_themselves_under_two_protocols(kit, results, tmp_path):
    """A protocol that was not measured is told; one that was pairs each case with itself."""
    root = results(*(kit.case(f"case-{i}", trabecular=100.0 + i) for i in range(6)))
    with pytest.raises(LinkageError, match="protocol-absent"):
        agree(root, None, tmp_path, protocols="body-core-4,vertebra-core-3.5")


def test_two_folders_of_results(kit, results, tmp_path):
    """Two segmenters on six cases: 3 HU between them at every level, and nothing else."""
    first = results(*(kit.case(f"case-{i}", trabecular=103.0 + 9 * i) for i in range(6)), name="a")
    second = results(*(kit.case(f"case-{i}", trabecular=100.0 + 9 * i) for i in range(6)), name="b")
    said, out = agree(first, second, tmp_path)
    rows = rows_of(out / "agreement.csv")
    hu = [r for r in rows if r["unit"] == "HU"]
    assert len(hu) == 18, "three regions, the mean and five levels"
    assert {round(float(r["bias"]), 6) for r in hu} == {3.0}
    assert {r["reason"] for r in rows if r["unit"] == "cm³"} == {"constant"}
    assert said[0] == "6 pairs"
    assert {p["name"] for p in rows_of(out / "pairs.csv")} == {f"case-{i}" for i in range(6)}


def test_repeats_of_a_folder(kit, results, tmp_path):
    """Five patients twice within a month, one of them a third time a year later."""
    cases = [
        kit.case(f"case-{i}{k}", hospital_id=f"H{i}", day=day, trabecular=100.0 + 9 * i + shift)
        for i in range(5)
        for k, (day, shift) in enumerate((("2020-01-02", 0.0), ("2020-01-20", 4.0)))
    ]
    cases.append(kit.case("case-later", hospital_id="H0", day="2021-01-02"))
    said, out = agree(results(*cases), None, tmp_path, repeats=True)
    row = next(r for r in rows_of(out / "agreement.csv") if r["region"] == "trabecular")
    assert (row["kind"], row["n"], row["icc_form"]) == ("repeats", "5", "ICC(1)")
    assert float(row["bias"]) == pytest.approx(-4.0)
    assert float(row["rms_sd"]) == pytest.approx(8**0.5)
    (left,) = rows_of(out / "unpaired.csv")
    assert (left["name"], left["reason"]) == ("case-later", "outside-window")
    assert {r["days"] for r in rows_of(out / "repeats.csv")} == {"0", "18"}
    assert b"2020-" not in b"".join(p.read_bytes() for p in out.glob("*.csv"))
    assert said[0] == "5 patients with repeats"


def test_repeats_of_a_cohort_are_of_every_ct(kit, results, sheet, tmp_path):
    """Linking keeps one CT per patient for the study, and all of them for agreement."""
    cases = [
        kit.case(f"c{i}{k}", hospital_id=f"H{i}", day=day, trabecular=100.0 + 9 * i + 4 * k)
        for i in range(5)
        for k, day in enumerate(("2020-01-02", "2020-01-20"))
    ]
    linked = kit.link(results(*cases), sheet("H0,2020-01-03,-1,-1,-1,F,71,28"))
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    write_linked(linked, cohort, inputs={})
    assert len(rows_of(cohort / "cohort.csv")) == 1
    assert len(rows_of(cohort / "repeats.csv")) == 10
    _, out = agree(cohort, None, tmp_path, repeats=True)
    row = next(r for r in rows_of(out / "agreement.csv") if r["region"] == "trabecular")
    assert (row["n"], float(row["rms_sd"])) == ("5", pytest.approx(8**0.5))


@pytest.mark.parametrize(("n", "hidden"), [(4, True), (5, False)])
def test_fewer_than_five_pairs_are_not_printed(table, tmp_path, n, hidden):
    """Neither their number, nor what rests on them, nor the pairs one by one."""
    said, out = agree(table("a", FIRST[:n]), table("b", SECOND[:n]), tmp_path)
    (row,) = rows_of(out / "agreement.csv")
    assert (row["n"], row["bias"] == "") == (("<5", True) if hidden else ("5", False))
    assert (out / "pairs.csv").exists() != hidden
    assert ("<5 pairs" in said) == hidden
    drawn = (out / "figures" / "bland_altman.svg").read_text(encoding="utf-8")
    assert ("too few pairs" in drawn) == hidden


def test_one_pair_and_constant_values_say_why(table, tmp_path):
    """One pair has no limits; equal values have a bias of nothing and no ICC."""
    said, _ = agree(table("a", [1]), table("b", [2]), tmp_path, allow_small_cells=True)
    assert any("no limits of agreement (too-few)" in line for line in said)
    (tmp_path / "c").mkdir()
    _, out = agree(table("d", [5] * 6), table("e", [5] * 6), tmp_path / "c")
    (row,) = rows_of(out / "agreement.csv")
    assert (row["reason"], row["icc_reason"], row["icc"]) == ("constant", "constant", "")


def test_missing_values_are_counted_not_zero(table, tmp_path):
    """NaN, an empty cell and a dash are missing; the rest is compared."""
    first = table("a", [*FIRST, "NaN", "", "–"])
    _, out = agree(first, table("b", [*SECOND, 1, 2, 3]), tmp_path)
    (row,) = rows_of(out / "agreement.csv")
    assert (row["n"], row["n_missing"]) == ("6", "<5")
    assert float(row["bias"]) == pytest.approx(1.0)


def test_tables_that_cannot_be_right_are_refused(table, tmp_path):
    """Every problem with its row, and no name of a patient in it."""
    good = table("good", FIRST)
    bad = tmp_path / "bad.csv"
    bad.write_text("patient,trabecular_hu\nSECRET,1\nSECRET,2\nX,12x\n,3\n")
    with pytest.raises(TableError) as caught:
        agree(bad, good, tmp_path)
    assert caught.value.problems == (
        "row 4, column 'trabecular_hu': no number",
        "row 5: neither case nor patient",
        "row 3: the same name as row 2",
    )
    assert "SECRET" not in str(caught.value)
    with pytest.raises(TableError, match="no column of numbers with their unit"):
        agree(good, table("plain", FIRST, column="trabecular"), tmp_path)
    with pytest.raises(LinkageError, match=r"trabecular HU against trabecular mg/cm³"):
        agree(good, table("density", FIRST, column="trabecular_mg_cm3"), tmp_path)
    with pytest.raises(UnreadableInputError, match="does not exist"):
        agree(good, tmp_path / "no-such.csv", tmp_path)


@pytest.mark.parametrize(
    ("second", "options", "words"),
    [
        (False, {}, "one input alone"),
        (True, {"repeats": True}, "--repeats takes one input"),
        (False, {"repeats": True, "protocols": "body-core-4,axial-roi"}, "--repeats takes one"),
        (False, {"protocols": "body-core-4,axial-roi"}, "a table holds one protocol"),
        (True, {"protocols": "body-core-4"}, "two different names"),
        (True, {"protocols": "body-core-4,no-such"}, "unknown protocol"),
        (True, {"protocols": "body-core-4,axial-roi", "protocol": "axial-roi"}, "exclude"),
        (True, {"names": "a,a"}, "two different names"),
        (True, {"window_days": -1}, "window_days"),
        (None, {}, "both inputs are the same"),
    ],
)
def test_options_that_do_not_fit(table, tmp_path, second, options, words):
    """Told before anything is read or written."""
    first = table("a", FIRST)
    other = {True: table("b", SECOND), False: None, None: first}[second]
    with pytest.raises(ConfigError, match=words):
        agree(first, other, tmp_path, **options)
    assert not (tmp_path / "out").exists()


def test_cohorts_of_two_protocols_are_not_compared_by_accident(kit, results, tmp_path):
    """A core 4 mm below the body is no second reading of one 3.5 mm below the vertebra."""
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    (cohort / "cohort.toml").write_text('[configuration]\nprotocol = "body-core-4"\n')
    (cohort / "cohort.csv").write_text("patient,trabecular_hu\np,1\n")
    with pytest.raises(ConfigError, match="different protocols"):
        agree(results(kit.case("case-1")), cohort, tmp_path)
