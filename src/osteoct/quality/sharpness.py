"""Whether edges were enhanced, told by the noise: its neighbours then pull apart.

Noise of a soft kernel is blurred, so neighbouring voxels are alike; noise without any blur is not
correlated at all. Only what enhances edges makes neighbours correlate negatively. Anatomy makes
them alike, so it hides a sharp kernel and never feigns one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.compartments.level import LevelCompartments
from osteoct.quality.noise import (
    CALM_PERCENTILE,
    LEAST_PATCHES,
    PATCH_MM,
    SOFT_HU,
    planes_beside,
)
from osteoct.records import Acquisition, Finding, Severity
from osteoct.volume import CTVolume

SHARP_BELOW = -0.04
"""Correlation of neighbours in a slice. Clean phantoms have -0.014 and more: patches of some 50
voxels, whose own mean is taken off, give white noise about -0.01. Edges enhanced by half of what a
Gaussian of 1.2 mm takes away give -0.047 and less (chosen between)."""

LEAST_SD_HU = 3.0
"""Chosen: below it, rounding to whole HU is much of the noise."""


@dataclass(frozen=True, kw_only=True)
class Grain:
    """SD of the noise and correlation of neighbours, in the calmest soft tissue."""

    sd_hu: float
    correlation: float


def check_sharpness(
    ct: CTVolume, levels: Sequence[LevelCompartments], acquisition: Acquisition
) -> tuple[Finding, ...]:
    """Find edges that were enhanced although the header names no sharp kernel.

    Parameters
    ----------
    ct
        The CT whose grid the levels' boxes index, in canonical orientation.
    """
    if acquisition.kernel_class == "sharp" or not levels:
        return ()
    grain = measure_grain(planes_beside(ct, levels), ct.geometry.spacing_mm[:2])
    if grain is None or not is_sharp(grain):
        return ()
    return (
        Finding(
            code="kernel-by-pixels",
            severity=Severity.WARNING,
            message=(
                "The noise is that of a sharp kernel, which the header does not name: neighbouring "
                f"voxels of soft tissue correlate by {grain.correlation:.2f}."
            ),
            certainty=0.7,
            evidence={
                "correlation": grain.correlation,
                "limit_correlation": SHARP_BELOW,
                "noise_sd_hu": grain.sd_hu,
            },
        ),
    )


def is_sharp(grain: Grain) -> bool:
    """Whether neighbours pull apart; the limit belongs to it."""
    return grain.sd_hu >= LEAST_SD_HU and grain.correlation <= SHARP_BELOW


def measure_grain(
    planes: Sequence[NDArray[np.float32]], spacing_mm: Sequence[float]
) -> Grain | None:
    """Measure the noise of slices (I, J) in HU; ``None`` with too little soft tissue."""
    sizes = [max(3, round(PATCH_MM / s)) for s in spacing_mm]
    found = [_measure_patches(plane, sizes) for plane in planes if min(plane.shape) > max(sizes)]
    if not found:
        return None
    variance, together = np.concatenate(found, axis=1)
    if variance.size < LEAST_PATCHES:
        return None
    calm = variance <= np.percentile(variance, CALM_PERCENTILE)
    total = float(variance[calm].sum())
    if total <= 0:
        return None
    return Grain(
        sd_hu=float(np.sqrt(variance[calm].mean())),
        correlation=float(together[calm].sum()) / total,
    )


def _measure_patches(plane: NDArray[np.float32], sizes: list[int]) -> NDArray[np.float32]:
    """Variance and covariance of neighbours (2, n) in every patch of soft tissue of a slice."""
    # shifted towards soft tissue: squares of small numbers keep their digits in float32
    centred = np.clip(np.nan_to_num(plane, nan=-1000.0), -1100, 3100) - np.float32(50)
    mean = ndi.uniform_filter(centred, sizes)
    variance = ndi.uniform_filter(centred**2, sizes) - mean**2
    together = np.zeros_like(mean)
    for axis in (0, 1):
        beside = np.roll(centred, -1, axis)
        product = ndi.uniform_filter(centred * beside, sizes)
        together += (product - mean * ndi.uniform_filter(beside, sizes)) / 2
    # patches at the border look beyond it
    a, b = (size // 2 + 2 for size in sizes)
    inner = (slice(a, -a), slice(b, -b))
    soft = (mean[inner] + 50 >= SOFT_HU[0]) & (mean[inner] + 50 <= SOFT_HU[1])
    found: NDArray[np.float32] = np.stack([variance[inner][soft], together[inner][soft]])
    return found
