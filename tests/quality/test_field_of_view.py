"""The field of view against the patient at the spine."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.quality.field_of_view import LEAST_CUT_MM, TISSUE_HU, check_field_of_view
from osteoct.records import Severity
from osteoct.volume import CTVolume

SIZE = 100


def scene(cut_mm: float, spacing=(1.0, 1.0, 5.0), **more):
    """A patient in air who runs through the left edge over so many mm, in every slice."""
    shape = (round(SIZE / spacing[0]), round(SIZE / spacing[1]), 12)
    hu = np.full(shape, -1000, np.int16)
    hu[shape[0] // 4 : -10, 10:-10] = 40
    if cut_mm:
        hu[: shape[0] // 2, 20 : 20 + round(cut_mm / spacing[1])] = 40
    grid = Geometry.from_spacing(shape, spacing)
    box = (slice(40, 60), slice(40, 60), slice(2, 10))
    mask = np.ones((20, 20, 8), dtype=bool)
    level = LevelCompartments(
        level=Level.L3, box=box, geometry=grid.cropped(box), vertebra=mask, excluded=~mask
    )
    return CTVolume(array=hu, geometry=grid, **more), [level]


@pytest.mark.parametrize(("cut_mm", "fires"), [(0, False), (LEAST_CUT_MM, False), (31, True)])
def test_length_of_the_cut(cut_mm, fires):
    """Up to the limit it may be the table; beyond it is the patient: told, nothing more."""
    found = check_field_of_view(*scene(cut_mm))
    assert [(f.code, f.severity) for f in found] == (
        [("patient-cut", Severity.INFO)] if fires else []
    )
    if fires:
        assert found[0].evidence["cut_mm"] == cut_mm


def test_length_is_in_mm():
    """40 mm are 80 voxels of 0.5 mm, and 40 mm."""
    (finding,) = check_field_of_view(*scene(40, (0.5, 0.5, 1.0)))
    assert finding.evidence["cut_mm"] == pytest.approx(40)


def test_the_circle_of_reconstruction_is_an_edge():
    """Where padding begins inside the patient, he is cut; the corner of the array says nothing."""
    ct, levels = scene(0)
    array = ct.array.copy()
    array[:30] = -3000
    cut = CTVolume(array=array, geometry=ct.geometry)
    assert check_field_of_view(cut, levels)[0].evidence["cut_mm"] == SIZE - 20
    array = np.where(array == -3000, -1100, array)
    declared = CTVolume(array=array, geometry=ct.geometry, padding_hu=-1100.0)
    assert check_field_of_view(declared, levels)


def test_fat_is_patient_and_foam_is_not():
    """Exactly at the limit of tissue a voxel is none."""
    ct, levels = scene(60)
    for hu, fires in ((TISSUE_HU, False), (TISSUE_HU + 1, True)):
        array = np.where(ct.array > -1000, hu, ct.array).astype(np.int16)
        assert (
            bool(check_field_of_view(CTVolume(array=array, geometry=ct.geometry), levels)) is fires
        )


def test_slices_beside_the_spine_do_not_count():
    """Without a level there is no place to ask at."""
    assert check_field_of_view(scene(60)[0], []) == ()
