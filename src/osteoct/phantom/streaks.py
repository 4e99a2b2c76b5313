"""Streaks around metal: a stand-in that has their looks and reach, not their physics."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoct.phantom.lattice import FloatArray, Lattice
from osteoct.phantom.scanner import HU_RANGE

RAYS = 9
"""Bright and dark rays around each piece of metal."""

RAY_HU = 260.0
"""Amplitude of the rays at the surface of the metal."""

RAY_REACH_MM = 22.0
"""Distance over which the rays fade to a third."""

SHADOW_HU = -350.0
"""The dark band between two pieces of metal in a slice."""

SHADOW_HALF_MM = 3.0
"""Half width of that band."""


def add_streaks(image: FloatArray, lattice: Lattice) -> None:
    """Add rays and shadows in every slice in which the image runs off the scale."""
    metal = image > HU_RANGE[1]
    for k in np.flatnonzero(metal.any(axis=(0, 1))):
        image[:, :, k] += _make_streaks(metal[:, :, k], lattice)


def _make_streaks(metal: NDArray[np.bool_], lattice: Lattice) -> FloatArray:
    """The pattern of one slice, 0 on the metal itself."""
    pixel = float(np.linalg.norm(lattice.steps_mm[:, 0]))
    pieces, count = ndimage.label(metal)
    centres = np.array(ndimage.center_of_mass(metal, pieces, range(1, count + 1))) * pixel
    x, y = (np.arange(n, dtype=np.float64)[:, None] * pixel for n in metal.shape)
    streaks = np.zeros(metal.shape)
    for centre in centres:
        dx, dy = x - centre[0], (y - centre[1]).T
        fade = np.exp(-np.hypot(dx, dy) / RAY_REACH_MM)
        streaks += RAY_HU * np.cos(RAYS * np.arctan2(dy, dx)) * fade
    for first, second in pairwise(centres):
        streaks += SHADOW_HU * _between(first, second, x, y.T)
    streaks[metal] = 0
    return streaks.astype(np.float32)


def _between(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> NDArray[np.float64]:
    """1 on the line between two points, falling to 0 across it and beyond its ends."""
    along = second - first
    length = max(float(np.hypot(*along)), 1.0)
    u = ((x - first[0]) * along[0] + (y - first[1]) * along[1]) / length
    v = ((y - first[1]) * along[0] - (x - first[0]) * along[1]) / length
    beyond = np.maximum(np.maximum(-u, u - length), 0)
    band: NDArray[np.float64] = np.exp(-(v**2 + beyond**2) / (2 * SHADOW_HALF_MM**2))
    return band
