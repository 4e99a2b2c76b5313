"""Whether the field of view cuts the patient at the spine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage as ndi

from osteoct.compartments.level import LevelCompartments
from osteoct.records import Finding, Severity
from osteoct.volume import CTVolume, Mask

TISSUE_HU = -200.0
"""Above this a voxel at the edge is patient: fat ends near -130 HU, air and foam lie below."""

NEVER_MEASURED_HU = -1500.0
"""Lower values are padding, declared or not."""

LEAST_CUT_MM = 30.0
"""Chosen: less of the edge may be the top of the table or a fold of clothing."""

MOST_SLICES = 9


def check_field_of_view(ct: CTVolume, levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """Find a field of view whose edge runs through the patient beside the vertebrae.

    That is usual where a spine was reconstructed alone, and moves no number by itself; the skin is
    then not there to check the patient's position by.
    """
    if not levels:
        return ()
    first = min(level.box[2].start for level in levels)
    last = max(level.box[2].stop for level in levels) - 1
    chosen = np.unique(np.linspace(first, last, MOST_SLICES).astype(int)).tolist()
    cut_mm = float(np.median([_cut_length_mm(ct, k) for k in chosen]))
    if cut_mm <= LEAST_CUT_MM:
        return ()
    return (
        Finding(
            code="patient-cut",
            severity=Severity.INFO,
            message=(
                f"The field of view cuts the patient at the spine: {cut_mm:.0f} mm of its edge "
                "run through tissue."
            ),
            evidence={"cut_mm": cut_mm, "limit_mm": LEAST_CUT_MM},
        ),
    )


def _cut_length_mm(ct: CTVolume, k: int) -> float:
    """Length of the edge of what was measured in a slice that runs through tissue."""
    plane = ct.array[:, :, k]
    measured: Mask = np.isfinite(plane) & (plane > NEVER_MEASURED_HU)
    if ct.padding_hu is not None:
        measured &= plane != ct.padding_hu
    edge = measured & ~ndi.binary_erosion(measured)
    pixel_mm = float(np.mean(ct.geometry.spacing_mm[:2]))
    return int(np.count_nonzero(edge & (plane > TISSUE_HU))) * pixel_mm
