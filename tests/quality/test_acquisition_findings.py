"""Every gate fires exactly at its limit and not before."""

from __future__ import annotations

import pytest

from osteoct.geometry import Geometry
from osteoct.quality.acquisition import (
    KVP_ROUNDING,
    THICK_SLICE_MM,
    check_acquisition,
    check_contrast,
    check_kernel,
    check_kvp,
    check_slice_distance,
)
from osteoct.records import Acquisition, Phase, Severity


def grid(slice_mm: float, codes: str = "RAS") -> Geometry:
    geometry = Geometry.from_spacing((4, 4, 4), (1.0, 1.0, slice_mm))
    return geometry.reorientation_to(codes).apply_to_geometry(geometry)


@pytest.mark.parametrize(
    ("kvp", "code"),
    [
        (120.0, None),
        (120.0 + KVP_ROUNDING, None),
        (120.0 - KVP_ROUNDING - 0.01, "kvp-not-120"),
        (100.0, "kvp-not-120"),
        (140.0, "kvp-not-120"),
        (None, "kvp-unknown"),
    ],
)
def test_tube_voltage(kvp, code):
    """The measured value is tested, not a constant, as happened elsewhere."""
    finding = check_kvp(Acquisition(kvp=kvp))
    assert (finding and finding.code) == code
    if code == "kvp-not-120":
        assert f"{kvp:g} kVp" in finding.message
        assert finding.evidence["kvp"] == kvp


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_but_native_is_contrast(phase):
    """Seen elsewhere: `phase == "arterial"` never met `arterial_early`; every member must count."""
    finding = check_contrast(Acquisition(phase=phase))
    assert (finding is None) == (phase is Phase.NATIVE)
    if finding:
        assert (finding.code, finding.severity) == ("contrast", Severity.WARNING)


def test_unknown_phase_is_not_native():
    """Not stated is said."""
    assert check_contrast(Acquisition()).code == "phase-unknown"


@pytest.mark.parametrize("codes", ["RAS", "PIR", "SLA"])
def test_slice_distance_along_head_and_feet(codes):
    """The distance counts along the axis closest to head–feet, whichever array axis that is."""
    assert check_slice_distance(grid(THICK_SLICE_MM, codes)) is None
    finding = check_slice_distance(grid(THICK_SLICE_MM + 0.01, codes))
    assert finding.code == "thick-slices"
    assert finding.evidence["slice_distance_mm"] == pytest.approx(THICK_SLICE_MM + 0.01)


def test_what_pixels_tell_is_not_unknown():
    """Another finding says what they tell."""
    assert check_contrast(Acquisition(phase_pixels=Phase.NATIVE)) is None


@pytest.mark.parametrize(
    ("kernel", "kind", "code"),
    [
        (("Br38f",), "soft", None),
        (("CHEST",), "medium", None),
        (("Br64d", "3"), "sharp", "kernel-sharp"),
        (("Z99",), None, "kernel-unknown"),
        ((), None, None),
    ],
)
def test_kernel(kernel, kind, code):
    """A sharp one warns, an unknown name is told; where none is stated there is nothing to tell."""
    finding = check_kernel(Acquisition(kernel=kernel, kernel_class=kind))
    assert (finding and finding.code) == code
    if finding:
        assert finding.evidence["kernel"] == ", ".join(kernel)


def test_a_reference_scan_has_no_finding():
    """120 kVp, native, thin: nothing to say."""
    assert check_acquisition(Acquisition(kvp=120, phase=Phase.NATIVE), grid(1.0)) == ()
