"""Linking: who meets whom, by which rule, and why everybody else stays out."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from osteoct.anatomy import Level
from osteoct.cohort.dxa.mapping import DxaMap
from osteoct.cohort.linking.choices import LinkChoices
from osteoct.cohort.linking.link import link_cohort
from osteoct.errors import UnreadableInputError

TODAY = date(2024, 1, 1)


def dxa(patient, day, lumbar="-2.5", sex="F", age="71"):
    return f"{patient},{day},{lumbar},-1.0,0.3,{sex},{age},28.1"


def reasons(cohort):
    return {(r.side, r.name): r.reason for r in cohort.unlinked.itertuples()}


def test_a_hospital_number_becomes_the_pseudonym_of_the_ct(kit, results, sheet):
    """The table's number and the CT's PatientID meet under the key; neither is written."""
    cohort = kit.link(results(kit.case("c1", hospital_id="H-1")), sheet(dxa("H-1", "2020-03-02")))
    (row,) = cohort.table.to_dict("records")
    assert row["patient"] == kit.pseudonym("H-1")
    assert row["days_between"] == 60
    assert (row["trabecular_hu"], row["total_hu"], row["cortical_hu"]) == (152.0, 217.0, 252.0)
    assert (row["trabecular_hu_l1"], row["trabecular_hu_l5"]) == (150.0, 154.0)
    assert (row["t_lumbar"], row["group"], row["outcome_osteoporosis"]) == (-2.5, "osteoporosis", 1)
    assert not cohort.table[["ct_date", "dxa_date"]].notna().any().any()
    assert not len(cohort.unlinked)
    assert "H-1" not in cohort.table.to_csv()


def test_what_is_being_replaced_is_no_ct_of_its_own(kit, results, sheet):
    """A batch that was killed leaves a replaced result in a folder with a dot."""
    tree = results(kit.case("c1", hospital_id="H-1"))
    (file,) = tree.rglob("case.json")
    old = file.parent.parent / ".c1.x.old" / "result"
    old.mkdir(parents=True)
    shutil.copy(file, old)
    cohort = kit.link(tree, sheet(dxa("H-1", "2020-03-02")))
    assert len(cohort.table) == 1
    assert not len(cohort.unlinked)


def test_an_issuer_is_part_of_the_number(kit, results, sheet):
    """Two hospitals have the same number; without the issuer nobody meets."""
    case = kit.case("c1", hospital_id="H-1").model_copy(
        update={"patient_pseudonym": kit.pseudonym("H-1", "CLINIC")}
    )
    tree, table = results(case), sheet(dxa("H-1", "2020-03-02"))
    assert kit.link(tree, table).table.empty
    assert len(kit.link(tree, table, asked=DxaMap(issuer="CLINIC")).table) == 1


@pytest.mark.parametrize("name", ["c1", None])
def test_case_ids_and_pseudonyms_need_no_key(kit, results, sheet, name):
    """A table that was pseudonymised elsewhere."""
    patient = name or kit.pseudonym("H-1")
    cohort = link_cohort(
        results(kit.case("c1", hospital_id="H-1")),
        sheet(dxa(patient, "2020-03-02")),
        get_key=lambda _: pytest.fail("no key is needed"),
        today=TODAY,
    )
    assert list(cohort.table["patient"]) == [kit.pseudonym("H-1")]


@pytest.mark.parametrize(("day", "is_in"), [("2020-04-01", True), ("2020-04-02", False)])
@pytest.mark.parametrize("is_before", [True, False])
def test_the_window_holds_at_its_limit(kit, results, sheet, day, is_in, is_before):
    """90 days are within 90 days, 91 are not, before or after the CT."""
    ct, scan = ("2020-01-02", day) if not is_before else (day, "2020-01-02")
    cohort = kit.link(
        results(kit.case("c1", hospital_id="H", day=ct)),
        sheet(dxa("H", scan)),
        choices=LinkChoices(window_days=90),
    )
    assert len(cohort.table) == is_in
    if not is_in:
        assert set(reasons(cohort).values()) == {"outside-window"}


def test_the_nearest_dxa_wins_and_a_tie_goes_to_the_earlier(kit, results, sheet):
    """Fewer days first; at equal days the DXA before the CT."""
    tree = results(kit.case("c1", hospital_id="H", day="2020-06-15"))
    cohort = kit.link(
        tree,
        sheet(
            dxa("H", "2020-06-25", "-3.0"), dxa("H", "2020-06-05", "-1.5"), dxa("H", "2020-01-01")
        ),
    )
    assert cohort.table["t_lumbar"].tolist() == [-1.5]
    assert cohort.table["days_between"].tolist() == [-10]
    assert [(r.row, r.reason) for r in cohort.unlinked.itertuples()] == [
        (2, "other-scan-nearer"),
        (4, "other-scan-nearer"),
    ]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [("nearest", ["b"]), ("first", ["a"]), ("last", ["c"]), ("all", ["b", "c", "a"])],
)
def test_repeated_cts(kit, results, sheet, rule, wanted):
    """One row per patient by the stated rule, and all rows on request."""
    days = {"a": "2020-01-01", "b": "2020-05-30", "c": "2020-08-01"}
    hu = {name: 100.0 + 10 * n for n, name in enumerate(days)}
    cases = [
        kit.case(name, hospital_id="H", day=day, trabecular=hu[name]) for name, day in days.items()
    ]
    cohort = kit.link(
        results(*cases), sheet(dxa("H", "2020-06-05")), choices=LinkChoices(repeats=rule)
    )
    assert cohort.table["trabecular_hu"].tolist() == [hu[name] + 2 for name in wanted]
    left = {name for (side, name) in reasons(cohort) if side == "ct"}
    assert left == set(days) - set(wanted)


def test_every_ct_of_a_patient_with_several_is_kept_for_repeats(kit, results, sheet):
    """Whichever CT counts in the cohort; days from the first, no date, nobody with one CT."""
    cases = [
        kit.case("late", hospital_id="H-1", day="2020-01-20"),
        kit.case("early", hospital_id="H-1", day="2020-01-02"),
        kit.case("alone", hospital_id="H-2", day="2020-01-02"),
        kit.case("blocked", hospital_id="H-2", day="2020-01-03", is_blocked=True),
    ]
    cohort = kit.link(results(*cases), sheet(dxa("H-1", "2020-03-02")))
    rows = cohort.repeats.to_dict("records")
    assert [(r["patient"], r["days_from_first_ct"]) for r in rows] == [
        (kit.pseudonym("H-1"), 0),
        (kit.pseudonym("H-1"), 18),
    ]
    assert {r["trabecular_hu"] for r in rows} == {152.0}
    assert "2020" not in cohort.repeats.to_csv()


def test_every_row_that_stays_out_has_its_reason(kit, results, sheet):
    """Both sides; the flow counts add up."""
    tree = results(
        kit.case("in", hospital_id="P0"),
        kit.case("nobody", hospital_id="P1"),
        kit.case("cut", hospital_id="P2", absent=(Level.L5,)),
        kit.case("blocked", hospital_id="P3", is_blocked=True),
        kit.case("man", hospital_id="P4", patient_sex="M"),
        kit.case("young", hospital_id="P5", patient_age_years=40.0),
        kit.case("undated", hospital_id="P6", day=None),
        kit.case("in", hospital_id="P7"),
        kit.case("seen", hospital_id="P8"),
        kit.case("bare", hospital_id="P10"),
    )
    (tree / "000" / "broken").mkdir()
    (tree / "000" / "broken" / "case.json").write_text("{")
    rows = [dxa(f"P{n}", "2020-03-02") for n in (0, 2, 3, 4, 5, 6, 7, 8, 9)]
    bare = "P10,2020-03-02,,,,F,71,28"
    (tree / "review.csv").write_text("case_id,decision\nseen,reject\n")
    cohort = kit.link(tree, sheet(*rows, bare))
    assert list(cohort.table["patient"]) == [kit.pseudonym("P0")]
    found = reasons(cohort)
    wanted = {
        "nobody": "no-dxa",
        "cut": "levels-missing",
        "blocked": "blocking-finding",
        "man": "sex-differs",
        "young": "age-differs",
        "undated": "date-unknown",
        "in": "repeated-case",
        "seen": "rejected-on-review",
        "bare": "no-t-score",
        "file 1": "unreadable-result",
    }
    assert {name: r for (side, name), r in found.items() if side == "ct"} == wanted
    assert found["dxa", kit.pseudonym("P9")] == "no-ct"
    assert found["dxa", kit.pseudonym("P2")] == "ct-excluded"
    assert found["dxa", kit.pseudonym("P6")] == "date-unknown"
    for side in ("ct", "dxa"):
        rows = [r for r in cohort.flow if r.side == side]
        screened = sum(r.n for r in rows if r.step == "screened")
        assert screened == sum(r.n for r in rows if r.step != "screened") + (side == "dxa")


def test_a_rejected_level_does_not_count(kit, results, sheet):
    """A person looked at L5; an older decision about another result says nothing."""
    tree = results(kit.case("c1", hospital_id="H"))
    table = sheet(dxa("H", "2020-03-02"))
    (tree / "review.csv").write_text("case_id,decision,levels\nc1,reject,L5\n")
    assert set(reasons(kit.link(tree, table)).values()) == {"levels-missing", "ct-excluded"}
    cohort = kit.link(tree, table, choices=LinkChoices(min_levels=4))
    assert cohort.table["trabecular_hu"].tolist() == [151.5]
    old = f"case_id,decision,levels,result_sha256\nc1,reject,,{'0' * 64}\n"
    (tree / "review.csv").write_text(old)
    assert kit.link(tree, table).table["trabecular_hu"].tolist() == [152.0]


def test_age_at_its_limit(kit, results, sheet):
    """Two years of difference are rounding; more is another person."""
    for age, is_in in (("42", True), ("42.1", False)):
        cohort = kit.link(
            results(kit.case(f"c{age}", hospital_id=age, patient_age_years=40.0), name=age),
            sheet(dxa(age, "2020-01-02", age=age)),
        )
        assert (kit.pseudonym(age) in set(cohort.table["patient"])) is is_in


def test_on_request_fewer_levels_blocked_cases_dates_and_undated_cases(kit, results, sheet):
    """Each choice lets in what the default leaves out, and marks it."""
    tree = results(
        kit.case("cut", hospital_id="P2", absent=(Level.L5,)),
        kit.case("blocked", hospital_id="P3", is_blocked=True),
        kit.case("undated", day=None),
    )
    table = sheet(*(dxa(name, "2020-03-02") for name in ("P2", "P3", "undated")))
    assert kit.link(tree, table).table.empty
    choices = LinkChoices(min_levels=4, keep_blocked=True, keep_dates=True, allow_undated=True)
    rows = kit.link(tree, table, choices=choices).table.set_index("patient").to_dict("index")
    cut, blocked = rows[kit.pseudonym("P2")], rows[kit.pseudonym("P3")]
    assert cut["trabecular_hu"] == 151.5
    assert (blocked["has_blocking"], cut["has_blocking"]) == (1, 0)
    assert (cut["ct_date"], cut["dxa_date"]) == ("2020-01-02", "2020-03-02")
    assert rows["undated"]["days_between"] != rows["undated"]["days_between"]


def test_nobody_linked_is_an_empty_table_with_reasons(kit, results, sheet):
    """Not a failure: the reasons are the result."""
    cohort = kit.link(results(kit.case("c1", hospital_id="A")), sheet(dxa("B", "2020-03-02")))
    assert cohort.table.empty
    assert sorted(reasons(cohort).values()) == ["no-ct", "no-dxa"]


def test_a_folder_without_results_is_refused(kit, tmp_path, sheet):
    """A wrong path must not look like a cohort of nobody."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableInputError, match=r"case\.json"):
        kit.link(tmp_path / "empty", sheet(dxa("B", "2020-03-02")))
