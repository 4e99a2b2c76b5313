"""``osteoct export`` as a user calls it: what is printed, what is there, how it ends."""

from __future__ import annotations

import gc
import json

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


@pytest.fixture(autouse=True, scope="module")
def _collect_here():
    """Let highdicom's connections go while their warning is ignored, not in another module."""
    yield
    gc.collect()


def test_a_case_becomes_dicom_and_comes_back_as_masks(osteoct, analysed, patient, tmp_path):
    """The whole way: analyse, export, analyse with what was exported; the numbers are the same."""
    said, case = analysed
    out = tmp_path / "out"
    done = osteoct("export", case, "--to", "dicom", "--source", patient.dicom, "-o", out)
    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.out.splitlines()] == [
        str(out / "seg.dcm"),
        str(out / "sr.dcm"),
    ]
    assert sorted(f.name for f in out.iterdir()) == ["export.json", "seg.dcm", "sr.dcm"]
    again = osteoct(
        *("analyze", patient.dicom, "--masks", out / "seg.dcm", "--body-masks", out),
        *("--levels", "L1-L3", "--json", "-o", tmp_path / "again"),
    )
    first, second = (json.loads(o.out)["levels"] for o in (said, again))
    assert [level["regions"] for level in first] == [level["regions"] for level in second]


def test_what_goes_wrong_is_said_in_one_line(osteoct, analysed, patient, tmp_path):
    """Usage is 2, a refused input 3; nothing is left behind."""
    _, case = analysed
    out = tmp_path / "out"
    wrong = {
        ("--to", "dicom"): (2, "--source: the series that the case was measured on is needed"),
        ("--to", "postcard"): (2, "--to: unknown format"),
        ("--to", "dicom", "--source", patient.ct): (3, "holds no CT image"),
    }
    for options, (code, message) in wrong.items():
        told = osteoct("export", case, *options, "-o", out)
        assert told.code == code
        assert len(told.said) == 1
        assert message in told.err
        assert not out.exists()


def test_json_is_the_record(osteoct, analysed, patient, tmp_path):
    """A script reads what was written, and no name."""
    _, case = analysed
    options = ("--source", patient.dicom, "--deflate", "--deidentify", "--json")
    told = osteoct("export", case, "--to", "dicom", *options, "-o", tmp_path / "out")
    assert json.loads(told.out) == json.loads((tmp_path / "out" / "export.json").read_text())
    assert "PHANTOM" not in told.out + told.err
    assert (tmp_path / "out" / "ct" / "0001.dcm").is_file()
