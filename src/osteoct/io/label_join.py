"""Joining masks of single structures into one label map, each voxel counted once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Structure
from osteoct.geometry import Geometry
from osteoct.io.label_values import count_labels
from osteoct.records import Finding, Severity

FIRST_FREE_LABEL: Final = 201
"""Above every integer that a known scheme uses."""


def add_mask(
    array: NDArray[Any],
    mask: NDArray[np.bool_],
    label: int,
    numbered: Mapping[int, Structure],
) -> list[Finding]:
    """Write a mask (I, J, K) into a label map; voxels that are taken stay with their label.

    Returns
    -------
    list of Finding
        ``masks-overlap`` for every label that the mask shares voxels with.
    """
    structure = numbered[label]
    claimed = count_labels(array[mask])
    array[mask & (array == 0)] = label
    return [
        Finding(
            code="masks-overlap",
            severity=Severity.WARNING,
            message=(
                f"{voxels} voxels lie in the masks of {numbered[other].name} and "
                f"{structure.name}; they stay with {numbered[other].name}"
            ),
            level=structure.level,
            evidence={"voxels": voxels, "kept_by": numbered[other].name, "lost_by": structure.name},
        )
        for other, voxels in sorted(claimed.items())
    ]


def pad_touched(array: NDArray[Any], geometry: Geometry) -> tuple[NDArray[Any], Geometry]:
    """Add one empty layer on every side that a label touches.

    For formats that store no more than the part with labels (3D Slicer crops, DICOM SEG drops empty
    frames): what is not stored there is background, not unknown.
    """
    sides = []
    for axis in range(array.ndim):
        first, last = array.take(0, axis), array.take(-1, axis)
        sides.append((int(first.any()), int(last.any())))
    if not any(map(any, sides)):
        return array, geometry
    padded = np.pad(array, sides)
    affine = geometry.affine.copy()
    affine[:3, 3] = geometry.to_patient(np.array([-before for before, _ in sides]))
    a, b, c = padded.shape
    return np.asfortranarray(padded), Geometry(shape=(a, b, c), affine=affine)
