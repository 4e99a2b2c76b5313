"""Two phantoms 30 HU apart through the real pipeline, command line, report and archive format."""

from __future__ import annotations

import json
from dataclasses import replace

import pydicom
import pytest
from click.testing import CliRunner

import osteoct
from osteoct.anatomy import Level
from osteoct.change.earlier import read_earlier
from osteoct.cli import main
from osteoct.errors import UnreadableInputError
from osteoct.io.case_file import read_case_file
from osteoct.phantom.catalogue import DEMO_BONE
from osteoct.phantom.small import ONE_LEVEL, write_small_patient
from osteoct.protocols import Region
from osteoct.records import ChangeVerdict

LOWER_HU = 30.0
WITHIN_HU = 0.5


def write(folder, *, lower_hu, day):
    """A patient of a year, on the same scanner."""
    folder.mkdir()
    levels = {level: hu - lower_hu for level, hu in DEMO_BONE.trabecular_hu.items()}
    bone = replace(DEMO_BONE, trabecular_hu=levels)
    write_small_patient(folder, ONE_LEVEL, bone=bone, dicom=True, nifti=False)
    for file in (p for p in (folder / "ct-dicom").rglob("*") if p.is_file()):
        dataset = pydicom.dcmread(file)
        dataset.PatientID, dataset.StudyDate = "4711", day
        dataset.Manufacturer, dataset.ManufacturerModelName = "ACME", "One"
        dataset.StudyInstanceUID += day
        dataset.SeriesInstanceUID += day
        dataset.save_as(file)


def run(*arguments):
    """A command; its stdout."""
    done = CliRunner().invoke(main, [str(a) for a in arguments])
    assert done.exit_code in (0, 1), done.output
    return done.stdout


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The earlier case, its DICOM objects, and the later one compared with those."""
    root = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSTEOCT_KEY", "a key for tests, not for patients")
        write(root / "a", lower_hu=0.0, day="20240110")
        write(root / "b", lower_hu=LOWER_HU, day="20261105")
        for name, further in (("a", ()), ("b", ("--earlier", root / "a-dicom"))):
            masks = ("--masks", root / name / "masks.nii.gz")
            bodies = ("--body-masks", root / name / "body-masks.nii.gz")
            chosen = ("--levels", "L1", "--phase", "native", "-o", root / f"{name}-case")
            series = root / name / "ct-dicom"
            run("analyze", series, *masks, *bodies, *chosen, *further)
            place = ("--source", series, "-o", root / f"{name}-dicom")
            run("export", root / f"{name}-case", "--to", "dicom", *place)
    return root


@pytest.fixture(autouse=True)
def _own_key(monkeypatch):
    monkeypatch.setenv("OSTEOCT_KEY", "a key for tests, not for patients")


def test_the_difference_is_that_of_the_bones(cases):
    """Known to the HU, beyond the limit, by the level and by the mean over levels."""
    change = read_case_file(cases / "b-case" / "case.json")[0].change
    for level in (Level.L1, None):
        row = change.row(level, Region.TRABECULAR, "body-core-4")
        assert row.difference == pytest.approx(-LOWER_HU, abs=WITHIN_HU)
        assert row.verdict is ChangeVerdict.BEYOND
    assert (change.days, change.scanner) == (1030, "same")


def test_a_report_from_an_archive_is_as_good_as_the_case(cases):
    """The same comparison, but for the name that a structured report does not have."""
    by_case = json.loads(run("compare", cases / "a-case", cases / "b-case", "--json"))
    by_report = json.loads(run("compare", cases / "a-dicom", cases / "b-dicom", "--json"))
    assert by_report | {"earlier_case": by_case["earlier_case"]} == by_case


def test_the_structured_report_brings_it_back_exactly(cases):
    """Every number, verdict and word, and what the scan was."""
    report = osteoct.read_structured_report(cases / "b-dicom" / "sr.dcm")
    result = read_case_file(cases / "b-case" / "case.json")[0]
    assert report.change == result.change.model_copy(update={"earlier_case": None})
    assert (report.kvp, report.phase) == (result.acquisition.kvp, result.acquisition.phase)
    assert report.scanner == "ACME One"
    assert report.kernel == result.acquisition.kernel


def test_a_deidentified_report_has_no_dates(cases, tmp_path):
    """How many days lie between the two stays, when they were does not."""
    series = cases / "b" / "ct-dicom"
    place = ("--source", series, "-o", tmp_path / "out", "--deidentify")
    run("export", cases / "b-case", "--to", "dicom", *place)
    change = osteoct.read_structured_report(tmp_path / "out" / "sr.dcm").change
    assert (change.earlier_date, change.later_date, change.days) == (None, None, 1030)
    content = (tmp_path / "out" / "sr.dcm").read_bytes()
    names = [read_case_file(cases / f"{n}-case" / "case.json")[0].case_id for n in "ab"]
    assert not [word for word in (*names, "2024-01", "2026-11") if word.encode() in content]


def test_the_page_shows_it(cases):
    """Date, both values, the verdict, and whose limit it is."""
    page = (cases / "b-case" / "report.html").read_text(encoding="utf-8")
    assert "Change since 2024-01-10, 1030 days before" in page
    assert "<b>beyond</b>" in page
    assert "10.1186/s41747-024-00483-9" in page
    assert "Change since" not in (cases / "a-case" / "report.html").read_text(encoding="utf-8")


def test_words_of_the_command(cases):
    """A table for people; the note about ruling nothing out is never missing."""
    done = CliRunner().invoke(main, ["compare", str(cases / "a-case"), str(cases / "b-case")])
    assert done.exit_code == 0
    assert "beyond" in done.stdout
    assert "cannot rule out low bone density" in done.stderr


def test_places_without_one_earlier_result(cases, tmp_path):
    """Nothing, none, two: one line each."""
    for place, words in (
        (tmp_path / "no", "does not exist"),
        (cases / "a" / "ct-dicom", "holds no earlier result"),
        (cases, "holds more than one earlier result"),
    ):
        with pytest.raises(UnreadableInputError, match=words):
            read_earlier(place)


def test_another_key_is_another_patient(cases, monkeypatch):
    """Pseudonyms of two keys are never the same, and the hint says so."""
    monkeypatch.setenv("OSTEOCT_KEY", "another key, of another hospital")
    done = CliRunner().invoke(main, ["compare", str(cases / "a-dicom"), str(cases / "b-case")])
    assert done.exit_code == 3
    assert "different patients" in done.stderr


def test_options_that_belong_together(cases, tmp_path):
    """A limit without an earlier examination compares with nothing."""
    request = ["analyze", str(cases / "a" / "ct-dicom"), "-o", str(tmp_path / "o"), "--lsc-hu", "9"]
    done = CliRunner().invoke(main, request)
    assert done.exit_code == 2
    assert "belong to --earlier" in done.stderr
