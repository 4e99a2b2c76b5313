"""Bodies whose core is known to the voxel."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.geometry import Geometry
from osteoct.measure.core import Core, core_of_level
from osteoct.records import BodySource
from osteoct.volume import CTVolume

SHELL_HU = 600.0


def make_block_core(
    hu: np.ndarray, *, level: Level = Level.L3, spacing=(1.0, 1.0, 1.0), codes: str = "RAS"
) -> Core:
    """A body whose core of 4 mm depth is exactly ``hu``, inside a dense shell, with axes."""
    margin = [int(np.ceil(4.0 / s)) for s in spacing]
    body_hu = np.pad(hu.astype(np.float32), [(m, m) for m in margin], constant_values=SHELL_HU)
    grid = Geometry.from_spacing(body_hu.shape, spacing)
    step = grid.reorientation_to(codes)
    array, grid = step.apply_to_array(body_hu), step.apply_to_geometry(grid)
    mask = np.ones(array.shape, dtype=bool)
    compartments = LevelCompartments(
        level=level,
        box=tuple(slice(0, n) for n in array.shape),
        geometry=grid,
        vertebra=mask,
        body=mask,
        body_source=BodySource.MASK,
        axes=VertebraAxes(
            origin_mm=grid.to_patient((np.array(array.shape) - 1) / 2),
            right=np.array([1.0, 0, 0]),
            anterior=np.array([0, 1.0, 0]),
            superior=np.array([0, 0, 1.0]),
        ),
        excluded=np.zeros(array.shape, dtype=bool),
    )
    core = core_of_level(CTVolume(array=array, geometry=grid), compartments)
    assert core is not None
    assert core.mask.sum() == hu.size
    return core


@pytest.fixture(scope="session")
def block_core():
    """Makes a body whose core is given to the voxel."""
    return make_block_core
