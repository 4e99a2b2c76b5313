"""One function reads every format; what it cannot read it refuses by name."""

from __future__ import annotations

import os
import zipfile

import nibabel
import numpy as np
import pytest

from osteoct.errors import (
    ConfigError,
    HuNotRecoverableError,
    NotCtError,
    UnreadableInputError,
)
from osteoct.io.volume import read_volume, read_volume_with_identity


def write_ct_file(path, offset=0):
    """Air, fat, muscle and bone with noise."""
    rng = np.random.default_rng(9)
    array = rng.normal(-1000, 10, (16, 16, 16))
    array[3:13, 3:13, 3:13] = rng.normal(40, 10, (10, 10, 10))
    array[3:13, 3:13, 3:5] = rng.normal(-100, 10, (10, 10, 2))
    array[7:10, 7:10, 7:10] = rng.normal(250, 40, (3, 3, 3))
    whole = np.rint(array + offset).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(whole, np.diag([1, 1, 2, 1.0])), path)
    return path, whole


def test_a_zip_or_folder_of_one_image_is_the_image(tmp_path):
    """Users zip what they send."""
    path, array = write_ct_file(tmp_path / "ct.nii.gz")
    with zipfile.ZipFile(tmp_path / "ct.zip", "w") as archive:
        archive.write(path, "folder/ct.nii.gz")
        archive.writestr("__MACOSX/folder/._ct.nii.gz", b"x")
    ct, _, kind = read_volume_with_identity(tmp_path / "ct.zip")
    assert kind == "zip of NIfTI"
    assert np.array_equal(ct.array, array)
    (tmp_path / "alone").mkdir()
    path.rename(tmp_path / "alone" / "ct.nii.gz")
    assert np.array_equal(read_volume(tmp_path / "alone").array, array)


def test_a_failure_inside_a_zip_names_the_zip_only(tmp_path):
    """The temporary folder is nobody's path, and a name inside may be the patient's."""
    with zipfile.ZipFile(tmp_path / "ct.zip", "w") as archive:
        archive.writestr("ct.nii.gz", b"not an image")
    with pytest.raises(UnreadableInputError) as caught:
        read_volume(tmp_path / "ct.zip")
    assert str(caught.value).startswith(f"{tmp_path / 'ct.zip'}: ")
    assert "ct.nii.gz" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.nii.gz", "missing-folder", "missing.zip"])
def test_what_does_not_exist_is_named(tmp_path, name):
    """With what would have been accepted."""
    with pytest.raises(UnreadableInputError, match=rf"{name}: does not exist.*wanted a DICOM"):
        read_volume(tmp_path / name)


def test_names_no_file_can_have_and_special_files_are_refused(tmp_path):
    """Too long, with a NUL, a pipe that would wait for ever, a path below a file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / ("x" * 300), "a\0b", tmp_path / "pipe", tmp_path / "file" / "ct.nii"):
        with pytest.raises(UnreadableInputError):
            read_volume(path)


def test_empty_folders_and_ambiguous_folders_are_refused(tmp_path):
    """Nothing to read, and no rule to choose by."""
    (tmp_path / "empty" / "deeper").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    for name in ("a.nii.gz", "b.nii.gz"):
        write_ct_file(tmp_path / "two" / name)
    with pytest.raises(UnreadableInputError, match="holds no file"):
        read_volume(tmp_path / "empty")
    with pytest.raises(UnreadableInputError, match="several images; found 2"):
        read_volume(tmp_path / "two")


@pytest.mark.parametrize("name", ["a.pdf", "a.txt", "a.nrrd", "a.mha", "a.zip", "a.nii"])
def test_foreign_files_are_refused_whatever_they_are_called(tmp_path, name):
    """The first bytes are shown, so that the user recognises the file."""
    (tmp_path / name).write_bytes(b"%PDF-1.7 and so on")
    with pytest.raises(UnreadableInputError, match=r"found a file of 18 bytes beginning b'%PDF"):
        read_volume(tmp_path / name)


def test_a_series_can_be_chosen_in_dicom_only(tmp_path):
    """An option without effect would be a promise broken; the UID is not repeated."""
    path, _ = write_ct_file(tmp_path / "ct.nii.gz")
    with pytest.raises(ConfigError, match="DICOM only") as caught:
        read_volume(path, series="1.2.3")
    assert "1.2.3" not in str(caught.value)


def test_the_hu_scale_of_a_file_without_header_is_checked(tmp_path):
    """Stored numbers without rescaling end here."""
    path, _ = write_ct_file(tmp_path / "ct.nii.gz", offset=1024)
    with pytest.raises(HuNotRecoverableError):
        read_volume(path)
    mr = np.abs(np.random.default_rng(1).normal(0, 200, (12, 12, 12))).astype(np.int16)
    mr[:3] = 0
    nibabel.save(nibabel.Nifti1Image(mr, np.eye(4)), tmp_path / "mr.nii.gz")
    with pytest.raises(NotCtError):
        read_volume(tmp_path / "mr.nii.gz")


def test_zero_hu_voxels_are_kept(tmp_path):
    """Others skipped 0 HU as background: mean 100 where the truth was 50."""
    path, array = write_ct_file(tmp_path / "ct.nii.gz")
    array[8, 8, 8] = 0
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), path)
    ct = read_volume(path)
    assert ct.hu()[8, 8, 8] == 0.0
    assert ct.padding_hu is None


def test_the_real_dicom_series_is_read(shared_data):
    """20 slices beside a NIfTI mask in one folder: the series is meant."""
    ct, _, kind = read_volume_with_identity(shared_data / "ts-dicom")
    assert kind == "DICOM series, 20 slices"
    assert not any(f.code.startswith("hu-scale") for f in ct.findings)
