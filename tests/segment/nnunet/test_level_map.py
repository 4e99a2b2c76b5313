"""The file that says what a model's labels mean: what it may say, and what is wrong with it."""

from __future__ import annotations

import pytest

from osteoct.anatomy import Level, Part
from osteoct.errors import ConfigError
from osteoct.segment.nnunet.level_map import map_of_names, read_level_map

LABELS = {1: "one", 2: "two", 3: "three"}


def _read(tmp_path, text):
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    return read_level_map(tmp_path / "map.toml", LABELS)


def test_numbers_names_and_lists(tmp_path):
    """The three ways of naming a label of the model."""
    made = _read(tmp_path, '[vertebrae]\nL1 = 1\nL2 = ["two"]\n[bodies]\nbody = "three"\n')
    assert {n: s.level for n, s in made.vertebrae.items()} == {1: Level.L1, 2: Level.L2}
    assert made.bodies[3].part is Part.BODY
    assert (made.orientation, made.is_mirrored, made.folds) == ("RAS", False, ())


def test_how_the_model_is_run(tmp_path):
    """Orientation, mirroring and folds."""
    made = _read(
        tmp_path, 'orientation = "LPS"\nmirroring = true\nfolds = [0, 3]\n[vertebrae]\nL1 = 1\n'
    )
    assert (made.orientation, made.is_mirrored, made.folds) == ("LPS", True, (0, 3))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[vertebrae]\nL9 = 1\n", "vertebrae.L9: wanted a level, sacrum"),
        ("[vertebrae]\nL1 = 9\n", "vertebrae.L1: 9 is no label of the model"),
        ('[vertebrae]\nL1 = "nine"\n', "vertebrae.L1: 'nine' is no label"),
        ("[vertebrae]\nL1 = true\n", "True is no label"),
        ("[vertebrae]\nL1 = 1\nL2 = 1\n", "vertebrae.L2: 1 stands for vertebrae_L1"),
        ("[vertebrae]\nsacrum = 1\n", "vertebrae: no level"),
        ("[bodies]\nL1 = 1\n", "vertebrae: no level"),
        ("vertebrae = 3\n", "vertebrae: not a table"),
        ("colour = 1\n[vertebrae]\nL1 = 1\n", "colour: unknown key"),
        ('orientation = "RRR"\n[vertebrae]\nL1 = 1\n', "orientation: 'RRR'"),
        ("mirroring = 1\n[vertebrae]\nL1 = 1\n", "mirroring: 1"),
        ("folds = 0\n[vertebrae]\nL1 = 1\n", "folds: 0"),
        ("[vertebrae\n", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, says):
    """With the labels of the model beside it, so that it can be put right."""
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text)
    assert says in caught.value.line
    assert "is not TOML" in says or "its labels: 1 one, 2 two, 3 three" in caught.value.line


def test_all_problems_are_named_at_once(tmp_path):
    """Not one by one, a run each."""
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, "folds = 0\n[vertebrae]\nL1 = 9\nL9 = 1\n")
    assert all(word in caught.value.line for word in ("folds", "L1", "L9"))


def test_a_map_that_is_not_there_is_said(tmp_path):
    """With its name."""
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        read_level_map(tmp_path / "none.toml", LABELS)


def test_names_that_tell_levels_need_no_map():
    """As TotalSegmentator's do, and people's own words."""
    made = map_of_names({1: "vertebrae_L1", 2: "L2 vertebral body", 3: "liver"}, where="m")
    assert made.vertebrae[1].level is Level.L1
    assert made.bodies[2].level is Level.L2
    assert 3 not in made.vertebrae
    with pytest.raises(ConfigError, match="tell no vertebra"):
        map_of_names({3: "liver"}, where="m")
