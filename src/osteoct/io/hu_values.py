"""Stored numbers to Hounsfield units, slab by slab, in the smaller of two types that is exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.errors import UnreadableInputError
from osteoct.io.raw_image import RawImage
from osteoct.volume import HuArray

NOT_MEASURED_HU = -32768.0
"""Stands for a voxel that holds no finite number; far below any HU and exact in int16.

Programs that resample mark what lies outside the scan with NaN: such voxels were never measured,
which is what a volume's padding value says.
"""

MAX_NOT_FINITE = 0.9
"""Share of voxels without a finite number above which an image is damaged, not padded."""

_SLAB_VOXELS = 1 << 22
"""Voxels converted at a time: 32 MiB in float64, beside the array itself."""

_INT16 = np.iinfo(np.int16)


def hu_of(image: RawImage, *, where: str) -> tuple[HuArray, int]:
    """Return HU and how many voxels held no finite number (they hold :data:`NOT_MEASURED_HU`).

    int16 where every value is a whole number that int16 holds, else float32; an unscaled int16
    image is returned as it is, without a copy.

    Raises
    ------
    UnreadableInputError
        More than :data:`MAX_NOT_FINITE` of the voxels hold NaN or infinity.
    """
    if image.is_unscaled and image.array.dtype == np.int16:
        return image.array, 0
    converted = _whole_hu(image)
    if converted is None:
        converted = _fractional_hu(image)
    array, not_finite = converted
    if not_finite > MAX_NOT_FINITE * array.size:
        raise UnreadableInputError(
            "holds almost no numbers",
            where=where,
            found=f"{not_finite} of {array.size} voxels NaN or infinite",
            wanted="finite numbers",
        )
    return array, not_finite


def slabs(array: NDArray[Any]) -> list[slice]:
    """Slices along the last axis that cut an array into parts of about ``_SLAB_VOXELS``."""
    depth = max(_SLAB_VOXELS * array.shape[-1] // max(array.size, 1), 1)
    return [slice(k, k + depth) for k in range(0, array.shape[-1], depth)]


def _whole_hu(image: RawImage) -> tuple[HuArray, int] | None:
    """HU as int16, or ``None`` at the first slab that int16 cannot hold exactly."""
    out = np.empty(image.array.shape, np.int16, order="F")
    not_finite = 0
    for part in slabs(image.array):
        values, unknown = _values(image, part)
        whole = values.astype(np.int32) if _is_in_int16(values) else None
        if whole is None or not np.array_equal(whole, values):
            return None
        out[..., part] = whole
        not_finite += unknown
    return out, not_finite


def _is_in_int16(values: NDArray[np.float64]) -> bool:
    return bool(values.min() >= _INT16.min and values.max() <= _INT16.max)


def _fractional_hu(image: RawImage) -> tuple[HuArray, int]:
    out = np.empty(image.array.shape, np.float32, order="F")
    not_finite = 0
    for part in slabs(image.array):
        out[..., part], unknown = _values(image, part)
        not_finite += unknown
    return out, not_finite


def _values(image: RawImage, part: slice) -> tuple[NDArray[np.float64], int]:
    """Scaled values of one slab, and how many of them were not finite in float32."""
    values = image.array[..., part].astype(np.float64)
    if not image.is_unscaled:
        values = values * image.slope + image.intercept
    if image.array.dtype.kind != "f":
        return values, 0
    unknown = ~(np.abs(values) <= np.finfo(np.float32).max)
    count = int(np.count_nonzero(unknown))
    if count:
        values[unknown] = NOT_MEASURED_HU
    return values, count
