"""What must be refused is refused in one line that says which file, what is there, what is wanted.

Each case is a function that makes the bad input and returns CT and masks; its name is the list.
"""

from __future__ import annotations

import os
import shutil
import zipfile

import nibabel as nib
import numpy as np
import pydicom
import pytest

SAID_ABOUT_MASKS = frozenset({"labels_without_names", "other_affine", "no_overlap"})
ROOM = 200_000


def empty_folder(place, patient):
    (place / "in").mkdir()
    return place / "in", patient.masks


def text_named_dcm(place, patient):
    (place / "in.dcm").write_text("Dear colleague, please find enclosed")
    return place / "in.dcm", patient.masks


def truncated_nifti(place, patient):
    data = patient.ct.read_bytes()
    (place / "in.nii.gz").write_bytes(data[: len(data) // 2])
    return place / "in.nii.gz", patient.masks


def missing(place, patient):
    return place / "in.nii.gz", patient.masks


def mr_dicom(place, patient):
    def change(ds):
        ds.Modality, ds.SOPClassUID = "MR", "1.2.840.10008.5.1.4.1.1.4"

    return _edit(place, patient, change), patient.masks


def mr_nifti(place, patient):
    image = nib.load(patient.ct)
    tissue = np.asarray(image.dataobj)
    signal = np.where(np.arange(tissue.shape[0])[:, None, None] < 30, 3, tissue + 900)  # air is 0
    nib.save(nib.Nifti1Image(signal.astype(np.int16), image.affine), place / "in.nii.gz")
    return place / "in.nii.gz", patient.masks


def four_dimensions(place, patient):
    image = nib.load(patient.ct)
    array = np.stack([np.asarray(image.dataobj)] * 2, axis=-1)
    nib.save(nib.Nifti1Image(array, image.affine), place / "in.nii.gz")
    return place / "in.nii.gz", patient.masks


def rgb_nifti(place, patient):
    rgb = np.zeros((8, 8, 8), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(rgb, np.eye(4)), place / "in.nii.gz")
    return place / "in.nii.gz", patient.masks


def rgb_dicom(place, patient):
    def change(ds):
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.BitsAllocated = ds.BitsStored = 8
        ds.HighBit = 7
        ds.PixelData = bytes(3 * ds.Rows * ds.Columns)

    return _edit(place, patient, change), patient.masks


def two_patients(place, patient):
    folder = _edit(place, patient, lambda _: None)

    def change(ds):
        ds.PatientID, ds.PatientName = "OTHER", "OTHER^PATIENT"

    for n, file in enumerate(sorted(folder.iterdir())[::2]):
        ds = pydicom.dcmread(file)
        change(ds)
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        ds.save_as(folder / f"other-{n}.dcm")
    return folder, patient.masks


def missing_slice(place, patient):
    folder = _edit(place, patient, lambda _: None)
    sorted(folder.iterdir())[20].unlink()
    return folder, patient.masks


def uneven_spacing(place, patient):
    def change(ds):
        if ds.InstanceNumber > 20:
            x, y, z = ds.ImagePositionPatient
            ds.ImagePositionPatient = [x, y, z + 0.7]

    return _edit(place, patient, change), patient.masks


def slices_of_two_sizes(place, patient):
    def change(ds):
        if ds.InstanceNumber == 10:
            ds.Rows -= 2
            ds.PixelData = ds.PixelData[: 2 * ds.Rows * ds.Columns]

    return _edit(place, patient, change), patient.masks


def single_slice(place, patient):
    folder = place / "in"
    folder.mkdir()
    shutil.copy(sorted(patient.dicom.iterdir())[20], folder / "in.dcm")
    return folder, patient.masks


def other_affine(place, patient):
    return patient.ct, _moved(place, patient, 300.0)


def no_overlap(place, patient):
    return patient.dicom, _moved(place, patient, 5000.0)


def labels_without_names(place, patient):
    image = nib.load(patient.masks)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), image.affine), place / "in.nii.gz")
    return patient.ct, place / "in.nii.gz"


def zip_that_climbs(place, patient):
    with zipfile.ZipFile(place / "in.zip", "w") as archive:
        archive.writestr("../../escaped.dcm", b"x")
    return place / "in.zip", patient.masks


def zip_bomb(place, patient):
    with zipfile.ZipFile(place / "in.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(64 * 2**20))
    return place / "in.zip", patient.masks


def not_a_zip(place, patient):
    (place / "in.zip").write_bytes(b"PK\x03\x04 and then nothing of the kind")
    return place / "in.zip", patient.masks


def dangling_link(place, patient):
    (place / "in.nii.gz").symlink_to(place / "gone.nii.gz")
    return place / "in.nii.gz", patient.masks


def link_to_itself(place, patient):
    (place / "in.nii.gz").symlink_to(place / "in.nii.gz")
    return place / "in.nii.gz", patient.masks


def folder_named_nii(place, patient):
    (place / "in.nii.gz").mkdir()
    (place / "in.nii.gz" / "notes.txt").write_text("nothing to see")
    return place / "in.nii.gz", patient.masks


def pipe(place, patient):
    os.mkfifo(place / "in.nii.gz")
    return place / "in.nii.gz", patient.masks


def folder_of_a_pipe(place, patient):
    (place / "in").mkdir()
    os.mkfifo(place / "in" / "slice.dcm")
    return place / "in", patient.masks


def no_rescale(place, patient):
    def change(ds):
        del ds.RescaleSlope, ds.RescaleIntercept

    return _edit(place, patient, change), patient.masks


CASES = (
    *(empty_folder, text_named_dcm, truncated_nifti, missing, mr_dicom, mr_nifti),
    *(four_dimensions, rgb_nifti, rgb_dicom, two_patients, missing_slice, uneven_spacing),
    *(slices_of_two_sizes, single_slice, other_affine, no_overlap, labels_without_names),
    *(zip_that_climbs, zip_bomb, not_a_zip, dangling_link, link_to_itself, folder_named_nii),
    *(pipe, folder_of_a_pipe, no_rescale),
)


@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__.replace("_", "-"))
def test_bad_input_is_refused(make, patient, tmp_path, osteoct):
    """Exit 3, one line with file, found and wanted, and not a trace on the disk."""
    ct, masks = make(tmp_path, patient)
    before = _tree(tmp_path)
    told = osteoct("analyze", ct, "--masks", masks, "-o", tmp_path / "made" / "for" / "it")
    assert told.code == 3
    assert told.out == ""
    (line,) = told.said
    named = masks if make.__name__ in SAID_ABOUT_MASKS else ct
    assert line.startswith(f"osteoct: {named}")
    assert "; found " in line
    assert "; wanted " in line or make in (dangling_link, link_to_itself)
    assert len(line) < 400
    assert "Traceback" not in line
    assert _tree(tmp_path) == before


def test_real_mr_is_refused(shared_data, patient, tmp_path, osteoct):
    """A real MR volume has no header that says so; its values do."""
    ct = shared_data / "mr-example" / "mr.nii.gz"
    told = osteoct("analyze", ct, "--masks", patient.masks, "-o", tmp_path / "out")
    assert told.code == 3
    (line,) = told.said
    assert line.startswith(f"osteoct: {ct}: the values cannot be Hounsfield units; found ")
    assert not list(tmp_path.iterdir())


def test_words_of_some_refusals(patient, tmp_path, osteoct):
    """The value found is the offending one, not merely a sentence."""
    for make, words in {
        mr_dicom: "modality MR",
        two_patients: "2 patients",
        slices_of_two_sizes: "70 × 72",
        four_dimensions: "x 2",
        folder_named_nii: "1 × not DICOM",
    }.items():
        place = tmp_path / make.__name__
        place.mkdir()
        ct, masks = make(place, patient)
        told = osteoct("analyze", ct, "--masks", masks, "-o", place / "out")
        assert words in told.err, make


def test_disk_full(patient, tmp_path, spawn):
    """A file size limit stands for a full disk: the line says so and nothing is left."""
    resource = pytest.importorskip("resource")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))

    out = tmp_path / "made" / "out"
    told = spawn(
        *("analyze", patient.ct, "--masks", patient.masks, "--levels", "L1,L2", "-o", out),
        preexec_fn=limit,
    )
    assert told.code == 3
    (line,) = told.said
    assert f"{out}: disk full or file size limit reached; found " in line
    assert not list(tmp_path.iterdir())


def _edit(place, patient, change):
    """Copy the DICOM series, each data set changed."""
    folder = place / "in"
    folder.mkdir()
    for file in sorted(patient.dicom.iterdir()):
        ds = pydicom.dcmread(file)
        change(ds)
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.save_as(folder / file.name)
    return folder


def _moved(place, patient, by_mm):
    image = nib.load(patient.masks)
    affine = image.affine.copy()
    affine[:3, 3] += by_mm
    moved = nib.Nifti1Image(np.asarray(image.dataobj), affine)
    moved.header.extensions.extend(image.header.extensions)
    nib.save(moved, place / "in.nii.gz")
    return place / "in.nii.gz"


def _tree(folder):
    return sorted(str(p) for p in folder.rglob("*"))
