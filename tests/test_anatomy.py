"""Label integers are facts of other programs; a wrong one renames a vertebra."""

from __future__ import annotations

import pytest

from osteoct.anatomy import SCHEMES, Level, Part, label_scheme, parse_levels, structure_of_name
from osteoct.errors import ConfigError

# Read off the class maps of TotalSegmentator 2.18 and the VerSe and spine-segment documentation.
PUBLISHED = {
    "totalsegmentator-v2": {"S1": 26, "L5": 27, "L4": 28, "L3": 29, "L2": 30, "L1": 31, "T12": 32,
                            "T1": 43, "C7": 44, "C1": 50},
    "totalsegmentator-v3": {"L6": 26, "L5": 27, "L1": 31, "T12": 32},
    "totalsegmentator-v1": {"L5": 18, "L4": 19, "L3": 20, "L2": 21, "L1": 22, "T12": 23, "T1": 34,
                            "C7": 35, "C1": 41},
    "totalsegmentator-vertebrae-pp": {"C1": 1, "C7": 7, "T1": 8, "T12": 19, "L1": 20, "L5": 24},
    "verse": {"C1": 1, "C7": 7, "T1": 8, "T12": 19, "L1": 20, "L5": 24, "L6": 25, "T13": 28},
    "spine-segment": {"C1": 1, "T12": 19, "L1": 20, "L5": 24},
}  # fmt: skip


@pytest.mark.parametrize(
    ("scheme", "level", "label"),
    [(s, level, i) for s, ids in PUBLISHED.items() for level, i in ids.items()],
)
def test_published_integers(scheme, level, label):
    """Every spot value of the published tables."""
    assert SCHEMES[scheme].structures[label].level is Level[level]


def test_v1_is_not_v2():
    """Seen elsewhere: v1 integers read as v2 called the small bowel 'L5'; they must not agree."""
    v1, v2 = SCHEMES["totalsegmentator-v1"], SCHEMES["totalsegmentator-v2"]
    shared = [i for i in v1.structures if i in v2.structures]
    assert all(v1.structures[i].level != v2.structures[i].level for i in shared)


def test_postprocessed_vertebrae_are_bodies():
    """The task vertebrae_pp writes bodies although its names say vertebrae."""
    assert SCHEMES["totalsegmentator-vertebrae-pp"].parts == {Part.BODY}


def test_order_runs_from_head_to_feet():
    """T13 lies between T12 and L1, L6 between L5 and S1."""
    names = ["C7", "T1", "T12", "T13", "L1", "L5", "L6", "S1"]
    assert sorted(names, key=lambda n: Level[n].order) == names


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("L1-L5", "L1 L2 L3 L4 L5"),
        ("t12,l1", "T12 L1"),
        ("T11-L1", "T11 T12 L1"),
        ("L3 , L1-L2, L3", "L1 L2 L3"),
        ("L4-L6", "L4 L5 L6"),
        ("L5-S1", "L5 S1"),
    ],
)
def test_levels_as_people_write_them(text, levels):
    """Ranges skip the variants T13 and L6 unless they are named."""
    assert " ".join(parse_levels(text)) == levels


@pytest.mark.parametrize("text", ["", "L9", "L5-L1", "lumbar"])
def test_bad_levels_are_named(text):
    """A typing error never selects something else."""
    with pytest.raises(ConfigError, match="--levels"):
        parse_levels(text)


def test_unknown_scheme_lists_the_known_ones():
    """The message must help: it names every scheme."""
    with pytest.raises(ConfigError) as failure:
        label_scheme("total")
    assert all(name in failure.value.line for name in SCHEMES)


def test_names_outside_the_spine_are_other():
    """A label map holds livers and ribs; 'vertebrae_X9' is no level."""
    assert structure_of_name("rib_left_1").part is Part.OTHER
    assert structure_of_name("vertebrae_L9").part is Part.OTHER
    assert structure_of_name("vertebrae_T12").level is Level.T12
    assert structure_of_name("intervertebral_discs").part is Part.DISC
