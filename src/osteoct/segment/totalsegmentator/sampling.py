"""The package's resampling, without its copies of the whole image.

The package turns an image into float64 and hands all of it to ``scipy.ndimage.zoom``: 1.7 GB for
512 × 512 × 800 voxels, several times over, to look at the eight neighbours of each voxel of a much
smaller image. Here only those neighbours are gathered, and the same products and sums are formed
in the same order, so that every voxel is equal to the last bit.

Where this machine's arithmetic differs (processors that fuse a product with a sum), ``zoom`` itself
is used: :func:`is_exact` compares the two once.

Nothing else of osteoct is imported here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SLAB_VOXELS: Final = 2**21
"""Voxels made at a time: 16 MiB an array, of which three are alive."""

_SEED: Final = 20
"""Of the image on which both ways are compared."""


def output_shape(shape: Sequence[int], zoom: Sequence[float]) -> tuple[int, ...]:
    """Shape that ``scipy.ndimage.zoom`` gives: rounded half to even, as Python rounds."""
    return tuple(round(n * float(z)) for n, z in zip(shape, zoom, strict=True))


def zoom_linear(array: NDArray[Any], zoom: Sequence[float]) -> NDArray[np.int32]:
    """Return ``scipy.ndimage.zoom(array, zoom, order=1, mode="nearest")`` as whole numbers.

    Fractions are cut off, as the package does.

    Parameters
    ----------
    array
        Shape ``(nx, ny, nz)``, any real type; it may be a view of a file.
    zoom
        Per axis; 2 doubles the number of voxels.
    """
    if not is_exact() or all(z == 1 for z in zoom):
        return _zoom_by_scipy(array, zoom).astype(np.int32)
    shape = output_shape(array.shape, zoom)
    zoomed = np.empty(shape, np.int32)
    rows = max(1, SLAB_VOXELS // max(1, shape[1] * shape[2]))
    for start in range(0, shape[0], rows):
        slab = slice(start, start + rows)
        zoomed[slab] = _zoom_by_gathering(array, shape, slab)
    return zoomed


def nearest_indices(old: int, new: int) -> NDArray[np.intp]:
    """Return which of ``old`` voxels of an axis each of ``new`` takes, as ``zoom`` with order 0."""
    at = np.floor(_coordinates(old, new) + 0.5).astype(np.intp)
    return np.clip(at, 0, old - 1)


@cache
def is_exact() -> bool:
    """Whether both ways agree on this machine, to the last bit."""
    image = np.random.default_rng(_SEED).integers(-1000, 1000, (23, 19, 17)).astype(np.int16)
    zoom = (0.37, 0.61, 1.7)
    gathered = _zoom_by_gathering(image, output_shape(image.shape, zoom))
    return np.array_equal(gathered, _zoom_by_scipy(image, zoom))


def _zoom_by_scipy(array: NDArray[Any], zoom: Sequence[float]) -> NDArray[np.float64]:
    zoomed: NDArray[np.float64] = ndimage.zoom(
        np.asarray(array, dtype=np.float64), list(zoom), order=1, mode="nearest"
    )
    return zoomed


def _zoom_by_gathering(
    array: NDArray[Any], shape: Sequence[int], slab: slice = slice(None)
) -> NDArray[np.float64]:
    """The rows ``slab`` of the zoomed image: eight neighbours of each voxel, weighted and added."""
    axes = [_neighbours(old, new) for old, new in zip(array.shape, shape, strict=True)]
    places, weights = axes[0]
    axes[0] = [p[slab] for p in places], [w[slab] for w in weights]
    total: NDArray[np.float64] = np.zeros((len(axes[0][0][0]), *shape[1:]))
    for corner in product((0, 1), repeat=3):
        part = array[np.ix_(*(at[c] for (at, _), c in zip(axes, corner, strict=True)))]
        value = part.astype(np.float64)
        for axis, c in enumerate(corner):
            value *= axes[axis][1][c].reshape([-1 if a == axis else 1 for a in range(3)])
        total += value
    return total


def _neighbours(old: int, new: int) -> tuple[list[NDArray[np.intp]], list[NDArray[np.float64]]]:
    """The two voxels of an axis that each new one lies between, and the weight of each."""
    at = _coordinates(old, new)
    low = np.floor(at).astype(np.intp)
    first = 1.0 - (at - low)
    # the last may lie beyond the last voxel by a rounding: then both neighbours are that voxel
    return [np.minimum(low, old - 1), np.minimum(low + 1, old - 1)], [first, 1.0 - first]


def _coordinates(old: int, new: int) -> NDArray[np.float64]:
    """Where the new voxels of an axis lie among the old: first on first, last on last."""
    step = (old - 1) / (new - 1) if new > 1 else 1.0
    return np.arange(new, dtype=np.float64) * step
