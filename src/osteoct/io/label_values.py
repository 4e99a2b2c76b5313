"""Stored numbers to labels: whole, not negative, in the smallest type that holds them all."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from osteoct.errors import LabelsError
from osteoct.io.hu_values import slabs
from osteoct.io.raw_image import RawImage

MAX_LABEL: Final = 2**32 - 1
_WIDEST_BYTES: Final = 4
_COUNTED_LABELS: Final = 1 << 16
"""Labels below this are counted by table, which is faster than by sorting."""


def labels_of(image: RawImage, *, where: str) -> NDArray[Any]:
    """Return labels as the smallest unsigned type; unsigned unscaled images without a copy.

    Raises
    ------
    LabelsError
        A number that is negative, not whole, not finite, or above :data:`MAX_LABEL`.
    """
    if (
        image.is_unscaled
        and image.array.dtype.kind == "u"
        and image.array.dtype.itemsize <= _WIDEST_BYTES
    ):
        return image.array
    highest = max(_checked_maximum(image, part, where=where) for part in slabs(image.array))
    out = np.empty(image.array.shape, np.min_scalar_type(int(highest)), order="F")
    for part in slabs(image.array):
        out[..., part] = _values(image, part)
    return out


def count_labels(array: NDArray[Any]) -> dict[int, int]:
    """Voxels per label that is present, background left out."""
    counts: dict[int, int] = {}
    for part in slabs(array):
        slab = array[..., part]
        present = slab[slab > 0]
        if not present.size:
            continue
        if present.max() < _COUNTED_LABELS:
            per_label = np.bincount(present)
            found, voxels = np.flatnonzero(per_label), per_label[per_label > 0]
        else:
            found, voxels = np.unique(present, return_counts=True)
        for label, count in zip(found.tolist(), voxels.tolist(), strict=True):
            counts[label] = counts.get(label, 0) + count
    return counts


def _checked_maximum(image: RawImage, part: slice, *, where: str) -> float:
    values = _values(image, part)
    low, high = float(values.min()), float(values.max())
    wanted = "whole numbers from 0 on"
    if not (np.isfinite([low, high]).all() and low >= 0 and high <= MAX_LABEL):
        raise LabelsError(
            "holds numbers that cannot be labels",
            where=where,
            found=f"{low:g} to {high:g}",
            wanted=wanted,
        )
    if values.dtype.kind == "f":
        broken = values[values != np.rint(values)]
        if broken.size:
            raise LabelsError(
                "holds numbers that are not whole",
                where=where,
                found=f"{broken.size} such as {broken.flat[0]:g}",
                wanted=wanted,
                hint="labels must be resampled without interpolation",
            )
    return high


def _values(image: RawImage, part: slice) -> NDArray[Any]:
    slab = image.array[..., part]
    if image.is_unscaled:
        return slab
    return slab.astype(np.float64) * image.slope + image.intercept
