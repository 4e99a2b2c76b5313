"""Writing a phantom scan as a DICOM CT series."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from osteoct.errors import GeometryError, OutputError
from osteoct.geometry import ORTHOGONAL_COSINE, Geometry
from osteoct.records import Acquisition
from osteoct.volume import CTVolume

RESCALE_INTERCEPT = -1024
"""Stored 0 is -1024 HU, as most scanners write it."""

LARGEST_STORED = 65535
"""Sixteen bits without a sign."""

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0])
"""DICOM's patient axes grow to the left, the back and the head."""

STUDY_DATE = "20200102"
"""An ordinary day; a date that changed with the clock would change the files."""


@dataclass(frozen=True, kw_only=True)
class PhantomPatient:
    """A patient nobody can mistake for a real one."""

    name: str = "PHANTOM^SPINE"
    identifier: str = "PHANTOM-0001"
    age_years: int = 71
    sex: Literal["F", "M", "O"] = "F"


PHANTOM_PATIENT = PhantomPatient()
"""The patient of every phantom unless another is given."""


def write_dicom(
    ct: CTVolume, folder: Path, *, seed: int = 0, patient: PhantomPatient = PHANTOM_PATIENT
) -> None:
    """Write one uncompressed file per slice, ``slice-0001.dcm`` and so on.

    Slices are taken along array axis 2; columns run along axis 0, rows along axis 1. UIDs follow
    from the seed and the image, under the UUID root 2.25: the same scan gives the same files.

    Parameters
    ----------
    folder
        Made if it does not exist.

    Raises
    ------
    GeometryError
        The axes of a slice are not perpendicular.
    OutputError
        HU that sixteen bits cannot hold, or files are already there.
    """
    _check_plane(ct.geometry)
    stored = _store(ct)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.dcm")):
        raise OutputError(
            "folder holds DICOM files", where=folder.name, hint="choose an empty folder"
        )
    root = _fingerprint(ct, seed)
    for k in range(ct.geometry.shape[2]):
        dataset = _make_common(ct, patient, root)
        _add_slice(dataset, ct.geometry, stored[:, :, k], k, root)
        dataset.save_as(folder / f"slice-{k + 1:04d}.dcm", enforce_file_format=True)


def _check_plane(geometry: Geometry) -> None:
    """Rows and columns of a DICOM image are perpendicular; slices may be sheared (gantry tilt)."""
    across, down = geometry.direction[:, 0], geometry.direction[:, 1]
    cosine = abs(float(across @ down))
    if cosine > ORTHOGONAL_COSINE:
        raise GeometryError(
            "the axes of a slice are not perpendicular",
            found=f"cosine {cosine:.4f}",
            wanted=f"at most {ORTHOGONAL_COSINE}",
        )


def _store(ct: CTVolume) -> NDArray[np.uint16]:
    """Stored values, rounded to whole HU."""
    stored = np.rint(ct.hu()).astype(np.int32) - RESCALE_INTERCEPT
    low, high = int(stored.min()), int(stored.max())
    if low < 0 or high > LARGEST_STORED:
        raise OutputError(
            "HU that sixteen bits with this intercept cannot hold",
            found=f"{low + RESCALE_INTERCEPT} to {high + RESCALE_INTERCEPT} HU",
            wanted=f"{RESCALE_INTERCEPT} to {LARGEST_STORED + RESCALE_INTERCEPT} HU",
        )
    return stored.astype(np.uint16)


def _fingerprint(ct: CTVolume, seed: int) -> str:
    """What all UIDs of a series follow from."""
    digest = hashlib.sha256(np.ascontiguousarray(ct.array).tobytes())
    digest.update(ct.geometry.affine.tobytes())
    return f"osteoct phantom {seed} {digest.hexdigest()}"


def _make_uid(root: str, role: str) -> UID:
    """A UID under 2.25 that follows from a text."""
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'{root} {role}').int}")


def _decimal(value: float) -> str:
    """A number in the sixteen characters of a decimal string, with the most digits that fit."""
    return next(t for n in range(14, 0, -1) if len(t := f"{value:.{n}g}") <= 16)  # noqa: PLR2004 - DICOM's limit, named in the line above


def _make_common(ct: CTVolume, patient: PhantomPatient, root: str) -> Dataset:
    """What is the same in all files of the series."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    _add_patient_and_study(dataset, patient, root)
    _add_series(dataset, ct, root)
    _add_scan(dataset, ct.acquisition, ct.geometry)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = _make_uid("osteoct", "implementation")
    return dataset


def _add_patient_and_study(dataset: Dataset, patient: PhantomPatient, root: str) -> None:
    """Patient, patient study and general study modules."""
    dataset.PatientName = patient.name
    dataset.PatientID = patient.identifier
    dataset.PatientBirthDate = ""
    dataset.PatientSex = patient.sex
    dataset.PatientAge = f"{patient.age_years:03d}Y"
    dataset.StudyInstanceUID = _make_uid(root, "study")
    dataset.StudyDate = STUDY_DATE
    dataset.StudyTime = "120000"
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = "1"
    dataset.AccessionNumber = ""
    dataset.StudyDescription = "Digital phantom"


def _add_series(dataset: Dataset, ct: CTVolume, root: str) -> None:
    """General series, frame of reference and equipment modules."""
    acquisition = ct.acquisition
    dataset.Modality = "CT"
    dataset.SeriesInstanceUID = _make_uid(root, "series")
    dataset.SeriesNumber = 1
    dataset.SeriesDate = STUDY_DATE
    dataset.SeriesTime = "120000"
    dataset.SeriesDescription = f"Phantom {acquisition.phase or ''}".strip()
    dataset.BodyPartExamined = "LSPINE"
    dataset.PatientPosition = "HFS"
    dataset.FrameOfReferenceUID = _make_uid(root, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.Manufacturer = acquisition.manufacturer or ""
    dataset.ManufacturerModelName = acquisition.model or ""


def _add_scan(dataset: Dataset, acquisition: Acquisition, geometry: Geometry) -> None:
    """CT image and contrast modules, as far as they are the same in every slice."""
    spacing = geometry.spacing_mm
    thickness = acquisition.slice_thickness_mm or spacing[2]
    dataset.KVP = None if acquisition.kvp is None else _decimal(acquisition.kvp)
    dataset.ConvolutionKernel = list(acquisition.kernel) or None
    dataset.SliceThickness = _decimal(thickness)
    dataset.GantryDetectorTilt = _decimal(acquisition.gantry_tilt_deg or 0.0)
    dataset.AcquisitionNumber = 1
    dataset.ContentDate = dataset.AcquisitionDate = STUDY_DATE
    dataset.ContentTime = dataset.AcquisitionTime = "120000"
    if acquisition.contrast_agent:
        dataset.ContrastBolusAgent = acquisition.contrast_agent
        dataset.ContrastBolusRoute = "IV"
    dataset.PixelSpacing = [_decimal(spacing[1]), _decimal(spacing[0])]
    across, down = (LPS_FROM_RAS @ geometry.direction[:, n] for n in (0, 1))
    dataset.ImageOrientationPatient = [_decimal(float(c)) for c in (*across, *down)]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = geometry.shape[1], geometry.shape[0]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept = _decimal(RESCALE_INTERCEPT)
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "HU"
    dataset.WindowCenter, dataset.WindowWidth = "300", "1500"


def _add_slice(
    dataset: Dataset, geometry: Geometry, stored: NDArray[np.uint16], k: int, root: str
) -> None:
    """Identity, position and pixels of one slice."""
    uid = _make_uid(root, f"slice {k}")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.InstanceNumber = k + 1
    position = LPS_FROM_RAS @ geometry.to_patient(np.array([0.0, 0.0, float(k)]))
    dataset.ImagePositionPatient = [_decimal(float(c)) for c in position]
    dataset.PixelData = np.ascontiguousarray(stored.T).astype("<u2").tobytes()
