"""Dense discs are told, clean ones and those too low to be seen are not."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.geometry import Geometry
from osteoct.quality.discs import (
    DENSE_DISC_HU,
    LEAST_GAP_MM,
    LEAST_GAP_SLICES,
    check_discs,
    least_gap_mm,
    measure_discs,
)
from osteoct.records import Severity
from osteoct.volume import CTVolume


def pair(disc_hu, *, gap_slices=10, slice_mm=1.0, names=(Level.L2, Level.L3), has_body=True):
    """Two blocks of bone in muscle, one above the other, with something between them."""
    height = round(24 / slice_mm)
    grid = Geometry.from_spacing((60, 60, 2 * height + gap_slices + 10), (1.0, 1.0, slice_mm))
    hu = np.full(grid.shape, 50.0, np.float32)
    bottoms = (5 + height + gap_slices, 5)
    levels = []
    for name, bottom in zip(names, bottoms, strict=True):
        box = (slice(10, 50), slice(15, 45), slice(bottom, bottom + height))
        hu[box] = 300
        mask = np.ones(hu[box].shape, dtype=bool)
        here = grid.cropped(box)
        levels.append(
            LevelCompartments(
                level=name,
                box=box,
                geometry=here,
                vertebra=mask,
                body=mask if has_body else None,
                axes=VertebraAxes(
                    origin_mm=here.to_patient((np.array(mask.shape) - 1) / 2),
                    right=np.array([1.0, 0, 0]),
                    anterior=np.array([0, 1.0, 0]),
                    superior=np.array([0, 0, 1.0]),
                ),
                excluded=~mask,
            )
        )
    hu[10:50, 15:45, 5 + height : bottoms[0]] = disc_hu
    return CTVolume(array=hu, geometry=grid), levels


@pytest.mark.parametrize(
    ("hu", "fires"), [(80.0, False), (DENSE_DISC_HU - 1, False), (DENSE_DISC_HU, True)]
)
def test_limit_of_density(hu, fires):
    """A disc of muscle is silent; exactly at the limit is dense; the place is the disc's middle."""
    ct, levels = pair(hu)
    (disc,) = measure_discs(ct, levels)
    assert disc.hu == pytest.approx(hu, abs=0.01)
    assert disc.gap_mm == pytest.approx(10, abs=1)
    found = check_discs(ct, levels)
    assert [(f.code, f.severity, f.level) for f in found] == (
        [("dense-disc", Severity.WARNING, Level.L2)] if fires else []
    )
    if fires:
        assert found[0].place_mm == pytest.approx((29.5, 29.5, 33.5), abs=0.6)
        assert found[0].evidence["lower_level"] == "L3"


def test_a_small_dense_part_is_no_dense_disc():
    """Lime in the nucleus leaves most of the middle as it was."""
    ct, levels = pair(80.0)
    array = ct.array.copy()
    array[27:33, 27:33, 29:39] = 600
    assert check_discs(CTVolume(array=array, geometry=ct.geometry), levels) == ()


@pytest.mark.parametrize(("gap_slices", "fires"), [(1, False), (2, True)])
def test_a_disc_lower_than_the_slices_tell_is_not_looked_at(gap_slices, fires):
    """One slice of 5 mm between two end plates is bone in part, whatever lies between."""
    ct, levels = pair(400.0, gap_slices=gap_slices, slice_mm=5.0)
    assert bool(check_discs(ct, levels)) is fires


@pytest.mark.parametrize(
    ("slice_mm", "expected"), [(0.6, LEAST_GAP_MM), (2.5, 4.0), (5.0, 5 * LEAST_GAP_SLICES)]
)
def test_least_gap(slice_mm, expected):
    """A length for thin slices, a number of slices for thick ones."""
    ct, _ = pair(80.0, slice_mm=slice_mm)
    assert least_gap_mm(ct) == pytest.approx(expected)


def test_only_neighbours_with_bodies_have_a_disc():
    """Between L2 and L4 there is a vertebra; without a body there is no end plate."""
    assert measure_discs(*pair(400.0, names=(Level.L2, Level.L4))) == ()
    assert measure_discs(*pair(400.0, has_body=False)) == ()
