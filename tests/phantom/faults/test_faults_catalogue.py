"""A catalogue measures nothing if its faults do nothing, or if the table knows others."""

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.errors import ConfigError
from osteoct.phantom.faults.catalogue import FAULTS
from osteoct.phantom.faults.codes import FOUND_BY
from osteoct.phantom.faults.fault import Strength, by_name, clean_phantom, make_faulty
from osteoct.phantom.faults.subject import Subject

LEAST_FAULTS = 40
OF_IMAGES = [
    (name, strength)
    for name, fault in FAULTS.items()
    for strength in Strength
    if not fault.degree(strength).needs_phantom
]
BELOW_A_VOXEL = {("shift-up", Strength.WEAK)}
"""Faults that a grid of 1.0 × 1.0 × 1.5 mm cannot show."""


def _differ(clean: Subject, faulty: Subject) -> bool:
    """Whether anything that an analysis is given differs."""
    if not clean.ct.geometry.is_same_grid(faulty.ct.geometry):
        return True
    if clean.ct.acquisition != faulty.ct.acquisition:
        return True
    if clean.ct.padding_hu != faulty.ct.padding_hu:
        return True
    arrays = [(s.ct.array, s.vertebrae.array) for s in (clean, faulty)]
    if any(not np.array_equal(a, b) for a, b in zip(*arrays, strict=True)):
        return True
    bodies = [None if s.bodies is None else s.bodies.array for s in (clean, faulty)]
    if (bodies[0] is None) != (bodies[1] is None):
        return True
    return bodies[0] is not None and not np.array_equal(bodies[0], bodies[1])


def test_there_are_enough_faults_and_each_is_in_the_table():
    """The table says by which findings a fault is told; a fault without a row is never found."""
    assert len(FAULTS) >= LEAST_FAULTS
    assert set(FAULTS) == set(FOUND_BY)


def test_two_faults_of_one_name_are_refused():
    """The later would silently take the place of the first."""
    fault = FAULTS["swap"]
    with pytest.raises(ConfigError, match="two faults"):
        by_name((fault, fault))


@pytest.mark.parametrize(("name", "strength"), OF_IMAGES)
def test_every_fault_changes_the_case_and_leaves_the_clean_one(clean, name, strength):
    """A fault that changes nothing would count as missed; one that works in place, as found."""
    before = clean.ct.array.sum(dtype=np.int64), clean.vertebrae.array.sum(dtype=np.int64)
    faulty = make_faulty(FAULTS[name], strength, clean)
    assert _differ(clean, faulty) or (name, strength) in BELOW_A_VOXEL
    after = clean.ct.array.sum(dtype=np.int64), clean.vertebrae.array.sum(dtype=np.int64)
    assert before == after


@pytest.mark.parametrize("name", [n for n, f in FAULTS.items() if f.degrees[2].anatomy is not None])
def test_faults_of_patients_grow_with_their_strength(name):
    """What is ordered of a phantom is written down there, three times differently."""
    ordered = {FAULTS[name].degree(s).anatomy(clean_phantom()).defects for s in Strength}
    assert len(ordered) == len(Strength)


def test_a_fault_of_a_patient_is_refused_on_a_finished_case(clean):
    """A fracture cannot be put into an image."""
    fault = FAULTS["wedge"]
    assert not fault.fits(clean)
    with pytest.raises(ConfigError, match="needs a phantom"):
        make_faulty(fault, Strength.STRONG, clean)


def test_faults_that_need_bodies_or_organs_fit_only_where_they_are(clean):
    """On expert masks without bodies there is no body mask to shift."""
    without = replace(clean, bodies=None, tissues=None)
    assert FAULTS["body-shift"].fits(clean)
    assert not FAULTS["body-shift"].fits(without)
    assert FAULTS["contrast-untold"].fits(clean)
    assert not FAULTS["contrast-untold"].fits(without)


def test_strength_decides_whether_a_finding_must_block():
    """A wedge of 15 % may be a warning, one of 45 % not."""
    wedge = FAULTS["wedge"]
    assert [wedge.is_blocking(s) for s in Strength] == [False, False, True]
    assert wedge.levels == (Level.L3,)
