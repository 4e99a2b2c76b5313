"""Bodies whose core is known to the voxel."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from osteoct.anatomy import Level, Part, Structure
from osteoct.compartments.case import build_compartments
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.geometry import Geometry
from osteoct.measure.core import Core, core_of_level
from osteoct.records import BodySource
from osteoct.volume import CTVolume, LabelVolume

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


ADULT_HU, SOFT_HU, RIM_HU = 150.0, 50.0, 500.0
BLOCK_MM = (36.0, 30.0, 27.0)
GAP_MM = 9.0
RIM_MM = 2.0


@cache
def make_column(
    *,
    spacing=(1.0, 1.0, 1.0),
    core_hu: float = ADULT_HU,
    noise_hu: float = 0.0,
    shift_mm=(0.0, 0.0, 0.0),
    grown_mm: float = 0.0,
    levels=("L1", "L2", "L3", "L4"),
    codes: str = "RAS",
) -> tuple[CTVolume, LabelVolume, tuple[LevelCompartments, ...]]:
    """Blocks of bone with a 2 mm rim, one below the other in muscle, and masks moved against them.

    The blocks are drawn by their own coordinates, so bone and masks differ by exactly what is
    ordered, to a voxel.
    """
    pitch = BLOCK_MM[2] + GAP_MM
    size = np.array([BLOCK_MM[0] + 50, BLOCK_MM[1] + 50, pitch * len(levels) + 40])
    shape = tuple(int(n) for n in np.ceil(size / np.array(spacing)))
    grid = Geometry.from_spacing(shape, spacing)
    middle = np.array([(n - 1) / 2 * s for n, s in zip(shape, spacing, strict=True)])
    points = grid.to_patient(np.moveaxis(np.indices(shape), 0, -1))
    hu = np.full(shape, SOFT_HU)
    labels = np.zeros(shape, dtype=np.uint8)
    half = np.array(BLOCK_MM) / 2
    count = round(spacing[2])
    for n in range(len(levels)):
        centre = middle + np.array([0, 0, pitch * ((len(levels) - 1) / 2 - n)])
        # a slice shows the mean over its thickness
        parts = (np.arange(count) + 0.5) / count - 0.5
        for part in parts * spacing[2]:
            depth = (half - np.abs(points + np.array([0, 0, part]) - centre)).min(axis=-1)
            hu += (
                np.select([depth <= 0, depth < RIM_MM], [0, RIM_HU - SOFT_HU], core_hu - SOFT_HU)
                / count
            )
        moved = (half + grown_mm - np.abs(points - centre - np.array(shift_mm))).min(axis=-1)
        labels[moved > 0] = n + 1
    hu += noise_hu * np.random.default_rng(0).standard_normal(shape)
    structures = {
        n + 1: Structure(name=name, part=Part.VERTEBRA, level=Level[name])
        for n, name in enumerate(levels)
    }
    ct = CTVolume(array=np.rint(hu).astype(np.int16), geometry=grid).reoriented(codes)
    masks = LabelVolume(array=labels, geometry=grid, structures=structures).reoriented(codes)
    found = build_compartments(
        ct, masks, None, levels=[Level[name] for name in levels], protocols=()
    )
    return ct, masks, found


@pytest.fixture(scope="session")
def block_column():
    """Makes blocks of bone and masks that lie beside them by a given distance."""
    return make_column
