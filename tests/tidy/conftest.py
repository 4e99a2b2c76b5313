"""Spines for repair: the catalogue's phantom, a coarse one for many turns, and boxes to count."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level, Part, Structure
from osteoct.geometry import Geometry
from osteoct.phantom.acquisition import scan
from osteoct.phantom.faults.fault import make_clean
from osteoct.phantom.faults.subject import subject_of
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine
from osteoct.volume import CTVolume, LabelVolume


@pytest.fixture(scope="session")
def clean():
    """The phantom without a fault."""
    return make_clean()


@pytest.fixture(scope="session")
def coarse():
    """Five lumbar vertebrae on 2 mm voxels: a repair takes a twentieth of a second."""
    phantom = lumbar_spine(BoneMake(shell_mm=1.0), has_sacrum=False, has_t12=False)
    return subject_of(scan(phantom, Scanner(pixel_mm=2.0, slice_mm=2.0, fine_step_mm=1.0)))


def _levels_of(labels):
    """Order number of the level per voxel, whatever the integers."""
    table = np.full(max(labels.structures) + 1, -1)
    for number, structure in labels.structures.items():
        table[number] = -1 if structure.level is None else structure.level.order
    table[0] = -1
    return table[labels.array]


def _boxes_of(*boxes, hu=100):
    """A CT and a label volume of boxes ``(label, slices)`` on 1 mm voxels; 1 is L1, 2 is L2 …"""
    names = (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)
    geometry = Geometry.from_spacing((60, 60, 60), (1.0, 1.0, 1.0))
    array = np.zeros(geometry.shape, dtype=np.uint8)
    for label, where in boxes:
        array[where] = label
    structures = {
        n: Structure(name=f"vertebrae_{lv}", part=Part.VERTEBRA, level=lv)
        for n, lv in enumerate(names, start=1)
    }
    image = np.full(geometry.shape, hu, dtype=np.int16)
    return (
        CTVolume(array=image, geometry=geometry),
        LabelVolume(array=array, geometry=geometry, structures=structures),
    )


@pytest.fixture(scope="session")
def levels_of():
    """The maker above, reachable from tests without importing a conftest."""
    return _levels_of


@pytest.fixture(scope="session")
def boxes_of():
    """Likewise."""
    return _boxes_of
