"""Series written by us, read by another library."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its own documentation uses

from osteoct.errors import GeometryError, OutputError
from osteoct.geometry import Geometry
from osteoct.phantom.acquisition import scan
from osteoct.phantom.dicom import PhantomPatient, write_dicom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra
from osteoct.records import Phase
from osteoct.volume import CTVolume

ORDER = Scanner(
    pixel_mm=1.7,
    slice_mm=2.3,
    slice_thickness_mm=3.0,
    field_of_view_mm=(70.0, 60.0, 40.0),
    noise_sd_hu=8.0,
    offset_mm=(0.1, 0.2, 0.3),
    axis_codes="LPS",
    fine_step_mm=0.8,
)


def _read(folder):
    """The series as SimpleITK reads it, as (array in ijk order, affine in RAS)."""
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = sitk.ReadImage(names)
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0), np.diag([-1, -1, 1, 1]) @ affine


@pytest.mark.parametrize("codes", ["LPS", "RAS", "LAI", "PIR"])
def test_simpleitk_reads_the_same_hu_at_the_same_place(tmp_path, codes):
    """HU and geometry survive, whatever the layout; PIR makes a series of right-left slices."""
    made = scan(single_vertebra(tilt_deg=10), replace(ORDER, axis_codes=codes))
    write_dicom(made.ct, tmp_path)
    array, affine = _read(tmp_path)
    read = CTVolume(array=array, geometry=Geometry(shape=array.shape, affine=affine))
    step = read.geometry.reorientation_onto(made.ct.geometry)
    assert step is not None
    np.testing.assert_array_equal(read.apply(step).array, made.ct.array)


def test_headers_say_what_was_ordered(tmp_path):
    """The facts the reader turns into an acquisition record."""
    made = scan(single_vertebra(), replace(ORDER, phase=Phase.PORTAL_VENOUS, kvp=100.0))
    write_dicom(made.ct, tmp_path, patient=PhantomPatient(age_years=7, sex="M"))
    header = pydicom.dcmread(tmp_path / "slice-0001.dcm")
    assert header.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert (header.Modality, header.KVP, header.SliceThickness) == ("CT", 100, 3)
    assert header.ConvolutionKernel == "STANDARD"
    assert header.ContrastBolusAgent
    assert (header.RescaleIntercept, header.RescaleSlope) == (-1024, 1)
    assert (header.PatientAge, header.PatientSex) == ("007Y", "M")
    assert str(header.PatientName) == "PHANTOM^SPINE"
    assert header.SliceThickness != ORDER.slice_mm


def test_a_native_scan_names_no_contrast_agent(tmp_path):
    """Presence of the tag is what tells contrast."""
    write_dicom(scan(single_vertebra(), ORDER).ct, tmp_path)
    assert "ContrastBolusAgent" not in pydicom.dcmread(tmp_path / "slice-0001.dcm")


def test_uids_are_valid_unique_and_follow_from_the_seed(tmp_path):
    """Files are the same bytes every time; another seed is another series."""
    ct = scan(single_vertebra(), ORDER).ct
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_dicom(ct, tmp_path / name, seed=seed)
    first = sorted((tmp_path / "a").iterdir())
    for file in first:
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    headers = [pydicom.dcmread(f) for f in first]
    assert len({h.SOPInstanceUID for h in headers}) == len(first) == ct.geometry.shape[2]
    assert len({h.SeriesInstanceUID for h in headers}) == 1
    assert all(h.SOPInstanceUID.is_valid and h.SOPInstanceUID.startswith("2.25.") for h in headers)
    other = pydicom.dcmread(tmp_path / "c" / "slice-0001.dcm")
    assert other.SeriesInstanceUID != headers[0].SeriesInstanceUID


def test_gantry_tilt_is_told_by_positions_and_tag(tmp_path):
    """Slices that are shifted along each other: legal DICOM that readers must notice."""
    made = scan(single_vertebra(), replace(ORDER, gantry_tilt_deg=12.0))
    write_dicom(made.ct, tmp_path)
    headers = [pydicom.dcmread(f) for f in sorted(tmp_path.iterdir())][:2]
    assert headers[0].GantryDetectorTilt == 12
    row, column = np.array(headers[0].ImageOrientationPatient).reshape(2, 3)
    step = np.subtract(*(np.array(h.ImagePositionPatient, float) for h in headers[::-1]))
    cosine = abs(step @ np.cross(row, column)) / np.linalg.norm(step)
    assert cosine == pytest.approx(np.cos(np.radians(12)), abs=1e-6)


def test_what_cannot_be_written_is_refused(tmp_path):
    """Clipped HU, a second series in the folder and leaning pixels would be silent errors."""
    ct = scan(single_vertebra(), ORDER).ct
    write_dicom(ct, tmp_path / "full")
    with pytest.raises(OutputError, match="holds DICOM files"):
        write_dicom(ct, tmp_path / "full")
    with pytest.raises(OutputError, match="cannot hold"):
        write_dicom(replace(ct, array=ct.array.astype(np.int16) - 3000), tmp_path / "low")
    affine = ct.geometry.affine.copy()
    affine[:3, 1] += 0.2 * affine[:3, 0]
    sheared = replace(ct, geometry=Geometry(shape=ct.geometry.shape, affine=affine))
    with pytest.raises(GeometryError, match="not perpendicular"):
        write_dicom(sheared, tmp_path / "sheared")
    assert not (tmp_path / "low").exists()
