"""Refusals one by one, and the words and severities of what is told."""

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.column import stand_column
from osteoct.phantom.faults.catalogue import FAULTS
from osteoct.phantom.faults.fault import Strength, make_faulty
from osteoct.tidy.case import _read, tidy_masks
from osteoct.tidy.column import Kind, Mixup
from osteoct.tidy.mixups import answer_mixups
from osteoct.tidy.moving import Masks
from osteoct.tidy.owners import face_contacts, find_owners
from osteoct.tidy.sampled import sample
from osteoct.tidy.words import tell_mixup

L1, L2, L3, L4, L5 = Level.L1, Level.L2, Level.L3, Level.L4, Level.L5


def mixup(share=0.3, name=L3, owner=L4, kind=Kind.LEAK):
    return Mixup(kind=kind, name=name, owner=owner, share=share, place_mm=np.zeros(3))


@pytest.fixture(scope="module")
def reading(coarse):
    """A column with a leak."""
    faulty = make_faulty(FAULTS["leak"], Strength.STRONG, coarse)
    return _read(Masks(vertebrae=faulty.vertebrae, bodies=faulty.bodies))


def test_a_sure_leak_is_answered(reading):
    """The one way in which nothing is refused."""
    answer = answer_mixups(reading)
    assert answer.owners is not None
    assert answer.why_not == ""


@pytest.mark.parametrize(("share", "is_refused"), [(0.1, False), (0.0999, True)])
def test_a_tenth_of_a_body_is_repaired(reading, share, is_refused):
    """Less may be the border of two vertebrae that touch."""
    answer = answer_mixups(replace(reading, mixups=(mixup(share),)))
    assert (answer.owners is None) is is_refused
    assert ("too little" in answer.why_not) is is_refused


@pytest.mark.parametrize(("bodies", "is_refused"), [(4, False), (3, True)])
def test_four_bodies_are_a_column(coarse, bodies, is_refused):
    """Of two in the wrong order either may be right."""
    kept = (L1, L2, L3, L4, L5)[-bodies:]
    faulty = make_faulty(FAULTS["leak"], Strength.STRONG, coarse)
    array = np.where(
        np.isin(faulty.vertebrae.array, [faulty.label(lv) for lv in kept]),
        faulty.vertebrae.array,
        0,
    )
    labels = replace(faulty.vertebrae, array=array)
    tidied = tidy_masks(faulty.ct, labels, faulty.bodies)
    assert tidied.is_repaired is not is_refused
    assert any("fewer than 4" in f.message for f in tidied.findings) is is_refused


@pytest.mark.parametrize(("more", "is_refused"), [((), False), ((mixup(0.2, L1, L5),), True)])
def test_four_levels_may_be_mixed_up(reading, more, is_refused):
    """Two pairs are; a third is too much."""
    mixups = (mixup(), mixup(0.2, L1, L2), *more)
    answer = answer_mixups(replace(reading, mixups=mixups))
    assert ("too many" in answer.why_not) is is_refused


@pytest.mark.parametrize(
    ("order", "is_refused"), [((1, 0, 2, 3, 4), False), ((2, 0, 1, 3, 4), True)]
)
def test_two_bodies_may_change_their_names(coarse, order, is_refused):
    """Two are swapped; three in a ring may be a column counted wrongly."""
    levels = (L1, L2, L3, L4, L5)
    table = np.zeros(int(coarse.vertebrae.array.max()) + 1, dtype=coarse.vertebrae.array.dtype)
    for level, n in zip(levels, order, strict=True):
        table[coarse.label(level)] = coarse.label(levels[n])
    labels = replace(coarse.vertebrae, array=table[coarse.vertebrae.array])
    tidied = tidy_masks(coarse.ct, labels, None)
    assert tidied.is_repaired is not is_refused


def test_a_level_that_the_border_cuts_is_left(reading):
    """What lies beyond the image may be the missing part."""
    bones = tuple(
        replace(bone, faces=("high 2",)) if bone.level is L4 else bone for bone in reading.bones
    )
    assert "border" in answer_mixups(replace(reading, bones=bones)).why_not


def test_a_crushed_level_is_left(reading):
    """Its body could not be told from its arch by depth."""
    lumps = tuple(
        replace(lump, is_flat=level is L4)
        for lump, level in zip(reading.lumps.lumps, reading.naming.levels, strict=True)
    )
    flat = replace(reading, lumps=replace(reading.lumps, lumps=lumps))
    assert "could not be told" in answer_mixups(flat).why_not


@pytest.mark.parametrize(("margin", "is_refused"), [(0.4, False), (0.39, True)])
def test_a_column_read_in_two_ways_is_left(reading, margin, is_refused):
    """Exactly at the margin it is sure."""
    unsure = replace(reading, naming=replace(reading.naming, margin=margin))
    assert ("two ways" in answer_mixups(unsure).why_not) is is_refused


def test_arches_that_explain_nothing_are_not_mentioned(clean):
    """The arch of L3 is gone, not misnamed."""
    labels = clean.vertebrae.array.copy()
    mine = np.argwhere(clean.mask(L3))
    back = mine[mine[:, 1] < np.quantile(mine[:, 1], 0.4)]
    labels[tuple(back.T)] = 0
    tidied = tidy_masks(clean.ct, replace(clean.vertebrae, array=labels), clean.bodies)
    assert not tidied.is_repaired
    assert not [f for f in tidied.findings if f.code == "arch-misnamed"]


@pytest.mark.parametrize("kind", [Kind.SWAPPED, Kind.LEAK, Kind.SPLIT, Kind.ARCH])
@pytest.mark.parametrize(
    ("share", "is_harmful", "severity"),
    [(0.1, False, "warning"), (0.1001, False, "blocking"), (0.06, True, "blocking")],
)
def test_severity_of_what_is_not_repaired(kind, share, is_harmful, severity):
    """Above a tenth it blocks, and below it where a mean moves."""
    findings = tell_mixup(mixup(share, kind=kind), why_not="x", is_harmful=is_harmful)
    assert {f.severity.value for f in findings} == {severity}
    assert all("not repaired: x" in f.message for f in findings)


def test_loose_parts_that_went_home_are_said_so(coarse):
    """A message "not repaired" beside moved voxels would be wrong."""
    faulty = make_faulty(FAULTS["swap"], Strength.WEAK, coarse)
    tidied = tidy_masks(faulty.ct, faulty.vertebrae, faulty.bodies)
    left = _read(tidied.masks).mixups
    for finding in (f for f in tidied.findings if f.code == "labels-swapped"):
        pair = (finding.evidence["name"], finding.evidence["owner"])
        is_left = pair in [(str(m.name), str(m.owner)) for m in left]
        assert ("not repaired" in finding.message) is is_left


def test_contacts_are_areas(boxes_of):
    """Two cubes of 20 mm, one on the other."""
    _, labels = boxes_of((1, np.s_[10:30, 10:30, 10:30]), (2, np.s_[10:30, 10:30, 30:50]))
    sampled = sample(labels, stand_column(labels).vertebrae)
    touched = face_contacts(sampled.array == 2, sampled.array, sampled)
    assert touched[1] == pytest.approx(400.0)


def test_what_no_mixup_concerns_keeps_its_owner(reading):
    """L1, L2 and L5 are none of the leak's business."""
    owners = find_owners(reading).levels
    for level in (L1, L2, L5):
        mine = reading.sampled.array == reading.label_of[level]
        assert np.all(owners[mine] == level.order)
