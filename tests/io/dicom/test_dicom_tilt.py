"""A tilted gantry: the resampled boxes hold the HU of their own places."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.io.dicom.series import read_dicom


@pytest.mark.parametrize(
    "shear", [(0, 1.1, 0), (0, -0.7, 0), (0.45, 1.3, 0), (-1.0, 2.0, 0), (-0.3, -1.7, 0)]
)
def test_tilt_is_resampled_to_the_right_places(ct, tmp_path, shear):
    """HU that are linear in space must come back exactly at each box; the truth needs no reader."""
    series = ct(n=7, shear=shear, columns=12, rows=11, distance_mm=5.0)
    volume = read_dicom(series.write(tmp_path))
    assert volume.geometry.is_orthogonal
    assert volume.array.dtype == np.float32
    index = np.moveaxis(np.indices(volume.geometry.shape), 0, -1)
    truth = volume.geometry.to_patient(index) * [-1, -1, 1] @ np.array([2.0, 3.0, 5.0])
    measured = volume.array != volume.padding_hu
    # stored values are rounded to whole HU, so a mean of neighbours is off by at most a half
    np.testing.assert_allclose(volume.array[measured], truth[measured], atol=0.51)
    # every slice lies whole in the grid: at most one row and one column is lost to interpolation
    for n in range(7):
        assert measured[:, :, n].sum() >= 11 * 10
    finding = next(f for f in volume.findings if f.code == "gantry-tilt-resampled")
    expected = np.degrees(np.arctan(np.hypot(*shear[:2]) / 5.0))
    assert finding.evidence["tilt_deg"] == pytest.approx(expected, abs=0.01)


def test_whole_pixel_shifts_change_no_value(ct, tmp_path):
    """Where the shift is whole pixels nothing is interpolated: every stored HU comes back."""
    series = ct(n=4, shear=(0, 2.0, 0), distance_mm=5.0)
    volume = read_dicom(series.write(tmp_path))
    measured = volume.array[volume.array != volume.padding_hu]
    stored = np.concatenate([series.plane_hu(n).ravel() for n in range(4)])
    assert np.array_equal(np.sort(measured), np.sort(stored))


def test_padding_does_not_leak_into_neighbours(ct, tmp_path):
    """A mean of tissue and padding would be a HU that nobody measured."""

    def change(ds, _n):
        stored = np.frombuffer(ds.PixelData, "<i2").copy().reshape(8, 10)
        stored[:4] = -2000
        ds.PixelData, ds.PixelPaddingValue = stored.tobytes(), -2000

    volume = read_dicom(ct(shear=(0, 0.9, 0)).write(tmp_path, change))
    measured = volume.array[volume.array != volume.padding_hu]
    assert volume.padding_hu == -3024
    assert measured.size > 0
    assert measured.min() > -1000


def test_untilted_stack_is_not_touched(ct, tmp_path):
    """The finding does not fire where the step is along the normal within rounding."""
    volume = read_dicom(ct(shear=(0, 0.001, 0)).write(tmp_path))
    assert volume.findings == ()
    assert volume.array.dtype == np.int16
