"""Real DICOM files of a body whose HU is known at every point of patient space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

NO_CHANGE: Callable[[Dataset, int], None] = lambda _ds, _n: None  # noqa: E731 - a named default


def truth_hu(points_lps):
    """HU at patient coordinates (…, 3) in LPS: different along every axis, whole on whole mm."""
    return points_lps @ np.array([2.0, 3.0, 5.0])


@dataclass(frozen=True, kw_only=True)
class Series:
    """A series to write; everything is in DICOM's LPS."""

    n: int = 6
    columns: int = 10
    rows: int = 8
    row_mm: float = 2.0
    column_mm: float = 1.0
    distance_mm: float = 3.0
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0)
    origin: Sequence[float] = (-20, -30, -100)
    shear: Sequence[float] = (0, 0, 0)
    intercept: int = -1024
    tags: dict[str, Any] = field(default_factory=dict)
    uid: str = field(default_factory=generate_uid)
    frame: str = "1.2.3.4"

    def position(self, n):
        """Patient coordinates of the first voxel of slice ``n``."""
        o = np.array(self.orientation, float)
        step = np.cross(o[:3], o[3:]) * self.distance_mm + np.array(self.shear)
        return np.array(self.origin, float) + n * step

    def plane_hu(self, n):
        """True HU (row, column) of slice ``n``."""
        o = np.array(self.orientation, float)
        j, i = np.mgrid[: self.rows, : self.columns]
        points = self.position(n) + i[..., None] * o[:3] * self.column_mm
        return truth_hu(points + j[..., None] * o[3:] * self.row_mm)

    def dataset(self, n):
        """Slice ``n`` as an uncompressed data set."""
        ds = Dataset()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
        ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", self.uid
        ds.FrameOfReferenceUID, ds.Modality = self.frame, "CT"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.PatientID, ds.SeriesNumber, ds.InstanceNumber = "P1", 2, n + 1
        ds.SliceThickness = 7
        ds.ImagePositionPatient = [round(float(c), 6) for c in self.position(n)]
        ds.ImageOrientationPatient = [round(float(c), 9) for c in self.orientation]
        ds.PixelSpacing = [self.row_mm, self.column_mm]
        ds.Rows, ds.Columns = self.rows, self.columns
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, self.intercept, "HU"
        ds.PixelData = np.round(self.plane_hu(n) - self.intercept).astype("<i2").tobytes()
        for name, value in self.tags.items():
            if value is None:
                delattr(ds, name)
            else:
                setattr(ds, name, value)
        return ds

    def write(self, folder, change=NO_CHANGE, *, skip=(), name="{:03d}.dcm"):
        """Write the slices; ``change`` may edit each data set before it is saved."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for n in range(self.n):
            if n in skip:
                continue
            ds = self.dataset(n)
            change(ds, n)
            ds.save_as(Path(folder) / name.format(n), enforce_file_format=True)
        return Path(folder)


def check_truth(volume, atol=0.0):
    """Every voxel of a volume holds the HU of the place its affine says it has."""
    index = np.moveaxis(np.indices(volume.geometry.shape), 0, -1)
    points_lps = volume.geometry.to_patient(index) * [-1, -1, 1]
    np.testing.assert_allclose(volume.array, truth_hu(points_lps), rtol=0, atol=atol)


@pytest.fixture
def ct():
    """The maker of series."""
    return Series


@pytest.fixture
def assert_truth():
    """Check that HU and places agree."""
    return check_truth
