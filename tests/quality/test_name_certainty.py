"""Names on the far side of a gap are less sure, seen from what they were counted from.

Every certainty is what the page says by hand: 0.837 from one end, 0.674 from the shape, 0.95 from
C2, times 0.9 for each vertebra counted over.
"""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level, Part, Structure, parse_levels
from osteoct.compartments.anchors import Step, look_for_anchors
from osteoct.compartments.column import stand_column
from osteoct.geometry import Geometry
from osteoct.quality.name_certainty import find_mixed_up, make_link
from osteoct.quality.numbering import judge_numbering, note_numbering
from osteoct.records import Finding, LevelResult, Numbering, Severity
from osteoct.volume import LabelVolume

END, SHAPE, C2 = 0.837, 0.674, 0.95
STEP, TALL = 11, 8
WIDE, NARROW = 20, 10
LUMBAR = parse_levels("T11-L5")


def column(places, *, skip=(), sacrum=True, narrow=False, cut=None):
    """Boxes 33 mm apart in their places from the head down, and a sacrum below the last.

    Where asked vertebrae down to T12 are half as wide, and one reaches the image's side.
    """
    shape = (40, 30, STEP * (len(places) + 1) + 4)
    array = np.zeros(shape, np.uint8)
    structures = {}
    for n, name in enumerate(places, 1):
        top = shape[2] - 2 - STEP * n
        width = NARROW if narrow and name.order <= Level.T12.order else WIDE
        left = 0 if name is cut else 20 - width // 2
        if name not in skip:
            array[left : 20 + width // 2, 10:25, top : top + TALL] = n
        structures[n] = Structure(name=f"vertebrae_{name}", part=Part.VERTEBRA, level=name)
    if sacrum:
        array[8:32, 10:25, 2 : 2 + TALL] = 60
        structures[60] = Structure(name="sacrum", part=Part.SACRUM)
    geometry = Geometry.from_spacing(shape, (3.0, 3.0, 3.0))
    return LabelVolume(array=array, geometry=geometry, structures=structures)


def ribs_at(masks, level):
    """A rib beside a vertebra, as a label map of tissues holds it."""
    bone = stand_column(masks).bone(level)
    x, z = bone.box[0].stop + 1, (bone.box[2].start + bone.box[2].stop) // 2
    array = np.zeros(masks.array.shape, np.uint8)
    array[x : x + 6, 15, z] = 1
    name = {1: Structure(name="rib_right_12", part=Part.OTHER)}
    return LabelVolume(array=array, geometry=masks.geometry, structures=name)


def certainties(masks, ribs=None, doubtful=None):
    made, _ = judge_numbering(look_for_anchors(masks, ribs), doubtful or {})
    return {name.level.value: round(name.certainty, 3) for name in made.names}


def sides(found, names):
    return {found[name] for name in names.split()}


def test_without_a_gap_all_are_as_sure():
    """One number for all, as it was."""
    assert set(certainties(column(LUMBAR)).values()) == {END}


@pytest.mark.parametrize(("skip", "left"), [("L3", 0.9), ("L2 L3", 0.81)])
def test_a_gap_above_the_sacrum(skip, left):
    """What lies between it and the gap is as sure as before; what lies above is not."""
    gone = [Level[name] for name in skip.split()]
    found = certainties(column(LUMBAR, skip=gone))
    assert sides(found, "L4 L5") == {END}
    assert sides(found, "T11 T12 L1") == {round(END * left, 3)}


def test_a_gap_below_the_ribs():
    """Counted from the head the far side is below."""
    masks = column(LUMBAR, skip=[Level.L2], sacrum=False)
    found = certainties(masks, ribs_at(masks, Level.T12))
    assert sides(found, "T11 T12 L1") == {END}
    assert sides(found, "L3 L4 L5") == {round(END * 0.9, 3)}


def test_a_gap_between_two_anchors_takes_nothing():
    """Each side is counted from its own end."""
    masks = column(LUMBAR, skip=[Level.L3])
    assert set(certainties(masks, ribs_at(masks, Level.T12)).values()) == {END}


def test_of_two_ways_the_surer_one_counts():
    """Over the gap from the sacrum (0.753) is more than by the shape alone (0.674)."""
    found = certainties(column(LUMBAR, skip=[Level.L1], narrow=True))
    assert sides(found, "T11 T12") == {round(END * 0.9, 3)}
    alone = certainties(column(LUMBAR, sacrum=False, narrow=True))
    assert set(alone.values()) == {SHAPE}


def test_counted_from_c2():
    """Surer than from any other end, less than with both; a gap takes its share below it."""
    down = parse_levels("C1-L5")
    masks = column(down, sacrum=False)
    assert set(certainties(masks).values()) == {C2}
    assert set(certainties(column(down)).values()) == {1.0}
    found = certainties(column(down, skip=[Level.T6], sacrum=False))
    assert sides(found, "C1 C2 T5") == {C2}
    assert sides(found, "T7 L1 L5") == {round(C2 * 0.9, 3)}


def test_c2_and_the_sacrum_on_either_side_of_a_gap():
    """0.95 down to the gap; below it 0.95 × 0.9 over the gap is more than 0.837 from below."""
    found = certainties(column(parse_levels("C1-L5"), skip=[Level.T6]))
    assert sides(found, "C2 T5") == {C2}
    assert sides(found, "T7 L5") == {round(C2 * 0.9, 3)}


def test_c2_needs_c1_above_it():
    """Without, any vertebra of the neck may bear that name."""
    assert set(certainties(column(parse_levels("C2-L5"), sacrum=False)).values()) == {0.5}


def test_room_below_the_lowest_counts_as_a_gap():
    """L5 left out: even the vertebra beside the sacrum was counted over it."""
    found = certainties(column(LUMBAR, skip=[Level.L5]))
    assert set(found.values()) == {round(END * 0.9, 3)}


def test_a_contradiction_spares_the_side_that_is_counted_from():
    """L2 lies two steps above L3: what is above is wrong by name, what is below is not."""
    places = [Level[n] for n in ("T12", "L1", "L2", "L6", "L3", "L4", "L5")]
    masks = column(places, skip=[Level.L6])
    found = certainties(masks)
    assert sides(found, "L3 L4 L5") == {END}
    assert sides(found, "T12 L1 L2") == {0.1}
    both = certainties(masks, ribs_at(masks, Level.T12))
    assert set(both.values()) == {0.1}
    assert set(certainties(column(places, skip=[Level.L6], sacrum=False)).values()) == {0.1}


def test_a_doubtful_label_is_a_gap_too():
    """Its own name is a guess; beyond it names were counted over it."""
    found = certainties(column(LUMBAR), doubtful={Level.L3: "merged-levels"})
    assert sides(found, "L4 L5") == {END}
    assert found["L3"] == 0.5
    assert sides(found, "T11 L1 L2") == {round(END * 0.9, 3)}


def test_an_unusual_spine_limits_every_level():
    """Four above the sacrum: nothing says which end is the unusual one."""
    found = certainties(column(parse_levels("T12-L4"), skip=[Level.L1]))
    assert set(found.values()) == {0.5}


def test_only_what_blocks_makes_a_label_doubtful():
    """A repaired mix-up is a warning and no doubt; a leak leaves the count as it is."""

    def told(code, severity):
        return Finding(code=code, severity=severity, level=Level.L3, message="")

    assert find_mixed_up([told("merged-levels", Severity.BLOCKING)]) == {Level.L3: "merged-levels"}
    assert find_mixed_up([told("merged-levels", Severity.WARNING)]) == {}
    assert find_mixed_up([told("label-leak", Severity.BLOCKING)]) == {}


@pytest.mark.parametrize(
    ("ratio", "left"), [(1.49, 0.0), (1.5, 0.9), (2.0, 0.9), (2.49, 0.9), (2.5, 0.0)]
)
def test_a_gap_is_one_where_the_distance_fits(ratio, left):
    """L1 and L3: below one and a half steps, and from two and a half on, their names are wrong."""
    bones = stand_column(column(LUMBAR))
    step = Step(upper=bones.bone(Level.L1), lower=bones.bone(Level.L3), ratio=ratio)
    assert make_link(Level.L1, Level.L3, step).left == left


def test_a_gap_beside_a_cut_vertebra_has_no_distance():
    """Then nothing tells how many are missing, and names beyond are a guess."""
    found = certainties(column(LUMBAR, skip=[Level.L2], cut=Level.L1))
    assert sides(found, "L3 L4 L5") == {END}
    assert sides(found, "T11 T12 L1") == {round(END * 0.5, 3)}


def test_each_level_bears_its_certainty_and_reason():
    """What goes into the result; the case's own is that of the least sure."""
    made, _ = judge_numbering(look_for_anchors(column(LUMBAR, skip=[Level.L3]), None))
    levels = [LevelResult(level=lv, usable=True) for lv in (Level.L1, Level.L3, Level.L4)]
    far, absent, near = note_numbering(made, levels)
    assert (far.numbering_certainty, near.numbering_certainty) == (
        pytest.approx(END * 0.9),
        pytest.approx(END),
    )
    assert "1 vertebra is missing between L2 and L4" in far.numbering_reason
    assert near.numbering_reason.startswith("L5 lies on the sacrum")
    assert "missing" not in near.numbering_reason
    assert absent.numbering_certainty is None
    assert absent.numbering_reason is None
    assert (made.certainty, made.reason) == (far.numbering_certainty, far.numbering_reason)
    assert Numbering.model_validate_json(made.model_dump_json()) == made


def test_an_old_result_has_one_certainty_for_all():
    """Results of before levels were judged apart stay readable, and say of each what they know."""
    old = Numbering.model_validate_json(
        '{"certainty": 0.837, "reason": "L5 lies on the sacrum", "levels_seen": ["L4", "L5"]}'
    )
    assert old.names == ()
    assert old.name_of(Level.L4).certainty == 0.837
    assert old.name_of(Level.L1) is None
