"""Tube voltage, contrast and the choices a scanner refuses."""

import pytest

from osteoct.errors import ConfigError
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.tissue import AIR, BLOOD, FAT, MUSCLE, Tissue, TissueKind
from osteoct.records import Phase

MEAN_L1 = Tissue(name="mean L1", hu=140.9, kind=TissueKind.TRABECULAR)


def test_the_published_factor_holds_at_the_published_mean():
    """AAPM 2026 abstract 1859: 148.1 to 137.3 at 100 kVp, 131.3 to 138.3 at 140 kVp."""
    assert Scanner(kvp=100).hu_of(MEAN_L1) == pytest.approx(140.9 * 148.1 / 137.3)
    assert Scanner(kvp=140).hu_of(MEAN_L1) == pytest.approx(140.9 * 131.3 / 138.3)


def test_soft_tissue_does_not_follow_the_tube_voltage():
    """Mineral moves with the voltage, marrow and muscle hardly."""
    assert {Scanner(kvp=100).hu_of(t) for t in (MUSCLE, FAT, AIR)} == {50.0, -100.0, -1000.0}


def test_a_factor_on_hu_is_approximate():
    """Away from the published mean the ratio differs: no correction may be exact on a phantom."""
    weak = Tissue(name="weak", hu=80.0, kind=TissueKind.TRABECULAR)
    ratio = Scanner(kvp=100).hu_of(weak) / 80
    assert ratio != pytest.approx(148.1 / 137.3, abs=0.005)


@pytest.mark.parametrize(
    ("phase", "rise"),
    [(None, 0), (Phase.NATIVE, 0), (Phase.ARTERIAL, 14.4), (Phase.PORTAL_VENOUS, 25.7)],
)
def test_contrast_lifts_marrow_by_the_published_mean(phase, rise):
    """Field values at L1; the shell has no marrow and stays."""
    scanner = Scanner(phase=phase)
    shell = Tissue(name="shell", hu=700.0, kind=TissueKind.CORTICAL)
    assert scanner.hu_of(MEAN_L1) == pytest.approx(140.9 + rise)
    assert scanner.hu_of(shell) == 700
    assert (scanner.hu_of(BLOOD) > 100) == bool(rise)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"kvp": 80.0}, "without a published factor"),
        ({"phase": Phase.DELAYED}, "without a published rise"),
        ({"kernel": "crisp"}, "unknown kernel"),
        ({"pixel_mm": 0.0}, "not a length"),
        ({"slice_thickness_mm": -1.0}, "not a length"),
    ],
)
def test_what_has_no_published_number_is_refused(choice, message):
    """A phantom's truth may not rest on an invented factor."""
    with pytest.raises(ConfigError, match=message):
        Scanner(**choice)


def test_thickness_is_the_distance_unless_ordered():
    """Overlapping slices are an explicit choice."""
    assert Scanner(slice_mm=2.5).thickness_mm == 2.5
    assert Scanner(slice_mm=2.5, slice_thickness_mm=5.0).thickness_mm == 5.0
