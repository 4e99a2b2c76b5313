"""Faults of the image and of what its header tells: voltage, contrast, kernel, noise, HU scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.io.dicom.kernels import class_of
from osteoct.phantom.faults.subject import Subject
from osteoct.phantom.scanner import KVP_FACTOR, KVP_REFERENCE_HU, MARROW_HU
from osteoct.records import Phase

NOISE_HU = 12.0
"""Noise taken as ordinary, from which it is multiplied; that of the catalogue's phantom."""

BONE_MARGIN_MM = 2.0
"""How far beyond a mask its own bone is looked for."""

SOFT_BONE_HU = 60.0
"""Values below it near a mask are not bone."""

MARROW_RISE_SHARE = 0.2
"""Rise of trabecular bone over that of blood: 25.7 HU of 110 to 125 in the portal venous phase."""

VESSELS = ("aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein")

EIGHTY_KVP_FACTOR = KVP_FACTOR[100.0] ** 2
"""Assumed for a fault, never for a number: the step from 120 to 100 kVp, made twice."""

SHARPENED_MM = 1.2
"""Width of the Gaussian whose difference to the image a sharp kernel adds."""


def with_header(subject: Subject, **facts: Any) -> Subject:  # noqa: ANN401 - as many types as fields
    """Another header over the same image."""
    acquisition = subject.ct.acquisition.model_copy(update=facts)
    return subject.with_hu(subject.ct.hu(), acquisition)


def change_voltage(subject: Subject, kvp: float, *, is_told: bool) -> Subject:
    """Move the mineral of bone as another tube voltage does; the header says so or is silent."""
    factor = KVP_FACTOR.get(kvp, EIGHTY_KVP_FACTOR)
    mineral = (KVP_REFERENCE_HU * factor - MARROW_HU) / (KVP_REFERENCE_HU - MARROW_HU)
    hu = subject.ct.hu().copy()
    bone = _bone(subject, hu)
    hu[bone] = MARROW_HU + (hu[bone] - MARROW_HU) * np.float32(mineral)
    told = {"kvp": kvp if is_told else None}
    return subject.with_hu(hu, subject.ct.acquisition.model_copy(update=told))


def _bone(subject: Subject, hu: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Voxels of bone in and around the masks."""
    steps = [max(round(BONE_MARGIN_MM / s), 1) for s in subject.ct.geometry.spacing_mm]
    size = [2 * step + 1 for step in steps]
    near = ndi.maximum_filter(subject.vertebrae.array > 0, size=size)
    found: NDArray[np.bool_] = near & (hu > SOFT_BONE_HU)
    return found


def give_contrast(subject: Subject, blood_hu: float, phase: Phase | None) -> Subject:
    """Raise the vessels and, by a share of it, the bone; ``phase`` is what the header tells."""
    hu = subject.ct.hu().copy()
    hu[vessel_mask(subject)] += np.float32(blood_hu)
    hu[_bone(subject, hu)] += np.float32(MARROW_RISE_SHARE * blood_hu)
    told = {"phase": phase, "phase_evidence": None if phase is None else "ordered for a fault"}
    return subject.with_hu(hu, subject.ct.acquisition.model_copy(update=told))


def vessel_mask(subject: Subject) -> NDArray[np.bool_]:
    """Voxels of large vessels on the CT's grid; none where no tissue is labelled."""
    tissues = subject.tissues
    if tissues is None or not tissues.geometry.is_same_grid(subject.ct.geometry):
        return np.zeros(subject.ct.array.shape, dtype=np.bool_)
    numbers = [n for n, s in tissues.structures.items() if s.name in VESSELS]
    found: NDArray[np.bool_] = np.isin(tissues.array, numbers)
    return found


def sharpen(subject: Subject, gain: float, *, kernel: str | None) -> Subject:
    """Enhance edges and noise as a bone kernel does; ``None`` leaves the header as it is."""
    hu = subject.ct.hu()
    x, y, _ = subject.ct.geometry.spacing_mm
    smooth = ndi.gaussian_filter(hu, (SHARPENED_MM / x, SHARPENED_MM / y, 0))
    enhanced = hu + np.float32(gain) * (hu - smooth)
    told = {} if kernel is None else {"kernel": (kernel,), "kernel_class": class_of((kernel,))}
    return subject.with_hu(enhanced, subject.ct.acquisition.model_copy(update=told))


def add_noise(subject: Subject, factor: float, *, seed: int = 7) -> Subject:
    """Raise noise of ``NOISE_HU`` by a factor."""
    sd = NOISE_HU * np.sqrt(factor**2 - 1)
    noise = np.random.default_rng(seed).standard_normal(subject.ct.array.shape, dtype=np.float32)
    return subject.with_hu(subject.ct.hu() + np.float32(sd) * noise)


def scale_hu(subject: Subject, factor: float, offset_hu: float = 0.0) -> Subject:
    """A wrong slope or intercept."""
    return subject.with_hu(subject.ct.hu() * np.float32(factor) + np.float32(offset_hu))


def lift_fat(subject: Subject, offset_hu: float) -> Subject:
    """Move fat towards water and leave air and water, as a bent HU scale does."""
    hu = subject.ct.hu()
    curve = np.interp(
        hu, [-1100, -900, -200, -60, 20, 60], [0, 0, offset_hu, offset_hu, offset_hu / 2, 0]
    )
    return subject.with_hu(hu + curve.astype(np.float32))
