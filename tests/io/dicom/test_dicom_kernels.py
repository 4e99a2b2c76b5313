"""Kernel names of four vendors, and names nobody knows."""

from __future__ import annotations

import pytest

from osteoct.io.dicom.kernels import Sharpness, class_of, sharpness_of


@pytest.mark.parametrize(
    ("kernel", "maker", "sharpness"),
    [
        (("B30f",), "SIEMENS", Sharpness.SOFT),
        (("Br38f", "3"), "SIEMENS", Sharpness.SOFT),
        (("Br45",), "SIEMENS", Sharpness.SOFT),
        (("Br46",), "SIEMENS", Sharpness.MEDIUM),
        (("Bl49f",), "SIEMENS", Sharpness.MEDIUM),
        (("Bl50f",), "SIEMENS", Sharpness.SHARP),
        (("I70f", "3"), "SIEMENS", Sharpness.SHARP),
        (("Qr36",), "Siemens Healthineers", Sharpness.SOFT),
        (("STANDARD",), "GE MEDICAL SYSTEMS", Sharpness.SOFT),
        (("SOFT",), "GE MEDICAL SYSTEMS", Sharpness.SOFT),
        (("HD Standard",), "GE MEDICAL SYSTEMS", Sharpness.SOFT),
        (("DETAIL",), "GE MEDICAL SYSTEMS", Sharpness.MEDIUM),
        (("BONEPLUS",), "GE MEDICAL SYSTEMS", Sharpness.SHARP),
        (("B",), "Philips", Sharpness.SOFT),
        (("YC",), "Philips", Sharpness.SHARP),
        (("B",), None, Sharpness.UNKNOWN),
        (("FC08",), "TOSHIBA", Sharpness.SOFT),
        (("FC18-H",), "Canon", Sharpness.SOFT),
        (("FC30",), "TOSHIBA", Sharpness.SHARP),
        (("FC43",), "TOSHIBA", Sharpness.UNKNOWN),
        (("FC52",), "TOSHIBA", Sharpness.SHARP),
        (("3", "Br38f"), "SIEMENS", Sharpness.SOFT),
        ((), "SIEMENS", Sharpness.UNKNOWN),
        (("X-new",), "SIEMENS", Sharpness.UNKNOWN),
    ],
)
def test_names(kernel, maker, sharpness):
    """A kernel ranks by its vendor's naming; an unknown one is unknown, not soft."""
    assert sharpness_of(kernel, maker) is sharpness


@pytest.mark.parametrize(
    ("kernel", "kind"),
    [("Br38f", "soft"), ("Br46", "medium"), ("Bl57", "sharp"), ("Z99", None), ("", None)],
)
def test_class_as_records_hold_it(kernel, kind):
    """Every class has its word; what is not known has none, and is not called soft."""
    assert class_of((kernel,), "SIEMENS") == kind
