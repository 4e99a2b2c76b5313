"""The same image stored in another way, or under an odd name, gives the same numbers."""

from __future__ import annotations

import csv
import os
import shutil
import zipfile

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

ODD_NAMES = (
    "with spaces",
    'quote\'s "double"',
    "a;touch run-1;b",
    "$(touch run-2)",
    "`touch run-3`",
    "Wirbelsäule – 脊椎",
    "two\nlines",
    "-leading-dash",
    "*glob?[a]",
    "%s {0} \\n",
)


def _numbers(folder):
    """The rows of levels.csv without the case's name."""
    with (folder / "levels.csv").open(encoding="utf-8", newline="") as file:
        rows = [{k: v for k, v in row.items() if k != "case_id"} for row in csv.DictReader(file)]
    assert rows
    return rows


@pytest.fixture(scope="session")
def truth(analysed):
    """Numbers of the DICOM series, of the two levels that are there."""
    return [row for row in _numbers(analysed[1]) if row["level"] != "L3"]


@pytest.fixture
def same(analyze, patient, truth, tmp_path):
    """Check that an image gives the numbers of the DICOM series."""

    def check(ct, **options):
        told = analyze(ct, "--body-masks", patient.bodies, **options)
        assert told.code == 0, told.err
        assert _numbers(tmp_path / "result") == truth

    return check


def _as_zip(place, patient):
    with zipfile.ZipFile(place / "ct.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n, file in enumerate(sorted(patient.dicom.iterdir())):
            archive.write(file, f"study/{n % 3}/{file.name}")
        archive.writestr("readme.txt", "exported")
    return place / "ct.zip"


def _as_nifti(place, patient):
    return shutil.copy(patient.ct, place / "ct.nii.gz")


def _as_nifti_in_a_folder(place, patient):
    (place / "ct").mkdir()
    shutil.copy(patient.ct, place / "ct" / "image.nii.gz")
    return place / "ct"


def _by_itk(suffix):
    def make(place, patient):
        file = place / f"ct{suffix}"
        SimpleITK.WriteImage(SimpleITK.ReadImage(str(patient.ct)), str(file))
        return file

    return make


def _as_type(dtype, *, slope=1, order="<"):
    def make(place, patient):
        image = nib.load(patient.ct)
        header = nib.Nifti1Header(endianness=order)
        header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
        hu = np.asarray(image.dataobj)
        stored = hu + 1024 if np.dtype(dtype).kind == "u" else hu
        made = nib.Nifti1Image((stored / slope).astype(dtype), image.affine, header)
        made.header.set_slope_inter(slope, -1024 if np.dtype(dtype).kind == "u" else 0)
        nib.save(made, place / "ct.nii")
        return place / "ct.nii"

    return make


def _nested_with_junk(place, patient):
    for n, file in enumerate(sorted(patient.dicom.iterdir())):
        folder = place / "disc" / ("DICOM" if n % 2 else "deep/er/DICOM")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / f"IM{(n * 7) % 100:05d}")
    (place / "disc" / "AUTORUN.INF").write_text("[autorun]")
    (place / "disc" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (place / "disc" / "viewer.exe").write_bytes(b"MZ" + bytes(400))
    (place / "disc" / "report.pdf").write_bytes(b"%PDF-1.4")
    (place / "disc" / "empty").write_bytes(b"")
    (place / "disc" / "gone").symlink_to("nowhere")
    return place / "disc"


STORED = {
    "zip": _as_zip,
    "nifti": _as_nifti,
    "nifti-in-a-folder": _as_nifti_in_a_folder,
    "nrrd": _by_itk(".nrrd"),
    "mha": _by_itk(".mha"),
    "mhd": _by_itk(".mhd"),
    "nested-with-junk": _nested_with_junk,
    "int32": _as_type(np.int32),
    "float64": _as_type(np.float64),
    "uint16-with-intercept": _as_type(np.uint16),
    "half-steps": _as_type(np.int16, slope=0.5),
    "big-endian": _as_type(np.int16, order=">"),
    "big-endian-float": _as_type(np.float32, order=">"),
}


@pytest.mark.parametrize("make", STORED.values(), ids=STORED)
def test_same_numbers_however_stored(make, patient, tmp_path, same):
    """A format is a container: to the last digit."""
    same(make(tmp_path, patient))


def test_odd_names_run_nothing(patient, tmp_path, same, monkeypatch):
    """Names are data: a DICOM file per odd name, in odd folders, and nothing is executed."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "in; touch run-4 $(touch run-5)\n" / "ü 'q'"
    folder.mkdir(parents=True)
    for n, file in enumerate(sorted(patient.dicom.iterdir())):
        shutil.copy(file, folder / f"{n} {ODD_NAMES[n % len(ODD_NAMES)]}")
    same(folder)
    assert {p.name for p in tmp_path.iterdir()} == {folder.parent.name, "result"}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_path_of_ct_masks_and_out(name, patient, tmp_path, osteoct, monkeypatch):
    """The paths a user types, relative and odd; what is said stays on its lines."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / name
    place.mkdir()
    shutil.copy(patient.ct, place / "ct.nii.gz")
    shutil.copy(patient.masks, place / f"{name}.nii.gz")
    start = os.path.join(".", name)  # noqa: PTH118 - pathlib would drop the leading dot
    told = osteoct(
        *("analyze", f"{start}/ct.nii.gz", f"--masks={start}/{name}.nii.gz", "--levels", "L1"),
        f"--out={start}/not yet/there",
    )
    assert told.code == 0, told.err
    assert (place / "not yet" / "there" / "case.json").is_file()
    assert told.said[-1] == f"Report: {' '.join(f'{name}/not yet/there/report.html'.split())}"
    assert {p.name for p in tmp_path.iterdir()} == {name}


def test_odd_paths_in_another_process(patient, tmp_path, spawn):
    """The same through a real process, with a name that no shell may see."""
    shutil.copy(patient.ct, tmp_path / "a b$(touch run);é.nii.gz")
    told = spawn(
        *("analyze", "a b$(touch run);é.nii.gz", "--masks", patient.masks, "--levels", "L1"),
        *("-o", "out"),
        cwd=tmp_path,
    )
    assert told.code == 0, told.err
    assert {p.name for p in tmp_path.iterdir()} == {"a b$(touch run);é.nii.gz", "out"}


@pytest.mark.parametrize("suffix", [".nii.gz", ".NII.GZ", ".nii"])
def test_folder_of_masks(suffix, patient, tmp_path, analyze, truth):
    """One mask per structure, as TotalSegmentator writes them, whatever the case of the suffix."""
    image = nib.load(patient.masks)
    labels = np.asarray(image.dataobj)
    folder = tmp_path / "masks"
    folder.mkdir()
    for label, level in ((31, "L1"), (30, "L2")):
        mask = nib.Nifti1Image((labels == label).astype(np.uint8), image.affine)
        nib.save(mask, tmp_path / "mask.nii")
        if suffix == ".nii":
            shutil.copy(tmp_path / "mask.nii", folder / f"vertebrae_{level}.nii")
        else:
            nib.save(mask, tmp_path / "mask.nii.gz")
            shutil.copy(tmp_path / "mask.nii.gz", folder / f"vertebrae_{level}{suffix}")
    (folder / "liver.nii.gz").write_bytes(b"not even opened")
    told = analyze(None, "--body-masks", patient.bodies, masks=folder)
    assert told.code == 0, told.err
    assert _numbers(tmp_path / "result") == truth


def test_zero_hu_counts(patient, tmp_path, analyze):
    """Water is not background: shifted by a constant, every mean shifts by the same."""
    image = nib.load(patient.ct)
    hu = np.asarray(image.dataobj).astype(np.int16)
    core = np.asarray(nib.load(patient.masks).dataobj) == 31
    hu[core] = np.where(np.indices(hu.shape).sum(axis=0) % 2, 0, 100)[core]
    nib.save(nib.Nifti1Image(hu, image.affine), tmp_path / "ct.nii.gz")
    assert analyze(tmp_path / "ct.nii.gz").code == 0
    rows = _numbers(tmp_path / "result")
    (row,) = [
        r
        for r in rows
        if (r["level"], r["protocol"], r["region"]) == ("L1", "vertebra-core-3.5", "vertebra")
    ]
    assert float(row["mean_hu"]) == pytest.approx(hu[core].mean(), abs=1e-3)
    assert 45 < float(row["mean_hu"]) < 55
