"""Scanning a phantom: image, masks and truth on one grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from osteoct.anatomy import SCHEMES
from osteoct.geometry import Geometry, Reorientation, reorientation
from osteoct.io.dicom.kernels import class_of
from osteoct.phantom.description import Phantom
from osteoct.phantom.formation import SIGMA_PER_FWHM, form_image
from osteoct.phantom.lattice import FloatArray, Lattice
from osteoct.phantom.masks import (
    BODIES_SCHEME,
    BODY_AND_DISC_SCHEME,
    VERTEBRAE_SCHEME,
    LabelArray,
    label_bodies,
    label_bodies_and_discs,
    label_vertebrae,
)
from osteoct.phantom.scanner import HU_RANGE, Scanner
from osteoct.phantom.streaks import add_streaks
from osteoct.phantom.truth import PhantomTruth, tell_truth
from osteoct.records import Acquisition, Phase
from osteoct.volume import CTVolume, LabelVolume

CONTRAST_AGENT = "SIMULATED IODINE"
"""What the header of a contrast scan names."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PhantomScan:
    """A scan of a phantom; all volumes share one grid.

    Parameters
    ----------
    vertebrae
        Whole vertebrae and sacrum in TotalSegmentator v2 integers.
    bodies
        Bodies per level in ``vertebrae_pp`` integers.
    body_and_discs
        All bodies 1, all discs 2.
    phantom, scanner
        What was scanned and how.
    """

    ct: CTVolume
    vertebrae: LabelVolume
    bodies: LabelVolume
    body_and_discs: LabelVolume
    truth: PhantomTruth
    phantom: Phantom
    scanner: Scanner


DEFAULT_SCANNER = Scanner()
"""0.9 × 0.9 × 1.5 mm, 120 kVp, native, without noise."""


def scan(
    phantom: Phantom,
    scanner: Scanner = DEFAULT_SCANNER,
    *,
    mask_offset_mm: float = 0.0,
    has_s1: bool = False,
) -> PhantomScan:
    """Make a CT image of a phantom, its masks and its truth.

    Parameters
    ----------
    mask_offset_mm
        How far the surface of every label lies outside the true one; negative for masks that are
        too small.
    has_s1
        Whether S1's body carries a label of its own, apart from the sacrum.

    >>> from osteoct.phantom.spine import single_vertebra
    >>> small = Scanner(field_of_view_mm=(9.0, 9.0, 9.0), centre_mm=(0.0, 0.0, 0.0))
    >>> scan(single_vertebra(trabecular_hu=123.0), small).ct.array.mean()
    np.float64(123.0)
    """
    lattice = scanner.lattice(phantom)
    layout = reorientation("RAS", scanner.axis_codes)
    canonical = Geometry(shape=lattice.shape, affine=lattice.affine)
    geometry = layout.apply_to_geometry(canonical)
    image = form_image(phantom, scanner, lattice)
    add_streaks(image, lattice)
    hu = _finish(image, scanner, lattice)
    ct = CTVolume(array=_laid_out(hu, layout), geometry=geometry, acquisition=_describe(scanner))
    offset = mask_offset_mm
    wholes = label_vertebrae(phantom, lattice, mask_offset_mm=offset, has_s1=has_s1)
    bodies = label_bodies(phantom, lattice, mask_offset_mm=offset)
    both = label_bodies_and_discs(phantom, lattice, mask_offset_mm=offset)
    return PhantomScan(
        ct=ct,
        vertebrae=_as_volume(wholes, layout, geometry, VERTEBRAE_SCHEME),
        bodies=_as_volume(bodies, layout, geometry, BODIES_SCHEME),
        body_and_discs=_as_volume(both, layout, geometry, BODY_AND_DISC_SCHEME),
        truth=tell_truth(phantom, scanner, geometry, mask_offset_mm=offset),
        phantom=phantom,
        scanner=scanner,
    )


def _finish(
    image: FloatArray, scanner: Scanner, lattice: Lattice
) -> NDArray[np.int16] | NDArray[np.float32]:
    """Add noise, clip to the scale, round."""
    if scanner.noise_sd_hu > 0:
        image = image + _make_noise(scanner, lattice)
    np.clip(image, *HU_RANGE, out=image)
    return np.rint(image).astype(np.int16) if scanner.is_rounded else image


def _make_noise(scanner: Scanner, lattice: Lattice) -> FloatArray:
    """Gaussian noise of the ordered SD; correlated in the plane if ordered."""
    noise = np.random.default_rng(scanner.seed).standard_normal(lattice.shape, dtype=np.float32)
    sigma = scanner.noise_fwhm_mm * SIGMA_PER_FWHM / scanner.pixel_mm
    if sigma > 0:
        impulse = np.zeros(2 * int(np.ceil(5 * sigma)) + 1)
        impulse[impulse.size // 2] = 1.0
        # white noise through a filter has the root of the sum of its squared weights as SD
        share = float(np.square(gaussian_filter1d(impulse, sigma)).sum())
        for axis in (0, 1):
            noise = gaussian_filter1d(noise, sigma, axis=axis, mode="wrap")
        noise /= np.float32(share)
    noise *= np.float32(scanner.noise_sd_hu)
    return noise


def _laid_out(array: NDArray[Any], layout: Reorientation) -> NDArray[Any]:
    """A copy in the layout asked for, in memory order."""
    return np.ascontiguousarray(layout.apply_to_array(array))


def _as_volume(
    labels: LabelArray, layout: Reorientation, geometry: Geometry, scheme_id: str
) -> LabelVolume:
    """Labels with their meaning."""
    return LabelVolume(
        array=np.ascontiguousarray(layout.apply_to_array(labels)),
        geometry=geometry,
        structures=SCHEMES[scheme_id].structures,
        scheme_id=scheme_id,
    )


def _describe(scanner: Scanner) -> Acquisition:
    """What a header of this scan would tell."""
    has_agent = scanner.phase not in (None, Phase.NATIVE)
    return Acquisition(
        modality="CT",
        kvp=scanner.kvp,
        kernel=(scanner.blur.name,),
        kernel_class=class_of((scanner.blur.name,)),
        slice_thickness_mm=scanner.thickness_mm,
        gantry_tilt_deg=scanner.gantry_tilt_deg,
        phase=scanner.phase,
        phase_evidence=None if scanner.phase is None else "ordered from the phantom's scanner",
        contrast_agent=CONTRAST_AGENT if has_agent else None,
        manufacturer="osteoct",
        model="digital phantom",
    )
