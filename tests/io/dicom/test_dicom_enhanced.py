"""Enhanced multi-frame CT: every frame at its own place with its own rescale."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, EnhancedCTImageStorage, RLELossless

from osteoct.errors import IrregularGridError, UnreadableInputError
from osteoct.io.dicom.acquisition import acquisition_of
from osteoct.io.dicom.discovery import slices_in
from osteoct.io.dicom.headers import read_header
from osteoct.io.dicom.packing import pack_header, unpack_header
from osteoct.io.dicom.series import find_series, read_dicom


def item(**tags):
    ds = Dataset()
    for name, value in tags.items():
        setattr(ds, name, value)
    return Sequence([ds])


def enhanced(series, order, *, intercepts=None, is_shared=True, positions=None, stacks=None):
    """One enhanced data set whose frames come in ``order``."""
    first = series.dataset(0)
    ds = Dataset()
    ds.file_meta = first.file_meta
    for element in first:
        if element.keyword not in {
            *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
            *("RescaleSlope", "RescaleIntercept", "RescaleType", "PixelData"),
        }:
            ds.add(element)
    ds.SOPClassUID, ds.NumberOfFrames = EnhancedCTImageStorage, len(order)
    shared, frames, pixels = Dataset(), [], []
    measures = item(PixelSpacing=[series.row_mm, series.column_mm], SliceThickness=7)
    orientation = item(ImageOrientationPatient=list(series.orientation))
    shared.CTXRayDetailsSequence = item(KVP=110)
    shared.CTReconstructionSequence = item(ConvolutionKernel="B30f")
    shared.CTExposureSequence = item(XRayTubeCurrentInmA=222.5)
    for place, n in enumerate(order):
        frame = Dataset()
        intercept = intercepts[n] if intercepts else series.intercept
        position = series.position(n) if positions is None else positions[n]
        frame.PlanePositionSequence = item(ImagePositionPatient=[float(c) for c in position])
        frame.PixelValueTransformationSequence = item(
            RescaleSlope=1, RescaleIntercept=intercept, RescaleType="HU"
        )
        frame.FrameContentSequence = item(
            FrameAcquisitionNumber=1, TemporalPositionIndex=stacks[place] if stacks else 1
        )
        if not is_shared:
            frame.PixelMeasuresSequence = measures
            frame.PlaneOrientationSequence = orientation
        frames.append(frame)
        pixels.append(np.round(series.plane_hu(n) - intercept).astype("<i2"))
    if is_shared:
        shared.PixelMeasuresSequence = measures
        shared.PlaneOrientationSequence = orientation
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    ds.PerFrameFunctionalGroupsSequence = Sequence(frames)
    ds.PixelData = np.stack(pixels).tobytes()
    return ds


@pytest.mark.parametrize("is_shared", [True, False])
def test_frames_in_any_order(ct, tmp_path, assert_truth, is_shared):
    """The frame's position decides where it lies, not its number; groups may be shared or not."""
    ds = enhanced(ct(n=5), [3, 0, 4, 1, 2], is_shared=is_shared, intercepts=[0, -5, -9, -1024, 7])
    ds.save_as(tmp_path / "one.dcm", enforce_file_format=True)
    volume = read_dicom(tmp_path / "one.dcm")
    assert volume.geometry.shape == (10, 8, 5)
    assert_truth(volume)
    assert volume.acquisition.kvp == 110
    assert volume.acquisition.kernel == ("B30f",)
    assert volume.acquisition.slice_thickness_mm == 7
    assert volume.acquisition.tube_current_ma == 222.5
    assert find_series(tmp_path).series[0].files == 1


@pytest.mark.parametrize("syntax", ["rle", "deflated"])
def test_packed_frames(ct, tmp_path, assert_truth, syntax):
    """Every frame of a packed file is found, not the first one again and again."""
    ds = enhanced(ct(n=4), [2, 0, 3, 1])
    if syntax == "rle":
        ds.compress(RLELossless)
    else:
        ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(tmp_path / "one.dcm", enforce_file_format=True)
    assert_truth(read_dicom(tmp_path))


def test_two_time_points_are_split(ct, tmp_path, assert_truth):
    """A 4-D file holds each position twice; the time index tells them apart."""
    series = ct(n=4)
    ds = enhanced(series, [0, 1, 2, 3, 0, 1, 2, 3], stacks=[1] * 4 + [2] * 4)
    ds.save_as(tmp_path / "one.dcm", enforce_file_format=True)
    volume = read_dicom(tmp_path)
    assert_truth(volume)
    assert {"series-split", "series-tie"} <= {f.code for f in volume.findings}


def test_missing_frame_groups_are_refused(ct, tmp_path):
    """Frames without groups have no place."""
    ds = enhanced(ct(n=4), [0, 1, 2, 3])
    del ds.PerFrameFunctionalGroupsSequence[-1]
    ds.save_as(tmp_path / "one.dcm", enforce_file_format=True)
    with pytest.raises(IrregularGridError, match="ImagePositionPatient is missing"):
        read_dicom(tmp_path)


def test_truncated_frames_name_the_file(ct, tmp_path):
    """The last frame cut off."""
    enhanced(ct(n=4), [0, 1, 2, 3]).save_as(tmp_path / "one.dcm", enforce_file_format=True)
    whole = (tmp_path / "one.dcm").read_bytes()
    (tmp_path / "one.dcm").write_bytes(whole[:-50])
    with pytest.raises(UnreadableInputError, match=r"one\.dcm"):
        read_dicom(tmp_path)


def test_frames_survive_packing(ct, tmp_path):
    """The values of an enhanced image lie in sequences of sequences; kept aside they stay whole."""
    path = tmp_path / "enhanced.dcm"
    enhanced(ct(), range(6)).save_as(path, enforce_file_format=True)
    read = read_header(path, "a")
    back = unpack_header(pack_header(read), path=path, where="a")
    kept = [
        [(s.frame, s.position, s.orientation, s.slope, s.phase_keys) for s in slices_in(image)]
        for image in (read, back)
    ]
    assert len(kept[0]) == 6
    assert kept[0] == kept[1]
    assert acquisition_of(read) == acquisition_of(back)
