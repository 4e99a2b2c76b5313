"""Repair of masks: what is broken is mended, what is clean is left alone."""

import numpy as np
import pytest

from osteoct.phantom.faults.catalogue import FAULTS
from osteoct.phantom.faults.fault import Strength, make_clean, make_faulty
from osteoct.tidy.case import tidy_masks


@pytest.fixture(scope="module")
def clean():
    """The phantom without a fault."""
    return make_clean()


def _levels(labels):
    """Order number of the level per voxel, whatever the integers."""
    table = np.full(max(labels.structures) + 1, -1)
    for number, structure in labels.structures.items():
        table[number] = -1 if structure.level is None else structure.level.order
    table[0] = -1
    return table[labels.array]


def test_clean_masks_are_the_very_same(clean):
    """A repair of a clean mask is the worst error here."""
    tidied = tidy_masks(clean.ct, clean.vertebrae, clean.bodies)
    assert tidied.masks.vertebrae is clean.vertebrae
    assert not tidied.findings


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("swap", "rename-swapped"),
        ("merge", "split-merged"),
        ("leak", "cut-leak"),
        ("split", "join-split"),
        ("arch-of-neighbour", "return-arch"),
        ("island", "remove-stray"),
        ("hole", "fill-hole"),
    ],
)
def test_each_rule_restores_the_clean_labels(clean, fault, rule):
    """Without facet joints that touch, to the voxel; and a second time nothing is left to do."""
    faulty = make_faulty(FAULTS[fault], Strength.STRONG, clean)
    tidied = tidy_masks(faulty.ct, faulty.vertebrae, faulty.bodies)
    assert rule in [r.rule.value for r in tidied.repairs]
    wrong = np.count_nonzero(_levels(tidied.masks.vertebrae) != _levels(clean.vertebrae))
    assert wrong <= 0.001 * np.count_nonzero(clean.vertebrae.array)
    again = tidy_masks(faulty.ct, tidied.masks.vertebrae, tidied.masks.bodies)
    assert not again.repairs


def test_a_column_upside_down_is_refused_and_blocks(clean):
    """Six names in the wrong order are no two swapped labels."""
    faulty = make_faulty(FAULTS["upside-down"], Strength.STRONG, clean)
    tidied = tidy_masks(faulty.ct, faulty.vertebrae, faulty.bodies)
    assert not tidied.is_repaired
    assert "blocking" in [f.severity.value for f in tidied.findings]


def test_switched_off_it_only_tells(clean):
    """With ``repair=False`` the masks stay and the finding blocks."""
    faulty = make_faulty(FAULTS["leak"], Strength.STRONG, clean)
    tidied = tidy_masks(faulty.ct, faulty.vertebrae, faulty.bodies, repair=False)
    assert tidied.masks.vertebrae is faulty.vertebrae
    assert {f.severity.value for f in tidied.findings} == {"blocking"}
