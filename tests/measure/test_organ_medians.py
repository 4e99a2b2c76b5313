"""Medians of whole organs: what a classifier of the phase is told is what it was trained on."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Part, Structure
from osteoct.geometry import Geometry
from osteoct.measure.organ_medians import measure_organs
from osteoct.volume import CTVolume, LabelVolume

NAMES = {1: "aorta", 2: "liver", 3: "colon", 4: "spleen"}


def make(shape=(20, 20, 20), spacing=(2.0, 2.0, 2.0), origin=(0.0, 0.0, 0.0)):
    """Labels by blocks of a quarter of the first axis; the third has no voxel."""
    array = np.zeros(shape, np.uint8)
    quarter = shape[0] // 4
    for n in (1, 2, 4):
        array[(n - 1) * quarter : n * quarter] = n
    structures = {n: Structure(name=name, part=Part.OTHER) for n, name in NAMES.items()}
    grid = Geometry.from_spacing(shape, spacing, origin)
    return LabelVolume(array=array, geometry=grid, structures=structures)


def test_the_median_is_of_the_whole_label():
    """Its rim counts, unlike where HU are compared with references; an absent organ has none."""
    labels = make()
    hu = np.random.default_rng(3).normal(100, 40, labels.array.shape).astype(np.int16)
    ct = CTVolume(array=hu, geometry=labels.geometry)
    found = measure_organs(ct, labels, ("aorta", "liver", "colon", "brain"))
    assert set(found) == {"aorta", "liver"}
    assert found["aorta"].median_hu == np.median(hu[labels.array == 1])
    assert found["aorta"].volume_mm3 == pytest.approx(2000 * 8.0)


def test_labels_on_another_grid():
    """Coarse labels look up the voxels that their centres lie in."""
    labels = make(shape=(8, 8, 8), spacing=(6.0, 6.0, 6.0))
    fine = Geometry.from_spacing((48, 48, 48), (1.0, 1.0, 1.0))
    hu = np.repeat(np.arange(48, dtype=np.int16), 48 * 48).reshape(48, 48, 48)
    found = measure_organs(CTVolume(array=hu, geometry=fine), labels, NAMES.values())
    assert found["aorta"].median_hu == 3.0  # centres at 0 and 6 mm
    assert found["liver"].median_hu == 15.0  # at 12 and 18


def test_an_organ_outside_the_image_has_no_median():
    """Labels may reach further than the CT."""
    labels = make()
    away = Geometry.from_spacing((5, 5, 5), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    ct = CTVolume(array=np.full((5, 5, 5), 7, np.int16), geometry=away)
    assert set(measure_organs(ct, labels, NAMES.values())) == {"aorta"}
