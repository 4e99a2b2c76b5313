"""The peaks of an image's values: what fills much of it with one HU, as air, fat and muscle do.

Peaks are looked for over all HU, not where they should lie: on a wrong scale they lie elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from osteoct.volume import CTVolume

LIMITS_HU = (-1500.0, 1500.0)
"""Lower values are padding; above are cortical bone and metal, which have no peak."""

BIN_HU = 5.0
SMOOTHED_BINS = 2.0
"""Bins of the histogram, and the width over which its counts are smoothed: 10 HU together."""

PEAK_HALF_WIDTH_HU = 25.0
LEAST_PEAK_SHARE = 0.02
"""Chosen: a peak holds at least this share of all voxels within its half width; noise and the edges
of organs do not. A field of view without air or fat has no peak, and none is made up."""

LEAST_PROMINENCE = 0.1
"""Chosen: how far a peak stands out above what parts it from higher ones, in its own height. Air
on a table's foam, 100 HU apart under 25 HU of noise, has 0.5; counts waver by 0.01."""

FOOT_HU = 100.0
NARROW_SHARE = 0.6
"""Share of the voxels up to 100 HU below a peak that lie within its half width, from which it is
one material and noise: normal noise of 30 HU gives 0.6. Of lungs, which spread over more than
40 HU by their vessels and their weight (chosen), it is below 0.47. What lies above does not count:
clothes and table lie there."""

SAMPLE_VOXELS = 400_000
"""Voxels looked at, on a regular sub-grid."""


@dataclass(frozen=True, kw_only=True)
class Peak:
    """A value that much of the image has.

    Parameters
    ----------
    share
        Of all voxels, within ``PEAK_HALF_WIDTH_HU``.
    is_narrow
        Whether it can be one material and noise.
    """

    hu: float
    share: float
    is_narrow: bool


def sample_values(ct: CTVolume) -> NDArray[np.float32]:
    """Values on a regular sub-grid, without padding."""
    step = max(int((ct.array.size / SAMPLE_VOXELS) ** (1 / 3)), 1)
    values = np.asarray(ct.array[::step, ::step, ::step]).ravel().astype(np.float32)
    values = values[np.isfinite(values) & (values > LIMITS_HU[0])]
    return values if ct.padding_hu is None else values[values != ct.padding_hu]


def find_value_peaks(values: NDArray[np.float32]) -> tuple[Peak, ...]:
    """Find peaks, the lowest first.

    >>> noise = np.random.default_rng(0).normal(50, 10, 5000).astype(np.float32)
    >>> [round(peak.hu, -1) for peak in find_value_peaks(np.concatenate([noise - 150, noise]))]
    [-100.0, 50.0]
    """
    edges = np.arange(LIMITS_HU[0], LIMITS_HU[1] + BIN_HU, BIN_HU)
    counts = gaussian_filter1d(np.histogram(values, bins=edges)[0].astype(float), SMOOTHED_BINS)
    tops, told = find_peaks(counts, height=0.0, prominence=0.0)
    stands_out = told["prominences"] >= LEAST_PROMINENCE * counts[tops]
    peaks = (_describe(values, float(edges[t]) + BIN_HU / 2) for t in tops[stands_out])
    return tuple(peak for peak in peaks if peak.share >= LEAST_PEAK_SHARE)


def _describe(values: NDArray[np.float32], top_hu: float) -> Peak:
    """A peak, refined by the median around its top."""
    near = values[np.abs(values - top_hu) <= PEAK_HALF_WIDTH_HU]
    if not near.size:
        return Peak(hu=top_hu, share=0.0, is_narrow=False)
    hu = float(np.median(near))
    below = hu - values[(values <= hu) & (values >= hu - FOOT_HU)]
    return Peak(
        hu=hu,
        share=near.size / values.size,
        is_narrow=float(np.mean(below <= PEAK_HALF_WIDTH_HU)) >= NARROW_SHARE,
    )
