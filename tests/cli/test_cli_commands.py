"""The small commands: what they list, that --json is JSON, and that help helps."""

from __future__ import annotations

import json
import shutil

import pytest

from osteoct.anatomy import SCHEMES
from osteoct.classify.rules import load_rules
from osteoct.phantom.catalogue import KINDS
from osteoct.protocols import PROTOCOLS

COMMANDS = ("demo", "analyze", "inspect", "phantom", "protocols", "rules", "labels")
WIDTH = 100
LISTED = {
    "protocols": list(PROTOCOLS),
    "rules": [rule.id for rule in load_rules()],
    "labels": list(SCHEMES),
}


def test_no_arguments_show_the_commands(osteoct):
    """The first thing anybody types; each command with a whole sentence."""
    told = osteoct()
    assert told.code == 2
    assert told.out == ""
    for name in COMMANDS:
        (line,) = [x for x in told.said if x.startswith(f"  {name} ")]
        assert line.endswith(".")
        assert not line.endswith("...")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_goes_to_stdout(osteoct, flag):
    """Asked for, it is data."""
    told = osteoct(flag)
    assert (told.code, told.err) == (0, "")
    assert "not a medical device" in told.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(osteoct, name):
    """Every option says what it does, within a terminal's width."""
    told = osteoct(name, "--help")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"Usage: osteoct {name}")
    assert max(map(len, told.out.splitlines())) <= WIDTH
    options = told.out.partition("Options:")[2].splitlines()
    for n, line in enumerate(options):
        if line.startswith("  -"):
            following = options[n + 1] if n + 1 < len(options) else ""
            is_told = "  " in line.strip() or following.startswith("        ")
            assert is_told, line


def test_version(osteoct):
    """For a bug report."""
    assert osteoct("--version").out.startswith("osteoct, version ")


def test_unknown_command(osteoct):
    """Names what was typed."""
    told = osteoct("analyse")
    assert told.code == 2
    assert "analyse" in told.said[-1]


@pytest.mark.parametrize("name", LISTED)
def test_listing(osteoct, name):
    """Text for eyes, JSON for programs, the same entries in the same order."""
    text, data = osteoct(name), osteoct(name, "--json")
    assert (text.code, data.code, text.err, data.err) == (0, 0, "", "")
    assert [entry["id"] for entry in json.loads(data.out)] == LISTED[name]
    heads = [line for line in text.out.splitlines() if line and not line.startswith(" ")]
    assert heads == LISTED[name]


@pytest.mark.parametrize("columns", [80, 120])
def test_policy_fits_a_terminal(osteoct, monkeypatch, columns):
    """Text stays beside its key, nothing is lost by the breaks, and a pipe gets whole lines."""
    plain = osteoct("rules", "--policy").out
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = osteoct("rules", "--policy").out.splitlines()
    assert max(map(len, lines)) <= columns < max(map(len, plain.splitlines()))
    assert all(line[:15].strip() == "" for line in lines if line.startswith("   "))
    told = json.loads(osteoct("rules", "--policy", "--json").out)
    assert [line for line in lines if line and line[0] != " "] == [entry["id"] for entry in told]
    assert "".join("".join(lines).split()) == "".join(plain.split())
    for entry in told:
        assert f"  silent       {entry['silent']}\n" in plain


def test_inspect_dicom(osteoct, patient):
    """The series, its grid and why it would be read, as text and as JSON."""
    text, data = osteoct("inspect", patient.dicom), osteoct("inspect", patient.dicom, "--json")
    assert (text.code, data.code, text.err, data.err) == (0, 0, "", "")
    assert "→ series 1: CT, 45 slices" in text.out
    assert "1.5 × 1.5 × 2 mm, LPS" in text.out
    (series,) = json.loads(data.out)["series"]
    assert series["grid"] == {
        "shape": [70, 74, 45],
        "spacing_mm": [1.5, 1.5, 2.0],
        "axis_codes": "LPS",
    }
    assert series["acquisition"]["kvp"] == 120
    assert series["is_chosen"] is True


def test_inspect_image_alone_or_in_a_folder(osteoct, patient, tmp_path):
    """What analyze would read, inspect describes: a folder of one image is that image."""
    (tmp_path / "in").mkdir()
    shutil.copy(patient.ct, tmp_path / "in" / "ct.nii.gz")
    shutil.make_archive(str(tmp_path / "in"), "zip", tmp_path / "in")
    told = [
        json.loads(osteoct("inspect", path, "--json").out)
        for path in (patient.ct, tmp_path / "in", tmp_path / "in.zip")
    ]
    assert told[0] == told[1] == told[2]
    assert told[0]["shape"] == [70, 74, 45]
    assert "LPS" in osteoct("inspect", patient.ct).out


def test_inspect_what_is_no_ct(osteoct, tmp_path):
    """Other files are counted by reason; a missing path is refused."""
    (tmp_path / "letter.txt").write_text("Dear colleague")
    told = osteoct("inspect", tmp_path)
    assert told.code == 0
    assert "1 not DICOM" in told.out
    assert "no series would be read" in told.out
    told = osteoct("inspect", tmp_path / "none")
    assert told.code == 3
    assert told.said[0].startswith(f"osteoct: {tmp_path / 'none'}: does not exist")


def test_phantom_list(osteoct):
    """Every kind with what it is."""
    told = osteoct("phantom", "--list")
    assert (told.code, told.err) == (0, "")
    assert [line.split()[0] for line in told.out.splitlines()] == list(KINDS)


@pytest.mark.parametrize("arguments", [(), ("lumbar",), ("-o", "x"), ("banana", "-o", "x")])
def test_phantom_usage(osteoct, arguments, tmp_path, monkeypatch):
    """Kind and place are both needed, and the kind must exist."""
    monkeypatch.chdir(tmp_path)
    told = osteoct("phantom", *arguments)
    assert told.code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["esp", "cut-field-of-view"])
def test_phantom_is_analysed(kind, osteoct, tmp_path):
    """A phantom written by one command is read by the other, and means what its kind says."""
    made = tmp_path / "phantom"
    assert osteoct("phantom", kind, "-o", made, "--format", "nifti").code == 0
    assert {p.name for p in made.iterdir()} == {
        *("ct.nii.gz", "masks.nii.gz", "body-masks.nii.gz", "truth.json")
    }
    told = osteoct(
        *("analyze", made / "ct.nii.gz", "--masks", made / "masks.nii.gz", "--json"),
        *("--body-masks", made / "body-masks.nii.gz", "-o", tmp_path / "out"),
    )
    assert told.code == 0, told.err
    reasons = {
        level["level"]: {r["reason"] for r in level["regions"]}
        for level in json.loads(told.out)["levels"]
    }
    expected = {
        "esp": {"L4": {"level-absent"}, "L5": {"level-absent"}},
        "cut-field-of-view": {"L1": {"cut-by-border"}},
    }.get(kind, {})
    assert {k: v for k, v in reasons.items() if v != {None}} == expected


def test_phantom_refuses_a_folder_of_others(osteoct, tmp_path):
    """Before the phantom is made, and even with --overwrite."""
    (tmp_path / "thesis.tex").write_text("years")
    assert osteoct("phantom", "lumbar", "-o", tmp_path, "--overwrite").code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
