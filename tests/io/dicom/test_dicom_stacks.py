"""Two acquisitions or reconstructions inside one series."""

from __future__ import annotations

import pytest

from osteoct.errors import IrregularGridError
from osteoct.io.dicom.series import find_series, read_dicom

UID = "1.2.3.77"


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        ("AcquisitionNumber", (1, 2)),
        ("ImageType", (["ORIGINAL", "PRIMARY", "AXIAL"], ["DERIVED", "PRIMARY", "AXIAL"])),
        ("ConvolutionKernel", ("STANDARD", "BONE")),
        ("ContrastBolusAgent", ("NONE", "Omnipaque")),
        ("TemporalPositionIdentifier", (1, 2)),
    ],
)
def test_phases_at_the_same_positions_are_told_apart(ct, tmp_path, assert_truth, tag, values):
    """Arterial and venous slices of one series interleave; mixed, they would be one false CT."""
    one = ct(uid=UID, tags={tag: values[0]})
    other = ct(uid=UID, tags={tag: values[1]})
    one.write(tmp_path / "a")

    def brighter(ds, _n):
        ds.RescaleIntercept = -924

    other.write(tmp_path / "b", brighter)
    listing = find_series(tmp_path)
    assert [s.key for s in listing.series] == ["2.1", "2.2"]
    assert [s.slices for s in listing.series] == [6, 6]
    volume = read_dicom(tmp_path, series=UID)
    assert "series-split" in {f.code for f in volume.findings}
    assert_truth(volume)


def test_thin_and_thick_in_one_series(ct, tmp_path, assert_truth):
    """Two reconstructions that share only some positions."""
    ct(uid=UID, n=13, distance_mm=1.0, tags={"SliceThickness": 1}).write(tmp_path / "thin")
    ct(uid=UID, n=5, distance_mm=3.0, tags={"SliceThickness": 3}).write(tmp_path / "thick")
    volume = read_dicom(tmp_path)
    assert volume.geometry.shape[2] == 13
    assert_truth(volume)


def test_sizes_and_orientations_split_into_whole_stacks(ct, tmp_path, assert_truth):
    """Axial and coronal stacks of one series are each a grid of its own."""
    ct(uid=UID, n=7).write(tmp_path / "axial")
    ct(uid=UID, n=4, orientation=(1, 0, 0, 0, 0, -1), rows=30).write(tmp_path / "coronal")
    ct(uid=UID, n=3, rows=5).write(tmp_path / "small")
    volume = read_dicom(tmp_path)
    assert volume.geometry.shape == (10, 8, 7)
    assert_truth(volume)


def test_two_acquisitions_one_after_the_other_are_one_stack(ct, tmp_path, assert_truth):
    """Another AcquisitionNumber alone splits nothing: long scans are acquired in parts."""

    def change(ds, n):
        ds.AcquisitionNumber = 1 + n // 3

    volume = read_dicom(ct().write(tmp_path, change))
    assert volume.geometry.shape[2] == 6
    assert volume.findings == ()
    assert_truth(volume)


def test_what_cannot_be_split_into_regular_stacks_is_refused(ct, tmp_path):
    """Two phases, one of them with a hole: neither may be read as the other."""
    ct(uid=UID, n=8, tags={"AcquisitionNumber": 1}).write(tmp_path / "a")

    def brighter(ds, _n):
        ds.RescaleIntercept = -924

    other = ct(uid=UID, n=8, tags={"AcquisitionNumber": 2})
    other.write(tmp_path / "b", brighter, skip={3})
    with pytest.raises(IrregularGridError, match="two different images at one position"):
        read_dicom(tmp_path)
