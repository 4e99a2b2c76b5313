"""Findings about how the scan was made."""

from __future__ import annotations

from osteoct.geometry import Geometry
from osteoct.records import Acquisition, Finding, Phase, Severity

REFERENCE_KVP = 120.0
"""The tube voltage of the published cut-offs (Pickhardt 2013; Jang 2019)."""

KVP_ROUNDING = 1.0
"""Scanners write 119.9 for 120 kVp."""

THICK_SLICE_MM = 3.0
"""Slice distance above which shell and end plates blur into the core of small regions."""


def check_acquisition(acquisition: Acquisition, grid: Geometry) -> tuple[Finding, ...]:
    """Check tube voltage, kernel, contrast and slice distance."""
    checks = (
        check_kvp(acquisition),
        check_kernel(acquisition),
        check_contrast(acquisition),
        check_slice_distance(grid),
    )
    return tuple(finding for finding in checks if finding is not None)


def check_kvp(acquisition: Acquisition) -> Finding | None:
    """Find a tube voltage that is not the reference one, or not known."""
    kvp = acquisition.kvp
    if kvp is None:
        return Finding(
            code="kvp-unknown",
            severity=Severity.INFO,
            message="Tube voltage is not stated; published cut-offs hold at 120 kVp.",
        )
    if abs(kvp - REFERENCE_KVP) <= KVP_ROUNDING:
        return None
    direction = "raises" if kvp < REFERENCE_KVP else "lowers"
    return Finding(
        code="kvp-not-120",
        severity=Severity.WARNING,
        message=f"Tube voltage is {kvp:g} kVp, not 120: that {direction} the HU of mineral.",
        evidence={"kvp": kvp, "reference_kvp": REFERENCE_KVP},
    )


def check_kernel(acquisition: Acquisition) -> Finding | None:
    """Find a sharp kernel, or one whose name no maker's table knows."""
    if not acquisition.kernel or acquisition.kernel_class in ("soft", "medium"):
        return None
    name = ", ".join(acquisition.kernel)
    if acquisition.kernel_class is None:
        return Finding(
            code="kernel-unknown",
            severity=Severity.INFO,
            message=f"How sharp the kernel {name} is, is not known.",
            evidence={"kernel": name},
        )
    return Finding(
        code="kernel-sharp",
        severity=Severity.WARNING,
        message=(
            f"The kernel {name} is sharp: HU of the shell and noise are raised; "
            "the mean of the core hardly moves."
        ),
        evidence={"kernel": name},
    )


def check_contrast(acquisition: Acquisition) -> Finding | None:
    """Find contrast, whichever phase it is in, or a phase that is not stated."""
    phase = acquisition.phase
    if phase is None and acquisition.phase_pixels is not None:
        return None  # quality.phase says what the pixels tell
    if phase is None:
        return Finding(
            code="phase-unknown",
            severity=Severity.INFO,
            message="Whether contrast was given is not stated; contrast raises trabecular HU.",
        )
    if phase is Phase.NATIVE:
        return None
    told = "phase not told" if phase is Phase.CONTRAST else phase.value
    return Finding(
        code="contrast",
        severity=Severity.WARNING,
        message=(
            f"Contrast was given ({told}): trabecular HU at L1 rise by about 11 to 27 "
            "with a spread of 19 to 27."
        ),
        evidence={"phase": phase.value},
    )


def check_slice_distance(grid: Geometry) -> Finding | None:
    """Find slices further apart than ``THICK_SLICE_MM``."""
    distance = grid.spacing_mm[grid.slice_axis]
    if distance <= THICK_SLICE_MM:
        return None
    return Finding(
        code="thick-slices",
        severity=Severity.WARNING,
        message=f"Slices are {distance:.2f} mm apart (more than {THICK_SLICE_MM:g} mm).",
        evidence={"slice_distance_mm": distance, "limit_mm": THICK_SLICE_MM},
    )
