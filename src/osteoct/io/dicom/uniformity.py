"""What every slice of a stack must have, and what all of them must have alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteoct.errors import HuNotRecoverableError, IrregularGridError
from osteoct.io.dicom.headers import Slice

SAME_COSINE = 1e-3
"""Largest difference of direction cosines within a stack: 0.25 mm at the edge of a 500 mm image."""

SAME_SPACING_MM = 1e-4
"""Largest difference of pixel spacings within a stack: 0.05 mm over 512 pixels."""


def check_placed(slices: Sequence[Slice]) -> None:
    """Refuse slices without position, orientation or pixel spacing: none is skipped."""
    wanted = (
        ("position", 3, "ImagePositionPatient"),
        ("orientation", 6, "ImageOrientationPatient"),
    )
    for name, length, tag in (*wanted, ("pixel_spacing", 2, "PixelSpacing")):
        without = [s for s in slices if len(getattr(s, name)) != length]
        if without:
            raise IrregularGridError(
                f"{tag} is missing or unreadable",
                where=without[0].image.where,
                found=f"{len(without)} of {len(slices)} slices without it",
                wanted=f"{length} numbers in every slice",
            )
    if min(min(s.pixel_spacing) for s in slices) <= 0:
        raise IrregularGridError(
            "PixelSpacing is not positive",
            where=slices[0].image.where,
            found=min(s.pixel_spacing for s in slices),
            wanted="two positive numbers",
        )


def check_uniform(slices: Sequence[Slice]) -> None:
    """Refuse slices of several sizes, pixel spacings, orientations or frames of reference."""
    first = slices[0]
    sizes = sorted({s.shape for s in slices})
    if len(sizes) > 1:
        shown = ", ".join(f"{columns} × {rows}" for columns, rows in sizes)
        raise IrregularGridError(
            "slices of several sizes", where=first.image.where, found=shown, wanted="one size"
        )
    spacing = np.array([s.pixel_spacing for s in slices])
    if np.abs(spacing - spacing[0]).max() > SAME_SPACING_MM:
        shown = ", ".join(f"{a:g} × {b:g} mm" for a, b in sorted({s.pixel_spacing for s in slices}))
        raise IrregularGridError(
            "several pixel spacings", where=first.image.where, found=shown, wanted="one spacing"
        )
    cosines = np.array([s.orientation for s in slices])
    if np.abs(cosines - cosines[0]).max() > SAME_COSINE:
        shown = " and ".join(
            "(" + ", ".join(f"{c:.4g}" for c in o) + ")"
            for o in sorted({s.orientation for s in slices})[:2]
        )
        raise IrregularGridError(
            "slices of several orientations",
            where=first.image.where,
            found=shown,
            wanted="one orientation",
        )
    frames = {s.frame_of_reference for s in slices}
    if len(frames) > 1:
        raise IrregularGridError(
            "several frames of reference",
            where=first.image.where,
            found=f"{len(frames)} FrameOfReferenceUIDs",
            wanted="one: positions of different frames cannot be compared",
        )


def check_rescale(slices: Sequence[Slice]) -> None:
    """Refuse slices whose stored values cannot be turned into HU.

    Without slope and intercept the values may be HU already or counts shifted by 1024, and no look
    at the pixels decides that for every scanner; a guess would be wrong without an error.
    """
    for s in slices:
        if s.slope is None or s.intercept is None or s.slope == 0:
            raise HuNotRecoverableError(
                "no usable RescaleSlope and RescaleIntercept",
                where=s.image.where,
                found=f"slope {s.slope}, intercept {s.intercept}",
                wanted="both, with a slope that is not 0",
            )
        if s.rescale_type.upper() not in {"", "HU", "US"}:
            known = s.rescale_type.upper()
            shown = known if known in _OTHER_UNITS else "another unit"
            raise HuNotRecoverableError(
                "RescaleType is not Hounsfield units",
                where=s.image.where,
                found=shown,
                wanted="HU, US (unspecified) or none",
            )


_OTHER_UNITS = frozenset(["OD", "HU_MOD", "PCT", "MGML", "Z_EFF", "ED", "EDW"])
"""Other defined terms of Rescale Type (PS3.3 C.11.1.1.2), safe to repeat in a message."""
