"""One regular grid from slice positions, or a failure that names the values."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.errors import IrregularGridError
from osteoct.io.dicom.grid import IN_PLANE_REFUSE_MM, TILT_LIMIT_DEG
from osteoct.io.dicom.series import find_series, read_dicom


def shifted(n_from, by):
    """A change that moves the slices from ``n_from`` on."""

    def change(ds, n):
        if n >= n_from:
            position = np.array([float(c) for c in ds.ImagePositionPatient]) + by
            ds.ImagePositionPatient = [float(c) for c in position]

    return change


def only(k, **tags):
    """A change that gives slice ``k`` other tags."""

    def change(ds, n):
        if n == k:
            for name, value in tags.items():
                setattr(ds, name, value)

    return change


@pytest.mark.parametrize(("skip", "count"), [({4}, 1), ({4, 5}, 2), ({3, 7}, 2)])
def test_missing_slices_are_counted_and_placed(ct, tmp_path, skip, count):
    """A hole closed silently would shorten every vertebra behind it."""
    folder = ct(n=12).write(tmp_path, skip=skip)
    first = min(skip)
    with pytest.raises(IrregularGridError, match=f"{count} slices? missing") as failure:
        read_dicom(folder)
    assert f"{-100 + 3 * (first - 1):.2f}" in str(failure.value)
    assert "every 3.000 mm" in str(failure.value)


def test_uneven_spacing_names_both_distances(ct, tmp_path):
    """Half of the stack at another distance is not one grid."""

    def change(ds, n):
        ds.ImagePositionPatient = [-20, -30, -100 + 3 * n + (1.2 * max(0, n - 5))]

    with pytest.raises(IrregularGridError, match=r"3\.000 to 4\.200 mm"):
        read_dicom(ct(n=12).write(tmp_path, change))


def test_double_distance_in_half_the_stack_is_uneven_not_missing(ct, tmp_path):
    """Every second slice absent in the lower half is another spacing, not a lost file."""
    folder = ct(n=15).write(tmp_path, skip={7, 9, 11, 13})
    with pytest.raises(IrregularGridError, match=r"3\.000 to 6\.000 mm"):
        read_dicom(folder)


def test_rounded_positions_are_read_with_a_remark(ct, tmp_path):
    """0.625 mm written with one decimal is 0.6 and 0.7: rounding, not missing slices."""

    def change(ds, n):
        ds.ImagePositionPatient = [-20, -30, round(-100 + 0.625 * n + 1e-9, 1)]

    volume = read_dicom(ct(n=17).write(tmp_path, change))
    assert volume.geometry.spacing_mm[2] == pytest.approx(0.625)
    assert [f.code for f in volume.findings] == ["slices-uneven"]


def test_small_rounding_is_no_finding(ct, tmp_path):
    """The remark does not fire on every archive: 0.01 mm of 3 mm is nothing."""
    volume = read_dicom(ct(n=8).write(tmp_path, only(3, ImagePositionPatient=[-20, -30, -90.99])))
    assert volume.findings == ()


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"Rows": 10, "Columns": 8}, "8 × 10, 10 × 8"),
        ({"PixelSpacing": [2.0, 1.5]}, "2 × 1 mm, 2 × 1.5 mm"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "several orientations"),
        ({"FrameOfReferenceUID": "9.9"}, "several frames of reference"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient is missing"),
        ({"ImageOrientationPatient": ""}, "ImageOrientationPatient is missing"),
        ({"PixelSpacing": None}, "PixelSpacing is missing"),
    ],
)
@pytest.mark.parametrize("k", [0, 3, 7])
def test_one_odd_slice_refuses_the_series(ct, tmp_path, tags, words, k):
    """A slice that does not fit is never left out, wherever in the stack it lies."""
    with pytest.raises(IrregularGridError, match=words):
        read_dicom(ct(n=8).write(tmp_path, only(k, **tags)))


@pytest.mark.parametrize(
    "orientation", [[1, 0, 0, 0.1, 0.995, 0], [1, 0, 0, 0, 0.9, 0], [0, 0, 0, 0, 0, 0]]
)
def test_directions_that_are_no_frame_are_refused(ct, tmp_path, orientation):
    """Sheared or scaled direction cosines have no meaning in DICOM."""
    folder = ct(tags={"ImageOrientationPatient": orientation}).write(tmp_path)
    with pytest.raises(IrregularGridError, match="perpendicular"):
        read_dicom(folder)


def test_sideways_jump_is_refused(ct, tmp_path):
    """Slices that jump sideways come from two set-ups of the patient."""
    folder = ct(n=10).write(tmp_path, shifted(5, np.array([3 * IN_PLANE_REFUSE_MM, 0, 0])))
    with pytest.raises(IrregularGridError, match="sideways"):
        read_dicom(folder)


@pytest.mark.parametrize(("degrees", "is_read"), [(TILT_LIMIT_DEG - 1, True), (40, False)])
def test_tilt_limit(ct, tmp_path, degrees, is_read):
    """More than any gantry can tilt is a wrong header."""
    shear = (0, 3.0 * np.tan(np.radians(degrees)), 0)
    folder = ct(shear=shear).write(tmp_path)
    if is_read:
        assert read_dicom(folder).geometry.is_orthogonal
    else:
        with pytest.raises(IrregularGridError, match=r"40\.0 degrees"):
            read_dicom(folder)


def test_several_frames_with_one_position_are_refused(ct, tmp_path):
    """A multi-frame file of the single-frame class says nothing about where its frames lie."""
    with pytest.raises(IrregularGridError, match="several frames"):
        read_dicom(ct(n=2, tags={"NumberOfFrames": 3}).write(tmp_path))


def test_listing_tells_why_there_is_no_grid(ct, tmp_path):
    """The listing shows what reading would refuse, instead of failing."""
    listing = find_series(ct(n=8).write(tmp_path, skip={4}))
    assert listing.chosen is None
    assert listing.series[0].grid is None
    assert "1 slice missing" in listing.series[0].refusal
