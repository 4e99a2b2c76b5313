"""The examples of the pages run as they are printed, in a folder of their own."""

import json
import runpy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from osteoct.anatomy import LUMBAR, Level
from osteoct.classify.rules import load_rules
from osteoct.cohort.dxa.mapping import read_map
from osteoct.config import read_config
from osteoct.policy.judging import make_policy
from osteoct.records import Phase
from osteoct.schemas.case import load_case_schema
from osteoct.segment.nnunet.level_map import read_level_map

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TESTED = {
    "first_analysis.py",
    "own_masks.py",
    "read_case.py",
    "config.toml",
    "dxa-map.toml",
    "level-map.toml",
    "policy.toml",
}


def _run(name: str) -> None:
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


@pytest.fixture
def in_empty_folder(tmp_path, monkeypatch):
    """Examples write where they are run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_example_is_tested():
    """An example added without a test is one that will be wrong some day."""
    assert {p.name for p in EXAMPLES.iterdir() if p.is_file()} == TESTED


def test_first_analysis(in_empty_folder, capsys):
    """The tutorial's output has a core for all five levels and an opinion for every rule."""
    _run("first_analysis.py")
    printed = capsys.readouterr().out
    for level in ("L1", "L2", "L3", "L4", "L5"):
        assert f"{level}  " in printed
    assert "not measured" not in printed
    for rule in load_rules():
        assert f"{rule.id}: " in printed
    assert not list(in_empty_folder.iterdir())


def test_own_masks_then_read_case(in_empty_folder, capsys):
    """Files in, a result folder out that fits the shipped schema, and the case read back."""
    _run("own_masks.py")
    assert {p.name for p in (in_empty_folder / "out").iterdir()} == {
        "case.json",
        "levels.csv",
        "heights.csv",
        "findings.csv",
        "report.html",
        "pictures",
        "compartments.nii.gz",
        "run.toml",
    }
    written = json.loads((in_empty_folder / "out" / "case.json").read_text(encoding="utf-8"))
    Draft202012Validator(load_case_schema()).validate(written)
    assert "stated by the user: kvp phase" in capsys.readouterr().out
    _run("read_case.py")
    printed = capsys.readouterr().out
    assert "L3 body-core-4 trabecular" in printed
    assert printed.count(" HU\n") >= 5


def test_config_is_accepted():
    """The configuration file of the how-to is one that the program takes."""
    config = read_config(EXAMPLES / "config.toml")
    assert (config.kvp, config.phase) == (120, Phase.NATIVE)


def test_policy_is_accepted():
    """Every code, word and risk of the how-to exists."""
    policy = make_policy(read_config(EXAMPLES / "policy.toml").policy)
    assert policy.accepted_risks == ("fragmented-label",)


def test_every_example_is_shown_on_a_page():
    """An include line that a formatter broke shows its own text instead of the example."""
    pages = "\n".join(p.read_text(encoding="utf-8") for p in EXAMPLES.parent.rglob("*.md"))
    assert all(f'--8<-- "examples/{name}"' in pages for name in TESTED)


def test_dxa_map():
    """It is read, and means what its comments say."""
    asked = read_map(EXAMPLES / "dxa-map.toml")
    assert (asked.date_order, asked.abmd_unit, asked.columns["t_lumbar"]) == (
        "dmy",
        "mg/cm2",
        "LWS T",
    )


def test_level_map():
    """It is read, for a model with the labels it speaks of; the real nnU-Net runs one elsewhere."""
    names = ("sacrum", "S1", "L5", "L4", "L3", "L2", "L1", "T12")
    labels = {n: f"vertebrae_{name}" for n, name in enumerate(names, start=1)}
    made = read_level_map(EXAMPLES / "level-map.toml", labels)
    levels = {s.level: n for n, s in made.vertebrae.items() if s.level is not None}
    assert levels == {level: names.index(level) + 1 for level in (Level.T12, *LUMBAR)}
