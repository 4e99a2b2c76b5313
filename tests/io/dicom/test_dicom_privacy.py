"""Planted identifiers appear nowhere: not in records, reprs, messages, warnings or logs."""

from __future__ import annotations

import logging
import traceback
import warnings

import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from osteoct.errors import OsteoctError
from osteoct.io.dicom.series import find_series, read_dicom, read_dicom_with_identity

UID = "1.2.826.0.1.3680043.424242.7"
SECRETS = {
    "PatientName": "Secretname^Anna",
    "PatientID": "ID424242",
    "IssuerOfPatientID": "ISSUER424242",
    "PatientBirthDate": "19420424",
    "ReferringPhysicianName": "Doctorname^Otto",
    "AccessionNumber": "ACC424242",
    "InstitutionName": "Clinicname",
    "StudyInstanceUID": "1.2.826.0.1.3680043.424242.8",
    "FrameOfReferenceUID": "1.2.826.0.1.3680043.424242.9",
    "SeriesDescription": "Secretname Anna portal",
    "ProtocolName": "Doctorname special",
    "ContrastBolusAgent": "Omnipaque for Secretname",
    "StudyDate": "20210314",
}
PLANTED = ("secretname", "anna", "424242", "19420424", "1942-04-24", "doctorname", "clinicname")


def series(ct, **changes):
    return ct(n=6, uid=UID, tags={**SECRETS, **changes})


def assert_clean(text):
    found = [word for word in PLANTED if word in text.lower()]
    assert not found, f"leaked {found}"


def test_listing_and_volume_hold_no_identifier(ct, tmp_path):
    """What is written to files and shown in reports."""
    folder = series(ct).write(tmp_path)
    listing = find_series(folder)
    assert listing.series[0].uid == UID
    assert_clean(listing.model_dump_json())
    assert_clean(repr(listing))
    volume, identity = read_dicom_with_identity(folder)
    assert_clean(repr(volume))
    assert_clean(volume.acquisition.model_dump_json())
    assert_clean("".join(f.model_dump_json() for f in volume.findings))
    assert_clean(repr(identity))
    assert identity.patient_key == b"ID424242\0ISSUER424242"
    assert volume.acquisition.patient_age_years == 78


def one_with(**tags):
    def change(ds, n):
        if n == 3:
            for name, value in tags.items():
                setattr(ds, name, value)

    return change


def garbled(ds, n):
    if n == 3:
        ds.PixelData = encapsulate([b"Secretname^Anna" * 9])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.file_meta.TransferSyntaxUID = JPEG2000Lossless


BROKEN = {
    "hole": (None, {3}),
    "size": (one_with(Rows=10, Columns=8), ()),
    "orientation": (one_with(ImageOrientationPatient=[0, 1, 0, 0, 0, 1]), ()),
    "frame": (one_with(FrameOfReferenceUID=f"{UID}.5"), ()),
    "position": (one_with(ImagePositionPatient=""), ()),
    "patient": (one_with(PatientID="other424242"), ()),
    "rescale": (one_with(RescaleType="Secretname"), ()),
    "modality": (lambda ds, _n: setattr(ds, "Modality", "SECRETNAME"), ()),
    "pixels": (garbled, ()),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # pydicom, writing values that are wrong
def test_failures_hold_no_identifier(ct, tmp_path, caplog, capfd, case):
    """Messages are pasted into e-mails and tickets, with their tracebacks."""
    change, skip = BROKEN[case]
    folder = series(ct).write(tmp_path, *([change] if change else []), skip=skip)
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(OsteoctError) as failure:
            read_dicom(folder)
    assert_clean("".join(traceback.format_exception(failure.value)))
    assert_clean(caplog.text)
    assert_clean("".join(capfd.readouterr()))
    assert caught == []
    find_series(folder)


def test_unknown_series_is_not_repeated(ct, tmp_path):
    """The UID asked for is an identifier too."""
    folder = series(ct).write(tmp_path)
    with pytest.raises(OsteoctError) as failure:
        read_dicom(folder, series="1.2.826.424242.1")
    assert_clean(str(failure.value))


def test_malformed_values_warn_nobody(ct, tmp_path, caplog):
    """pydicom warns about a malformed value by quoting it: the quote may be a name."""
    folder = series(ct).write(tmp_path)
    for file in folder.iterdir():
        content = file.read_bytes().replace(b"20210314", b"Secretna")
        file.write_bytes(content.replace(b"ORIGINAL", b"\xff" * 8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volume = read_dicom(folder)
    assert volume.acquisition.study_date is None
    assert_clean(repr(volume))
    assert_clean(caplog.text)
