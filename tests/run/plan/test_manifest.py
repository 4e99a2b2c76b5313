"""A table of cases: wrong cells are named all at once, missing files are rows."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyarrow import parquet

from osteoct.errors import TableError, UnreadableInputError
from osteoct.run.plan import manifest as module
from osteoct.run.plan.interface import Found
from osteoct.run.records import Refusal


@pytest.fixture
def table(tmp_path):
    """Write a manifest beside some images."""
    for name in ("a.nii.gz", "b.nii.gz", "seg.nii.gz"):
        (tmp_path / name).write_bytes(name.encode())

    def write(text, name="cases.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_rows_keep_their_order_and_paths_begin_at_the_table(table, entries, tmp_path):
    """Who sorts a table by urgency wants it worked off so."""
    path = table(f"ct,masks,case_id\nb.nii.gz,seg.nii.gz,z\n{tmp_path}/a.nii.gz,,a\n\n")
    found, _ = entries(path)
    assert [c.case_id for c in found] == ["z", "a"]
    assert found[0].inputs.ct == (str(tmp_path / "b.nii.gz"),)
    assert found[0].inputs.masks == str(tmp_path / "seg.nii.gz")
    assert found[1].inputs.masks is None


@pytest.mark.parametrize("suffix", ["semicolons", "bom", "parquet"])
def test_every_way_to_write_it(table, entries, tmp_path, suffix):
    """Spreadsheets write semicolons and marks; Parquet keeps empty cells apart from empty text."""
    plain, _ = entries(table("ct,case_id\na.nii.gz,x\nb.nii.gz,\n"))
    if suffix == "parquet":
        cells = {"ct": ["a.nii.gz", "b.nii.gz"], "case_id": ["x", None]}
        path = tmp_path / "cases.parquet"
        parquet.write_table(pa.table(cells), path)
    elif suffix == "bom":
        path = table("\ufeffct,case_id\r\na.nii.gz,x\r\nb.nii.gz,\r\n")
    else:
        path = table("ct;case_id\na.nii.gz;x\nb.nii.gz;\n")
    assert entries(path)[0] == plain


def test_all_wrong_cells_are_named_at_once(table, entries):
    """Correcting one cell per attempt would take a day; nothing is planned before."""
    path = table(
        "ct,masks,body_masks,case_id\n"
        "a.nii.gz,,,ok\n"
        ",seg.nii.gz,,one\n"
        "a.nii.gz,,seg.nii.gz,two\n"
        "b.nii.gz,,,a/b\n"
        "s3://key:secret@bucket/ct.nii.gz,,,four\n"
        "1.2.840.113619.2,,,five\n"
        "b.nii.gz,,,OK\n"
        "c, c.nii.gz,,,six\n"
    )
    with pytest.raises(TableError) as caught:
        entries(path)
    places = [problem.split(":")[0] for problem in caught.value.problems]
    assert places == [
        *("row 3, ct", "row 4, body_masks", "row 5, case_id", "row 6, ct", "row 7, ct"),
        *("row 9, last cell", "row 8, case_id"),
    ]
    assert "secret@" not in caught.value.line
    assert "the same case as in row 2" in caught.value.problems[-1]


@pytest.mark.parametrize(("limit", "tail"), [(2, "and 1 more"), (3, "row 4")])
def test_very_many_wrong_cells_are_counted(table, entries, monkeypatch, limit, tail):
    """A million problems would fill the memory; exactly the limit is still named."""
    monkeypatch.setattr(module, "MAX_NAMED", limit)
    with pytest.raises(TableError, match="3 cells cannot be right") as caught:
        entries(table("ct,case_id\n,a\n,b\n,c\n"))
    assert caught.value.problems[-1].startswith(tail)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("ct,body_mask", "column 'body_mask' is unknown"),
        ("masks", "column 'ct' is missing"),
        ("ct,ct", "column 'ct' comes twice"),
    ],
)
def test_a_header_that_cannot_be_right(table, entries, header, problem):
    """A misspelt column would be left out, and the numbers be others."""
    with pytest.raises(TableError, match=problem):
        entries(table(f"{header}\na.nii.gz,b\n"))


def test_what_is_no_table(table, entries, tmp_path):
    """One line that says so, not a trace."""
    with pytest.raises(UnreadableInputError, match="is not a Parquet file"):
        entries(table("ct\n", "x.parquet"))
    (tmp_path / "y.csv").write_bytes(b"ct\n\xff\xfe\n")
    with pytest.raises(UnreadableInputError, match="is not a CSV file"):
        entries(tmp_path / "y.csv")


def test_files_that_are_not_there_are_rows(table, entries):
    """One of 100 000 that was moved must not stop the others."""
    path = table("ct,masks,case_id\nmoved.nii.gz,,x\na.nii.gz,no.nii.gz,y\nb.nii.gz,,z\n")
    found, _ = entries(path)
    told = [(e.case_id, getattr(e, "message", None)) for e in found]
    assert told == [("x", "CT not there"), ("y", "masks not there"), ("z", None)]


def test_uids_are_looked_up_in_a_tree(table, study, entries, tmp_path):
    """A study gives its chosen series, a series itself; masks may stand beside."""
    study(tmp_path / "tree" / "a", "1.2.3.4.1", n=8, uid="1.2.3.4.1.1")
    study(tmp_path / "tree" / "b", "1.2.3.4.1", n=4, uid="1.2.3.4.1.2")
    path = table(
        "ct,series,masks,case_id\n"
        "1.2.3.4.1,,seg.nii.gz,all\n"
        "1.2.3.4.1.2,,,second\n"
        "1.2.3.4.1,1.2.3.4.1.2,,\n"
    )
    found, _ = entries(path, tree=tmp_path / "tree")
    assert [len(c.inputs.ct) for c in found] == [8, 4, 4]
    assert [c.case_id for c in found[:2]] == ["all", "second"]
    assert found[0].inputs.masks.endswith("seg.nii.gz")
    assert found[1].fingerprints == found[2].fingerprints
    assert {c.patient for c in found} == {found[0].patient}


def test_unknown_uids_are_wrong_cells(table, study, entries, tmp_path):
    """A UID of another archive, and a series of another study."""
    study(tmp_path / "tree" / "a", "1.2.3.4.1", uid="1.2.3.4.1.1")
    study(tmp_path / "tree" / "b", "1.2.3.4.2", uid="1.2.3.4.2.1")
    path = table("ct,series\n1.2.3.4.9,\n1.2.3.4.1,1.2.3.4.2.1\n")
    with pytest.raises(TableError) as caught:
        entries(path, tree=tmp_path / "tree")
    assert [p.split(":")[0] for p in caught.value.problems] == ["row 2, ct", "row 3, series"]
    assert "1.2.3.4" not in caught.value.line


def test_a_refused_study_keeps_the_name_of_its_row(table, study, entries, tmp_path):
    """The user's name for a case is that of its failure, too."""
    study(tmp_path / "tree" / "a", "1.2.3.4.1", skip=(2,))
    (refusal,), _ = entries(table("ct,case_id\n1.2.3.4.1,mine\n"), tree=tmp_path / "tree")
    assert isinstance(refusal, Refusal)
    assert refusal.case_id == "mine"


def test_a_series_of_a_folder_is_part_of_what_it_is(table, study, entries, tmp_path):
    """Two series of one folder are two cases with two sets of masks."""
    study(tmp_path / "a")
    found, _ = entries(table("ct,series\na,1.2.3\na,1.2.4\n"))
    assert all(isinstance(case, Found) for case in found)
    assert [case.inputs.series for case in found] == ["1.2.3", "1.2.4"]
    assert len({case.case_id for case in found}) == 2
    assert len({case.fingerprints["ct"] for case in found}) == 2
