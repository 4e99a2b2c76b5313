"""Names of vertebrae: what they are counted from, and each gate below, at and above its limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level, Part, Structure
from osteoct.compartments.anchors import SacrumSight, Sights, Step, look_for_anchors
from osteoct.compartments.column import Bone, Column, stand_column
from osteoct.geometry import Geometry
from osteoct.quality import numbering as rules
from osteoct.quality import sacrum as ground
from osteoct.quality.name_certainty import CONTRADICTED
from osteoct.records import Numbering, Severity
from osteoct.volume import LabelVolume

GRID = Geometry.from_spacing((40, 40, 80), (3.0, 3.0, 3.0))
NAMES = (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)


def column(names=NAMES, *, sacrum=True, skip=()):
    """Boxes 33 mm apart from head to feet, 24 mm high, and a sacrum below."""
    array = np.zeros(GRID.shape, np.uint8)
    structures = {}
    for n, name in enumerate(names, 1):
        top = 78 - 11 * n
        if name not in skip:
            array[10:30, 10:25, top : top + 8] = n
        structures[n] = Structure(name=f"vertebrae_{name}", part=Part.VERTEBRA, level=name)
    if sacrum:
        top = 78 - 11 * (len(names) + 1)
        array[8:32, 10:25, max(top, 1) : top + 8] = 30
        structures[30] = Structure(name="sacrum", part=Part.SACRUM)
    return LabelVolume(array=array, geometry=GRID, structures=structures)


def judge(labels):
    made, findings = rules.judge_numbering(look_for_anchors(labels, None))
    return made, {f.code: f for f in findings}


def bone(level=Level.L5, volume=60.0):
    made = stand_column(column()).bone(Level.L5)
    return replace(made, level=level, volume_cm3=volume)


def sight(**changed):
    known = {
        "lowest": bone(),
        "ratio": 0.6,
        "contact_cm2": 0.0,
        "volume_ratio": 2.0,
        "is_below": True,
        "is_cut": False,
    }
    return SacrumSight(**{**known, **changed})


def codes(found):
    return [f.code for f in found]


def test_five_above_a_sacrum_are_as_sure_as_the_prior_leaves_them():
    """The arithmetic of the page."""
    made, found = judge(column())
    assert made.certainty == pytest.approx(1 - 0.163)
    assert list(found) == ["numbering-anchored"]
    assert made.candidates == ("L1–L5", "T12–L4", "L2–L6")
    assert Numbering.model_validate_json(made.model_dump_json()) == made


def test_without_anchor_the_names_are_a_guess():
    """And a warning says so."""
    made, found = judge(column(sacrum=False))
    assert made.certainty == 0.5
    assert found["numbering-unanchored"].severity is Severity.WARNING


def test_a_level_left_out_is_told_and_names_that_skip_one_block():
    """The distance says which of the two it is."""
    _, found = judge(column(skip=(Level.L3,)))
    assert "level-missing-inside" in found
    skipping = (Level.T11, Level.T12, Level.L2, Level.L3, Level.L4)
    made, found = judge(column(skipping, sacrum=False))
    assert found["level-spacing"].severity is Severity.BLOCKING
    assert made.certainty == CONTRADICTED


def test_no_vertebra_has_no_name():
    """An empty label volume is not an error here."""
    made, found = judge(column((), sacrum=False))
    assert (made.certainty, found) == (0.0, {})


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.849, []), (0.85, ["sacrum-far"]), (1.0, ["sacrum-far"])]
)
def test_room_above_the_sacrum(ratio, expected):
    """From the limit on, another vertebra fits."""
    assert codes(ground.check_sacrum(sight(ratio=ratio))) == expected


@pytest.mark.parametrize(("area", "fires"), [(11.9, False), (12.0, True), (20.0, True)])
def test_no_disc(area, fires):
    """At the limit there is none."""
    assert codes(ground.check_sacrum(sight(contact_cm2=area))) == ["transitional-possible"] * fires


@pytest.mark.parametrize(("area", "fires"), [(1.9, True), (2.0, False), (31.0, False)])
def test_s1_apart(area, fires):
    """S1 belongs to the sacrum from the limit on."""
    assert codes(ground.check_sacrum(sight(s1_contact_cm2=area))) == ["s1-separate"] * fires


@pytest.mark.parametrize(("share", "counts"), [(0.39, False), (0.4, True), (1.0, True)])
def test_a_small_piece_is_no_sacrum(share, counts):
    """Nor is anything above the column."""
    assert ground.is_anchor(sight(volume_ratio=share)) is counts
    assert not ground.is_anchor(sight(is_below=False))


def test_four_above_the_sacrum():
    """L4 on the sacrum is unusual; with room for L5 it is not."""
    assert codes(ground.check_sacrum(sight(lowest=bone(Level.L4)))) == ["four-lumbar"]
    with_room = sight(lowest=bone(Level.L4), ratio=1.6)
    assert codes(ground.check_sacrum(with_room)) == ["level-missing-inside"]


@pytest.mark.parametrize(
    ("ratio", "fires"), [(0.49, True), (0.5, False), (1.0, False), (1.49, False), (1.5, True)]
)
def test_distance_of_neighbours(ratio, fires):
    """Half a step more or less is not that of neighbours."""
    step = Step(upper=bone(Level.L2), lower=bone(Level.L3), ratio=ratio)
    assert (rules.check_step(step) is not None) is fires


def pair(distance_mm, upper=Level.L2, lower=Level.L3, ratio=1.0):
    """Two bones whose centres lie a distance apart."""
    above, below = bone(upper), bone(lower)
    centre = above.centre_mm - np.array([0.0, 0.0, distance_mm])
    return Step(upper=above, lower=replace(below, centre_mm=centre), ratio=ratio)


@pytest.mark.parametrize(
    ("distance_mm", "fires"),
    [(23.5, True), (23.6, False), (33.0, False), (43.7, False), (43.8, True)],
)
def test_distance_in_millimetres(distance_mm, fires):
    """Where all distances are wrong alike, none departs from the others: the header may be."""
    found = rules.check_distance(pair(distance_mm))
    assert (found is not None) is fires
    if found is not None:
        assert (found.code, found.severity) == ("level-spacing", Severity.WARNING)
        assert (found.evidence["low_mm"], found.evidence["high_mm"]) == (23.6, 43.7)


def test_distance_is_judged_of_lumbar_neighbours_alone():
    """The sample has no other; a pair whose names do not fit is told for that."""
    assert rules.check_distance(pair(20.0, Level.T12, Level.L1)) is None
    assert rules.check_distance(pair(70.0, Level.L2, Level.L4)) is None
    assert rules.check_distance(pair(70.0, ratio=2.0)) is None


def test_unusual_distances_say_nothing_against_the_names():
    """All alike: the order and the sacrum still say what they say."""
    wide = replace(column(), geometry=Geometry.from_spacing(GRID.shape, (3.0, 3.0, 4.5)))
    made, found = judge(wide)
    assert found["level-spacing"].severity is Severity.WARNING
    assert made.certainty == pytest.approx(1 - 0.163)


@pytest.mark.parametrize(("volume", "fires"), [(95.9, False), (96.0, True), (120.0, True)])
def test_a_sacrum_named_l5(volume, fires):
    """As large as neighbours never differ."""
    last = bone(Level.L5, volume)
    both = Column(geometry=GRID, vertebrae=(bone(Level.L4), last))
    assert (ground.check_last(Sights(column=both, lowest=last)) is not None) is fires


@pytest.mark.parametrize(("share", "fires"), [(0.29, False), (0.3, True), (1.0, True)])
def test_other_labels_call_it_sacrum(share, fires):
    """A third of the vertebra is more than a boundary."""
    both = Column(geometry=GRID, vertebrae=(bone(),))
    found = ground.check_sacral_share(Sights(column=both, lowest=bone(), sacral_share=share))
    assert (found is not None) is fires


@pytest.mark.parametrize("check", [rules.check_ribs, rules.check_processes])
def test_last_thoracic(check):
    """T12 is as it should be, L1 is not, and nothing seen says nothing."""
    assert check(bone(Level.T12)) is None
    assert check(None) is None
    assert check(bone(Level.L1)).severity is Severity.WARNING


@pytest.mark.parametrize(("extra", "code"), [("L6", "six-lumbar"), ("T13", "thirteen-thoracic")])
def test_variants(extra, code):
    """A label of its own for one too many."""
    both = Column(geometry=GRID, vertebrae=(bone(Level[extra]),))
    assert rules.check_variants(Sights(column=both)).code == code
    assert rules.check_variants(Sights(column=Column(geometry=GRID, vertebrae=(bone(),)))) is None


def test_bones_of_tests_are_bones():
    """The column above is what the checks measure on."""
    assert isinstance(bone(), Bone)
