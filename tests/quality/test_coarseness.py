"""Masks made on a coarser grid."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.quality.coarseness import CELL_LIMIT_MM, cells_of, check_coarseness
from osteoct.records import Severity


def ball(factor: int, spacing: float = 1.0) -> LevelCompartments:
    """A ball of 24 cells made on a grid coarser by a factor."""
    axis = np.arange(24) - 11.5
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    mask = (x * x + y * y + z * z <= 11.9**2).repeat(factor, 0).repeat(factor, 1)
    mask = mask.repeat(factor, 2)
    return LevelCompartments(
        level=Level.L3,
        box=tuple(slice(0, n) for n in mask.shape),
        geometry=Geometry.from_spacing(mask.shape, (spacing,) * 3),
        vertebra=mask,
        excluded=np.zeros_like(mask),
    )


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_cell_is_told_exactly(factor):
    """The width of the cells follows from the planes."""
    assert cells_of(ball(factor).vertebra)[2] == pytest.approx(
        factor * cells_of(ball(1).vertebra)[2]
    )


@pytest.mark.parametrize(("times", "fires"), [(0.99, False), (1.0, True), (1.01, True)])
def test_limit(times, fires):
    """A mask of two-voxel cells is coarse from cells of the limit on."""
    level = ball(2)
    cell = max(cells_of(level.vertebra))
    found = check_coarseness([ball(2, spacing=CELL_LIMIT_MM / cell * times)])
    assert [f.code for f in found] == (["coarse-mask"] if fires else [])
    if fires:
        assert found[0].severity is Severity.WARNING


def test_thick_voxels_are_no_coarse_mask():
    """On its own grid a mask is as fine as the image, however thick the slices are."""
    assert check_coarseness([ball(1, spacing=5.0)]) == ()
    assert check_coarseness([]) == ()
