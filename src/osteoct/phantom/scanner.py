"""A simulated CT scanner: grid, kernel, slice profile, noise, tube voltage and contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np

from osteoct.errors import ConfigError
from osteoct.phantom.description import Phantom
from osteoct.phantom.lattice import Lattice, Vector
from osteoct.phantom.tissue import Tissue, TissueKind
from osteoct.records import Phase

FINE_STEP_MM = 0.3
"""Largest step of the sub-cells on which coverage is taken.

With it no voxel of a noise-free image of a shell of 700 HU in muscle is farther than
``QUADRATURE_ERROR_HU`` from an image made with steps of less than half (tested).
"""

LEAST_CELLS = 3
"""Fewest sub-cells per voxel along an index, however small the voxel."""

QUADRATURE_ERROR_HU = 30.0
"""Stated error of a single voxel, reached at the edges of end plates; 0 deep in a tissue, and below
``QUADRATURE_BIAS_HU`` in the mean over a vertebra, since the errors alternate in sign."""

QUADRATURE_BIAS_HU = 0.15
"""Stated error of the mean over all voxels of a field that holds a vertebra."""

HU_RANGE = (-1024, 3071)
"""What twelve bits hold with an intercept of -1024; images are clipped to it."""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """In-plane blur of a reconstruction kernel.

    Parameters
    ----------
    fwhm_mm
        Full width at half maximum of the Gaussian.
    edge_gain
        Share of a Gaussian of twice the width that is taken off again: edge enhancement.
    """

    name: str
    fwhm_mm: float
    edge_gain: float = 0.0


KERNELS: Mapping[str, Kernel] = {
    "soft": Kernel(name="SOFT", fwhm_mm=1.2),
    "standard": Kernel(name="STANDARD", fwhm_mm=0.9),
    "sharp": Kernel(name="BONE", fwhm_mm=0.6, edge_gain=0.25),
}
"""Widths are typical, chosen; the names are those a header would carry."""

KVP_FACTOR: Mapping[float, float] = {100.0: 148.1 / 137.3, 120.0: 1.0, 140.0: 131.3 / 138.3}
"""Mean L1 HU at a tube voltage over the same at 120 kVp (AAPM 2026 abstract 1859); approximate."""

KVP_REFERENCE_HU = 140.9
"""Mean L1 HU at 120 kVp for which those factors were found."""

MARROW_HU = -30.0
"""HU of marrow without mineral, assumed: the part of bone's HU that the voltage leaves alone."""

PHASE_MARROW_HU: Mapping[Phase | None, float] = {
    None: 0.0,
    Phase.NATIVE: 0.0,
    Phase.ARTERIAL: 14.4,
    Phase.PORTAL_VENOUS: 25.7,
    Phase.CONTRAST: 11.2,
}
"""Mean rise of L1 trabecular HU: late arterial and portal venous (ECR DECT abstract), unspecified
(Pickhardt 2016). The spread between patients is larger than the means and is not simulated."""

PHASE_BLOOD_HU: Mapping[Phase | None, float] = {
    None: 0.0,
    Phase.NATIVE: 0.0,
    Phase.ARTERIAL: 260.0,
    Phase.PORTAL_VENOUS: 110.0,
    Phase.CONTRAST: 110.0,
}
"""Rise of blood in the large vessels, assumed."""

SliceProfile = Literal["box", "smooth-box", "gaussian"]


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """How a phantom becomes an image.

    Parameters
    ----------
    pixel_mm
        Pixel size.
    slice_mm
        Distance of neighbouring slices.
    slice_thickness_mm
        Full width at half maximum of the slice profile; ``None`` for the slice distance.
    kernel
        Name in :data:`KERNELS`.
    in_plane_fwhm_mm
        Width of a plain Gaussian instead of the kernel's; 0 for an ideal image.
    slice_profile
        ``smooth-box`` is a box blurred by a Gaussian of a tenth of its width.
    noise_sd_hu
        Standard deviation of the noise.
    noise_fwhm_mm
        In-plane correlation of the noise; 0 for white noise. The SD stays as ordered.
    kvp, phase
        Tube voltage (100 … 140) and contrast phase (``None`` is not told, and native).
    gantry_tilt_deg
        Lean of the slices about the left-right axis; the voxels are then no boxes.
    axis_codes
        Direction in which the array axes grow; changes the layout, never the image.
    field_of_view_mm, centre_mm
        Full size and centre of the grid; ``None`` for what the phantom suggests.
    offset_mm
        Shift of the grid, for sub-voxel shifts.
    is_rounded
        True for whole HU as int16, False for float32 as computed.
    fine_step_mm
        Largest step of the sub-cells; larger is faster and no longer keeps the stated errors.
    """

    pixel_mm: float = 0.9
    slice_mm: float = 1.5
    slice_thickness_mm: float | None = None
    kernel: str = "standard"
    in_plane_fwhm_mm: float | None = None
    slice_profile: SliceProfile = "smooth-box"
    noise_sd_hu: float = 0.0
    noise_fwhm_mm: float = 0.0
    kvp: float = 120.0
    phase: Phase | None = Phase.NATIVE
    gantry_tilt_deg: float = 0.0
    axis_codes: str = "RAS"
    field_of_view_mm: Vector | None = None
    centre_mm: Vector | None = None
    offset_mm: Vector = (0.0, 0.0, 0.0)
    is_rounded: bool = True
    fine_step_mm: float = FINE_STEP_MM
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_positive("pixel_mm", self.pixel_mm)
        self._check_positive("slice_mm", self.slice_mm)
        self._check_positive("fine_step_mm", self.fine_step_mm)
        self._check_positive("slice_thickness_mm", self.thickness_mm)
        low, high = min(KVP_FACTOR), max(KVP_FACTOR)
        if not low <= self.kvp <= high:
            raise ConfigError(
                "tube voltage without a published factor",
                where="Scanner.kvp",
                found=self.kvp,
                wanted=f"{low:g} to {high:g}",
            )
        if self.phase not in PHASE_MARROW_HU:
            raise ConfigError(
                "contrast phase without a published rise",
                where="Scanner.phase",
                found=self.phase,
                wanted="one of " + ", ".join(p for p in PHASE_MARROW_HU if p),
            )
        if self.kernel not in KERNELS:
            raise ConfigError(
                "unknown kernel",
                where="Scanner.kernel",
                found=repr(self.kernel),
                wanted="one of " + ", ".join(KERNELS),
            )

    @staticmethod
    def _check_positive(name: str, value: float) -> None:
        if not value > 0:
            raise ConfigError("not a length", where=f"Scanner.{name}", found=value, wanted="> 0 mm")

    @property
    def thickness_mm(self) -> float:
        """Slice thickness, resolved."""
        return self.slice_mm if self.slice_thickness_mm is None else self.slice_thickness_mm

    @property
    def blur(self) -> Kernel:
        """The in-plane blur in force."""
        named = KERNELS[self.kernel]
        if self.in_plane_fwhm_mm is None:
            return named
        return Kernel(name=named.name, fwhm_mm=self.in_plane_fwhm_mm)

    @property
    def fine_factors(self) -> tuple[int, int, int]:
        """Sub-cells per voxel along x, y, z."""
        across, along = (
            max(ceil(step / self.fine_step_mm - 1e-9), LEAST_CELLS)
            for step in (self.pixel_mm, self.slice_mm)
        )
        return across, across, along

    def hu_of(self, tissue: Tissue) -> float:
        """HU of a tissue at this tube voltage and phase.

        The mineral part of bone is scaled such that a vertebra of the published mean HU changes by
        the published factor; others change by more or less, as in patients.

        >>> from osteoct.phantom.tissue import MUSCLE
        >>> Scanner(kvp=100).hu_of(MUSCLE)
        50.0
        """
        if tissue.kind is TissueKind.VESSEL:
            return tissue.hu + PHASE_BLOOD_HU[self.phase]
        if tissue.kind is TissueKind.SOFT:
            return tissue.hu
        factor = float(np.interp(self.kvp, [*KVP_FACTOR], [*KVP_FACTOR.values()]))
        mineral = (KVP_REFERENCE_HU * factor - MARROW_HU) / (KVP_REFERENCE_HU - MARROW_HU)
        hu = MARROW_HU + (tissue.hu - MARROW_HU) * mineral if factor != 1.0 else tissue.hu
        rise = PHASE_MARROW_HU[self.phase] if tissue.kind is TissueKind.TRABECULAR else 0.0
        return hu + rise

    def lattice(self, phantom: Phantom) -> Lattice:
        """Voxel centres, in the canonical layout (x, y, z growing to R, A, S)."""
        size = np.array(self.field_of_view_mm or phantom.field_mm)
        centre = np.array(self.centre_mm or phantom.field_centre_mm) + np.array(self.offset_mm)
        tilt = np.radians(self.gantry_tilt_deg)
        pixel = self.pixel_mm
        steps = np.column_stack(
            [[pixel, 0, 0], [0, pixel * np.cos(tilt), pixel * np.sin(tilt)], [0, 0, self.slice_mm]]
        )
        counts = np.maximum(np.round(size / [pixel, pixel, self.slice_mm]).astype(int), 1)
        a, b, c = (int(n) for n in counts)
        return Lattice(
            shape=(a, b, c), origin_mm=centre - steps @ ((counts - 1) / 2), steps_mm=steps
        )
