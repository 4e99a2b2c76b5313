"""How the patient lay by the header, and where the header contradicts itself.

PatientPosition tells how the patient entered the scanner. The standard forbids deriving the axes of
the image from it: they are ImageOrientationPatient's alone, in any reading direction. So the two
cannot contradict each other, and neither can PatientPosition and the order of the slices. What can:
PatientOrientation names the directions of rows and columns in letters and shall agree with
ImageOrientationPatient (PS3.3 C.7.6.1.1.1); and a spine has no laterality.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from osteoct.io.dicom import tags
from osteoct.io.dicom.discovery import ENHANCED_CT
from osteoct.io.dicom.elements import Elements
from osteoct.io.dicom.headers import ImageHeader, Slice, Vector
from osteoct.records import Finding, Severity

POSITIONS = frozenset(
    {
        *("HFP", "HFS", "HFDR", "HFDL", "FFDR", "FFDL", "FFP", "FFS"),
        *("LFP", "LFS", "RFP", "RFS", "AFDR", "AFDL", "PFDR", "PFDL"),
    }
)
"""Defined terms of PatientPosition: what goes first into the scanner, and what lies below."""

SIDES = frozenset({"L", "R"})
"""Lateralities that a paired part of the body has; B and U say nothing about a spine."""

LETTERS: Mapping[str, tuple[float, float, float]] = {
    "L": (1.0, 0.0, 0.0),
    "R": (-1.0, 0.0, 0.0),
    "P": (0.0, 1.0, 0.0),
    "A": (0.0, -1.0, 0.0),
    "H": (0.0, 0.0, 1.0),
    "F": (0.0, 0.0, -1.0),
}
"""Directions that PatientOrientation names, in DICOM's LPS."""

LEAST_COSINE = 0.5
"""A direction more than 60 degrees from every letter that names it is another direction: between
two neighbouring letters it is at most 55 degrees from the nearest of three."""


def position_of(image: ImageHeader) -> str | None:
    """PatientPosition, if it is one of the defined terms."""
    code = (image.elements.text(tags.PATIENT_POSITION) or "").upper()
    return code if code in POSITIONS else None


def check_header_position(first: Slice) -> tuple[Finding, ...]:
    """Find what a header says of directions and sides that cannot be true of a spine CT."""
    elements = first.image.elements
    found = (_check_letters(elements, first), _check_laterality(elements))
    return tuple(finding for finding in found if finding is not None)


def _check_letters(elements: Elements, first: Slice) -> Finding | None:
    """Find letters of rows and columns that point elsewhere than their cosines."""
    named = elements.texts(tags.PATIENT_ORIENTATION)
    if len(named) != 2 or first.image.sop_class in ENHANCED_CT:  # noqa: PLR2004 - rows, columns
        return None
    rows, columns = first.orientation[:3], first.orientation[3:]
    if _fits(named[0], rows) and _fits(named[1], columns):
        return None
    return Finding(
        code="patient-position",
        severity=Severity.WARNING,
        message=(
            f"PatientOrientation calls the directions of rows and columns {named[0]} and "
            f"{named[1]}; ImageOrientationPatient says otherwise and was used: one of them is "
            "wrong, and with it a side of the patient."
        ),
        evidence={
            "patient_orientation": "/".join(named),
            "image_orientation": " ".join(f"{c:.3f}" for c in first.orientation),
            "limit_cosine": LEAST_COSINE,
        },
    )


def _fits(letters: str, cosines: Vector) -> bool:
    """Whether a direction is one that its letters name; unknown letters are not judged."""
    known = [LETTERS[letter] for letter in letters.upper() if letter in LETTERS]
    if not known or len(known) != len(letters):
        return True
    return max(float(np.dot(axis, cosines)) for axis in known) >= LEAST_COSINE


def _check_laterality(elements: Elements) -> Finding | None:
    """Find a side of the body that a series of the spine cannot have."""
    texts = (elements.text(t) for t in (tags.LATERALITY, tags.IMAGE_LATERALITY))
    side = next((t.upper() for t in texts if t and t.upper() in SIDES), None)
    if side is None:
        return None
    return Finding(
        code="patient-position",
        severity=Severity.INFO,
        message=(
            f"The header states laterality {side}; a spine has none: the series may be of a limb, "
            "or its header another's."
        ),
        evidence={"laterality": side},
    )
