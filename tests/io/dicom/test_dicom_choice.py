"""Which series is measured: each rule fires, in its order, and says why."""

from __future__ import annotations

import pytest

from osteoct.io.dicom.choice import EXTENT_SHARE
from osteoct.io.dicom.series import find_series, read_dicom

SAGITTAL = (0, 1, 0, 0, 0, -1)


def listing_of(tmp_path, better, worse):
    """Listing of two series; the better one has the higher number, so a tie would not take it."""
    worse.write(tmp_path / "a worse")
    better.write(tmp_path / "b better")
    return find_series(tmp_path)


def tagged(ct, number, **tags):
    n, distance = tags.pop("n", 6), tags.pop("distance_mm", 3.0)
    tags.setdefault("SliceThickness", distance)
    return ct(n=n, distance_mm=distance, tags={"SeriesNumber": number, **tags})


@pytest.mark.parametrize(
    ("rule", "better", "worse"),
    [
        ("longest head-feet extent", {"n": 20}, {"n": 17}),
        ("thin slices", {"n": 40, "distance_mm": 1.0}, {"n": 14}),
        ("thin slices", {"SliceThickness": 3}, {"SliceThickness": 8}),
        ("soft kernel", {"ConvolutionKernel": "Br38f"}, {"ConvolutionKernel": "Br64f"}),
        ("soft kernel", {"ConvolutionKernel": "STANDARD"}, {"ConvolutionKernel": "BONE"}),
        ("soft kernel", {"ConvolutionKernel": "X-new"}, {"ConvolutionKernel": "LUNG"}),
        ("original before derived", {}, {"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}),
        ("primary before secondary", {}, {"ImageType": ["ORIGINAL", "SECONDARY", "AXIAL"]}),
        ("body part may show", {"BodyPartExamined": "ABDOMEN"}, {"BodyPartExamined": "HEAD"}),
        ("without contrast", {"SeriesDescription": "nativ"}, {"SeriesDescription": "portal"}),
        ("smaller slice distance", {"n": 15, "distance_mm": 2.0}, {"n": 12, "distance_mm": 2.5}),
    ],
)
def test_each_rule_decides_and_says_so(ct, tmp_path, rule, better, worse):
    """A rule that cannot fire is no rule; a choice without a reason cannot be checked."""
    listing = listing_of(tmp_path, tagged(ct, 8, **better), tagged(ct, 3, **worse))
    by_key = {s.key: s for s in listing.series}
    assert listing.chosen is not None
    assert listing.chosen.key == "8"
    assert by_key["8"].reasons[-1].startswith(f"preferred: {rule}")
    assert by_key["3"].reasons[-1].startswith(f"not chosen: {rule}")


def test_axial_comes_before_extent(ct, tmp_path):
    """A sagittal reformat is longer than the axial scan; its slices are still not axial."""
    axial = ct(n=4, tags={"SeriesNumber": 8})
    sagittal = ct(n=9, rows=40, orientation=SAGITTAL, origin=(0, 0, 40), tags={"SeriesNumber": 3})
    listing = listing_of(tmp_path, axial, sagittal)
    assert listing.chosen.key == "8"
    assert "axial slices (slice normal 0 degrees" in listing.chosen.reasons[0]


def test_extent_share_is_the_limit(ct, tmp_path):
    """Exactly at the share the shorter scan still counts as equal, and the kernel decides."""
    long = tagged(ct, 3, n=21, distance_mm=1.0, ConvolutionKernel="BONE")
    soft = tagged(
        ct, 8, n=1 + int(20 * EXTENT_SHARE), distance_mm=1.0, ConvolutionKernel="STANDARD"
    )
    assert listing_of(tmp_path / "at", soft, long).chosen.key == "8"
    short = tagged(ct, 8, n=18, distance_mm=1.0, ConvolutionKernel="STANDARD")
    assert listing_of(tmp_path / "below", short, long).chosen.key == "3"


def test_a_tie_is_said(ct, tmp_path):
    """Two equal series: the lower number, every time, and a warning."""
    ct(tags={"SeriesNumber": 9}).write(tmp_path / "a")
    ct(tags={"SeriesNumber": 4}).write(tmp_path / "b")
    listing = find_series(tmp_path)
    assert listing.chosen.key == "4"
    assert "equal by every rule" in listing.chosen.reasons[-1]
    volume = read_dicom(tmp_path)
    assert {f.code: f.severity.value for f in volume.findings} == {
        "series-tie": "warning",
        "series-chosen": "info",
    }


def test_no_finding_without_a_choice(ct, tmp_path):
    """One series in the folder is no choice."""
    assert read_dicom(ct().write(tmp_path)).findings == ()


def test_a_broken_series_is_passed_over_and_named(ct, tmp_path):
    """The best series has a hole: the next one is read, and the listing shows the hole."""
    ct(n=30, tags={"SeriesNumber": 2}).write(tmp_path / "a", skip={9})
    ct(n=6, tags={"SeriesNumber": 5}).write(tmp_path / "b")
    listing = find_series(tmp_path)
    assert listing.chosen.key == "5"
    broken = next(s for s in listing.series if s.key == "2")
    assert broken.reasons == ("refused: 1 slice missing",)
    assert [f.code for f in read_dicom(tmp_path).findings] == ["series-chosen"]


def test_keys_are_unique(ct, tmp_path):
    """Series numbers repeat and are missing; keys never repeat."""
    for n, number in enumerate([2, 2, None, 7]):
        ct(tags={"SeriesNumber": number}).write(tmp_path / str(n))
    keys = sorted(s.key for s in find_series(tmp_path).series)
    assert keys == ["2.1", "2.2", "7", "series-3"]
