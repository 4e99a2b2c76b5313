"""A simple CT made from masks alone, for expert masks that come without their image.

It is no image of the patient: bone inside the masks, a dense rim below their surface, muscle, fat
and air outside, blurred, with noise. It serves to try checks on the shapes of real vertebrae.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.phantom.tissue import AIR, FAT, MUSCLE
from osteoct.records import Acquisition, Phase
from osteoct.volume import CTVolume, LabelVolume

CORE_HU, RIM_HU = 150.0, 350.0
RIM_MM = 2.0
BLUR_MM = 0.5
"""Sigma of the blur."""

MUSCLE_MM, FAT_MM = 25.0, 40.0
"""Distance from the spine up to which there is muscle, and fat beyond it; then air."""


def image_masks(vertebrae: LabelVolume, *, noise_sd_hu: float = 12.0, seed: int = 0) -> CTVolume:
    """Make a synthetic CT on the grid of some masks.

    Parameters
    ----------
    vertebrae
        Whole vertebrae; everything labelled becomes bone.

    Returns
    -------
    CTVolume
        int16; the header says 120 kVp, native, soft kernel, and that the image is synthetic.
    """
    bone = vertebrae.array > 0
    spacing = vertebrae.geometry.spacing_mm
    hu = _surround(ndi.distance_transform_edt(~bone, sampling=spacing))
    depth = ndi.distance_transform_edt(bone, sampling=spacing)
    hu[bone] = np.where(depth[bone] <= RIM_MM, RIM_HU, CORE_HU)
    hu = ndi.gaussian_filter(hu, [BLUR_MM / s for s in spacing])
    noise = np.random.default_rng(seed).standard_normal(hu.shape, dtype=np.float32)
    return CTVolume(
        array=np.rint(hu + np.float32(noise_sd_hu) * noise).astype(np.int16),
        geometry=vertebrae.geometry,
        acquisition=Acquisition(
            modality="CT",
            kvp=120.0,
            kernel=("SOFT",),
            kernel_class="soft",
            phase=Phase.NATIVE,
            phase_evidence="synthetic image",
            manufacturer="osteoct",
            model="synthetic image of masks",
        ),
    )


def _surround(away_mm: NDArray[np.float64]) -> NDArray[np.float32]:
    """Soft tissue, fat and air by their distance from bone."""
    layers = np.searchsorted([MUSCLE_MM, FAT_MM], away_mm)
    table: NDArray[np.float32] = np.array([MUSCLE.hu, FAT.hu, AIR.hu], dtype=np.float32)
    surroundings: NDArray[np.float32] = table[layers]
    return surroundings
