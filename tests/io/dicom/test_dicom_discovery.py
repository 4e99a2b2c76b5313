"""Folders hold anything: what is not a CT slice is counted, and nothing hangs or leaks."""

from __future__ import annotations

import os

import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from osteoct.errors import NotCtError, UnreadableInputError
from osteoct.io.dicom.series import find_series, read_dicom

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
MR = "1.2.840.10008.5.1.4.1.1.4"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


def write_object(path, sop_class, modality):
    """A DICOM object without pixels."""
    ds = Dataset()
    ds.ensure_file_meta()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = sop_class, generate_uid(), modality
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)


def test_everything_else_is_counted_by_reason(ct, tmp_path, assert_truth):
    """A real export: localisers, reports, captures, another modality, a viewer's text files."""
    ct().write(tmp_path / "ct")
    localiser = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    ct(n=2, tags=localiser).write(tmp_path / "loc")
    ct(n=1, tags={"ImageType": ["DERIVED", "SECONDARY", "MIP"]}).write(tmp_path / "mip")
    write_object(tmp_path / "dose", DOSE_SR, "SR")
    write_object(tmp_path / "report", TEXT_SR, "SR")
    write_object(tmp_path / "capture", SECONDARY_CAPTURE, "CT")
    write_object(tmp_path / "mr" / "1", MR, "MR")
    write_object(tmp_path / "seg", SEGMENTATION, "SEG")
    write_object(tmp_path / "odd", "1.2.3.4.5", "CT")
    write_object(tmp_path / "DICOMDIR", "1.2.840.10008.1.3.10", "")
    (tmp_path / "readme.dcm").write_text("not an image", encoding="utf-8")
    (tmp_path / "empty").write_bytes(b"")
    listing = find_series(tmp_path)
    assert listing.ignored == {
        "DICOM directory": 1,
        "dose report": 1,
        "localiser": 2,
        "modality MR": 1,
        "modality SEG": 1,
        "not DICOM": 2,
        "other DICOM object": 1,
        "projection (MIP)": 1,
        "secondary capture": 1,
        "structured report": 1,
    }
    assert len(listing.series) == 1
    assert_truth(read_dicom(tmp_path))


def test_odd_names_and_nesting(ct, tmp_path, assert_truth):
    """Names are data: spaces, quotes, dollars, newlines and other scripts."""
    folder = tmp_path / "a b; $(rm x) 'q' \n été 脊椎"
    assert_truth(read_dicom(ct().write(folder / "x" / "y", name="-f {} $HOME.\n")))


def test_pipes_and_dangling_links_do_not_hang(ct, tmp_path, assert_truth):
    """Opening a pipe waits for ever; a link may lead nowhere or in a circle."""
    folder = ct().write(tmp_path / "ct")
    os.mkfifo(folder / "pipe")
    (folder / "nowhere").symlink_to(tmp_path / "none")
    (folder / "circle").symlink_to(folder)
    assert_truth(read_dicom(folder))
    assert find_series(folder).ignored == {"not a regular file": 2}
    with pytest.raises(UnreadableInputError, match="not a regular file"):
        read_dicom(folder / "pipe")


def test_links_to_files_are_followed(ct, tmp_path, assert_truth):
    """Archives are often trees of links."""
    folder = ct().write(tmp_path / "store")
    links = tmp_path / "links"
    links.mkdir()
    for file in folder.iterdir():
        (links / file.name).symlink_to(file)
    assert_truth(read_dicom(links))


def test_only_text_is_not_dicom(tmp_path):
    """A renamed text file is told apart from an image that is not CT."""
    (tmp_path / "a.dcm").write_text("\x08\x00 looks a little like DICOM", encoding="latin-1")
    (tmp_path / "b.dcm").write_text("x" * 500, encoding="latin-1")
    with pytest.raises(UnreadableInputError, match="2 × not DICOM"):
        read_dicom(tmp_path)


def test_only_localisers_are_not_ct_to_measure(ct, tmp_path):
    """A study without its axial series."""
    tags = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    with pytest.raises(NotCtError, match="2 × localiser"):
        read_dicom(ct(n=2, tags=tags).write(tmp_path))


def test_deidentified_files_without_class_are_read(ct, tmp_path, assert_truth):
    """Some de-identifiers remove the class and all UIDs; the modality remains."""

    def strip(ds, _n):
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.SOPClassUID = ds.SeriesInstanceUID = ds.StudyInstanceUID = ""

    assert_truth(read_dicom(ct(tags={"SeriesNumber": None}).write(tmp_path, strip)))


def test_headers_are_read_once(ct, tmp_path, monkeypatch):
    """Headers of 100 000 files on a network share: each is parsed once, and pixels never."""
    from osteoct.io.dicom import headers  # noqa: PLC0415 - counted here only

    calls = []
    original = headers.dcmread

    def counting(file, **options):
        calls.append(options["stop_before_pixels"])
        return original(file, **options)

    monkeypatch.setattr(headers, "dcmread", counting)
    find_series(ct().write(tmp_path))
    assert calls == [True] * 6
