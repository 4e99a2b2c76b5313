"""HU inside tissues: looked up in patient space, well inside, or absent with a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Part, Structure
from osteoct.geometry import Geometry
from osteoct.measure.tissues import DEPTH_MM, LEAST_POINTS, measure_tissues
from osteoct.volume import CTVolume, LabelVolume

AORTA = {1: Structure(name="aorta", part=Part.OTHER)}


def labels(mask: np.ndarray, spacing=(3.0, 3.0, 3.0), structures=None) -> LabelVolume:
    grid = Geometry.from_spacing(mask.shape, spacing)
    return LabelVolume(
        array=mask.astype(np.uint8),
        geometry=grid,
        structures=AORTA if structures is None else structures,
    )


def block(core=(5, 3, 2)) -> np.ndarray:
    """A block whose core below 3.5 mm of a 3 mm grid is ``core``: one voxel less on every side."""
    mask = np.zeros((20, 20, 20))
    a, b, c = core
    mask[4 : 6 + a, 4 : 6 + b, 4 : 6 + c] = 1
    return mask


def ct_of(hu: float, spacing=(3.0, 3.0, 3.0), size_mm=60.0, **more) -> CTVolume:
    shape = tuple(round(size_mm / s) for s in spacing)
    grid = Geometry.from_spacing(shape, spacing)
    return CTVolume(array=np.full(shape, hu, np.float32), geometry=grid, **more)


@pytest.mark.parametrize("spacing", [(0.6, 0.6, 0.6), (0.9, 0.9, 5.0), (3.0, 3.0, 3.0)])
@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR"])
def test_hu_come_from_well_inside(spacing, codes):
    """A tissue of 44 HU in a wall of 1000: not one voxel of the wall, whatever grid and axes."""
    ct = ct_of(1000.0, spacing)
    centres = [np.arange(n) * s for n, s in zip(ct.geometry.shape, spacing, strict=True)]
    half = 3 / 2
    inside = [(c > 12 - half) & (c < 48 + half) for c in centres]
    ct.array[np.ix_(*inside)] = 44.0
    mask = np.zeros((20, 20, 20))
    mask[4:17, 4:17, 4:17] = 1
    found = measure_tissues(ct.reoriented(codes), labels(mask).reoriented("LAS")).found["aorta"]
    assert (found.median_hu, found.sd_hu) == (44.0, 0.0)
    assert found.centre_mm == pytest.approx((30.0, 30.0, 30.0))


def test_too_few_points_are_absent_with_a_reason():
    """At the limit there is a median; one point less (never measured) and there is none."""
    ct = ct_of(40.0, padding_hu=-2000.0)
    assert measure_tissues(ct, labels(block())).found["aorta"].points == LEAST_POINTS
    ct.array[6, 6, 5] = -2000.0
    missing = measure_tissues(ct, labels(block()))
    assert not missing.found
    assert missing.absent == {"aorta": "29 points inside, needs 30"}


def test_points_outside_the_ct_do_not_count():
    """Labels may reach farther than the CT; no voxel is made up there."""
    ct = ct_of(40.0)
    box = (slice(0, 20), slice(0, 20), slice(0, 6))
    assert "aorta" in measure_tissues(ct.cropped(box), labels(block((5, 3, 3)))).absent
    assert "aorta" in measure_tissues(ct, labels(block((5, 3, 3)))).found


def test_thin_tissues_are_absent():
    """A vessel no thicker than twice the depth has no inside: a wall is no blood."""
    thin = np.zeros((20, 20, 20))
    thin[5:7, 2:18, 2:18] = 1
    assert 2 * DEPTH_MM > 2 * 3.0
    assert "aorta" in measure_tissues(ct_of(40.0), labels(thin)).absent


def test_other_structures_are_no_tissue():
    """The stomach is a structure of the map and tells nothing; a vertebra named aorta neither."""
    for structure in (
        Structure(name="stomach", part=Part.OTHER),
        Structure(name="aorta", part=Part.VERTEBRA),
    ):
        found = measure_tissues(ct_of(40.0), labels(block(), structures={1: structure}))
        assert (found.found, found.absent) == ({}, {})
    assert measure_tissues(ct_of(40.0), None).found == {}


def test_fine_labels_are_thinned_and_say_the_same():
    """A map at 0.75 mm and its every fourth voxel have one median and one place."""
    rng = np.random.default_rng(1)
    ct = ct_of(0.0, (1.0, 1.0, 1.0))
    ct = replace(ct, array=rng.normal(50, 12, ct.array.shape).astype(np.float32))
    fine = np.zeros((80, 80, 80))
    fine[10:70, 10:70, 10:70] = 1
    found = measure_tissues(ct, labels(fine, (0.75, 0.75, 0.75))).found["aorta"]
    assert found.median_hu == pytest.approx(50, abs=1)
    assert found.sd_hu == pytest.approx(12, rel=0.1)
    assert found.centre_mm == pytest.approx((29.6, 29.6, 29.6), abs=1.5)
    assert found.points < 10_000
