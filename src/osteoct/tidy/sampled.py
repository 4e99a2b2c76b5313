"""A label volume seen on cells of about 2 mm: enough to tell whose a piece is, and quick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.column import Bone
from osteoct.geometry import Box, Geometry, grown
from osteoct.volume import LabelVolume

CELL_MM = 2.0
"""Largest edge of a cell where voxels are smaller: a pedicle is 8 mm wide, a lumbar body 27
mm high. Voxels that are larger stay as they are."""

MARGIN_VOXELS = 2
"""Background kept around the column, so that depths below its surface are right at every side."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled:
    """Every n-th voxel of the column's box.

    Parameters
    ----------
    array
        Labels, shape (I, J, K).
    box, steps
        Where they were taken from, and every how many voxels along each axis.
    geometry
        Grid of the cells.
    """

    array: NDArray[Any]
    box: Box
    steps: tuple[int, int, int]
    geometry: Geometry


def cell_steps(geometry: Geometry) -> tuple[int, int, int]:
    """Every how many voxels along each axis a cell begins."""
    x, y, z = (max(1, int(CELL_MM / s + 1e-6)) for s in geometry.spacing_mm)
    return x, y, z


def sample(labels: LabelVolume, bones: tuple[Bone, ...]) -> Sampled:
    """Take the labels of some bones on coarse cells; what belongs to no bone becomes background."""
    a, b, c = (
        slice(min(o.box[n].start for o in bones), max(o.box[n].stop for o in bones))
        for n in range(3)
    )
    x, y, z = cell_steps(labels.geometry)
    margin = (MARGIN_VOXELS * x, MARGIN_VOXELS * y, MARGIN_VOXELS * z)
    box = grown((a, b, c), margin, labels.geometry.shape)
    steps = (x, y, z)
    part = labels.array[box][::x, ::y, ::z]
    known = np.zeros(int(part.max(initial=0)) + 1, dtype=part.dtype)
    for bone in bones:
        if bone.label < len(known):
            known[bone.label] = bone.label
    crop = labels.geometry.cropped(box)
    affine = crop.affine.copy()
    affine[:3, :3] *= np.array(steps)
    array = np.ascontiguousarray(known[part])
    return Sampled(
        array=array, box=box, steps=steps, geometry=Geometry(shape=array.shape, affine=affine)
    )
