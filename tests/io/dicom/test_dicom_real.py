"""A real series (JPEG 2000, two-value kernel, thickness that is not the distance) beside GDCM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name

from osteoct.io.dicom.series import find_series, read_dicom, read_dicom_with_identity
from osteoct.records import Phase

REAL = Path(__file__).parents[4] / "shared" / "data" / "ts-dicom"

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="real images are not on this machine")


def test_voxels_and_places_equal_gdcm():
    """Another library, written by others, says which HU lies where (in LPS)."""
    volume = read_dicom(REAL)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(REAL)))
    image = reader.Execute()
    assert np.array_equal(volume.array, sitk.GetArrayFromImage(image).transpose(2, 1, 0))
    for index in [(0, 0, 0), (511, 0, 0), (0, 511, 0), (100, 200, 19)]:
        lps = np.array(image.TransformIndexToPhysicalPoint(index))
        ras = volume.geometry.to_patient(np.array(index))
        np.testing.assert_allclose(ras, lps * [-1, -1, 1], atol=1e-9)


def test_header_facts():
    """Distance 2 mm beside a thickness of 3 mm; both kernel values; contrast."""
    volume, identity = read_dicom_with_identity(REAL)
    assert volume.geometry.spacing_mm == (0.9765625, 0.9765625, 2.0)
    assert volume.acquisition.slice_thickness_mm == 3.0
    assert volume.acquisition.kernel == ("Br38f", "3")
    assert volume.acquisition.phase is Phase.CONTRAST
    assert volume.acquisition.kvp == 120
    assert volume.findings == ()
    # the id was removed, its issuer was not: that names nobody
    assert identity.patient_key is None


def test_the_mask_beside_it_is_counted():
    """The folder also holds a NIfTI mask, which is no DICOM."""
    assert find_series(REAL).ignored == {"not DICOM": 1}
