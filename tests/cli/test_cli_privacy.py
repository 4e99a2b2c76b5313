"""Planted identifiers come out nowhere: no file, no stream, whether the command ends well or not.

What the user typed may be repeated on stderr, for a message must name its file. What lies below it
may not: archives name folders after patients and files after UIDs.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import zipfile

import nibabel as nib
import numpy as np
import pydicom
import pytest

ROOT = "1.2.826.0.1.3680043.9842424217"
SECRETS = {
    "PatientName": "Secretname^Annabella^Maria",
    "PatientID": "ID/9842424217",
    "IssuerOfPatientID": "Issuerword",
    "OtherPatientIDs": "OTHERID-77",
    "PatientBirthDate": "19420424",
    "PatientMotherBirthName": "Mothername",
    "PatientAddress": "Secretstreet 7",
    "PatientTelephoneNumbers": "+49-555-0199",
    "PatientComments": "Secretname called twice",
    "EthnicGroup": "Groupword",
    "Occupation": "Jobword",
    "ReferringPhysicianName": "Doctorname^Otto",
    "PerformingPhysicianName": "Doctorname^Eva",
    "OperatorsName": "Operatorword",
    "InstitutionName": "Clinicname",
    "InstitutionAddress": "Clinicstreet 1",
    "InstitutionalDepartmentName": "Wardword",
    "StationName": "STATIONWORD",
    "DeviceSerialNumber": "SERIAL-8899",
    "AccessionNumber": "ACC-31337",
    "StudyID": "STUDY-31338",
    "StudyDescription": "Spine of Secretname",
    "SeriesDescription": "Secretname Annabella native 1.5",
    "ProtocolName": "Doctorname special",
    "ImageComments": "see Mothername",
    "RequestedProcedureDescription": "Secretname follow-up",
    "ContrastBolusAgent": "Ultravist for Secretname",
    "ConvolutionKernel": "STANDARD",
    "StudyInstanceUID": f"{ROOT}.1",
    "SeriesInstanceUID": f"{ROOT}.2",
    "FrameOfReferenceUID": f"{ROOT}.3",
}
PLANTED = (
    *("secretname", "annabella", "9842424217", "issuerword", "otherid", "19420424", "1942-04-24"),
    *("mothername", "secretstreet", "555-0199", "groupword", "jobword", "doctorname"),
    *("operatorword", "clinicname", "clinicstreet", "wardword", "stationword", "serial-8899"),
    *("acc-31337", "study-31338"),
)
FILE = "SECRETNAME_ANNABELLA_{uid}.dcm"


def leaks(data: bytes, allowed: str = ""):
    """Planted words in some bytes."""
    text = data.decode("utf-8", errors="replace").replace(allowed, "") if allowed else None
    low = (text.encode() if text is not None else data).lower()
    return [word for word in PLANTED if word.encode() in low]


def assert_clean(told, folder=None, *, typed=""):
    """Nothing planted in what was said or written; ``typed`` may stand on stderr."""
    assert not leaks(told.out.encode())
    assert not leaks(told.err.encode(), allowed=typed)
    if folder is None:
        return
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert files
    for file in files:
        data = file.read_bytes()
        data += gzip.decompress(data) if data[:2] == b"\x1f\x8b" else b""
        assert not leaks(data), file.name
        assert not leaks(str(file.relative_to(folder)).encode())


def _plant(patient, place, change=lambda _ds, _n: None):
    """The series with every identifier planted, in files and folders named after the patient."""
    folder = place / "archive" / "Secretname, Annabella" / f"study {ROOT}.1"
    folder.mkdir(parents=True)
    for n, file in enumerate(sorted(patient.dicom.iterdir())):
        ds = pydicom.dcmread(file)
        for name, value in SECRETS.items():
            setattr(ds, name, value)
        uid = f"{ROOT}.2.{n}"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid
        ds.file_meta.SourceApplicationEntityTitle = "CLINICNAME"
        change(ds, n)
        ds.save_as(folder / FILE.format(uid=uid))
    return place / "archive"


def _no_change(_ds, _n):
    pass


def _two_sizes(ds, n):
    if n == 9:
        ds.Rows -= 2
        ds.PixelData = ds.PixelData[: 2 * ds.Rows * ds.Columns]


def _no_rescale(ds, n):
    if n == 9:
        del ds.RescaleSlope


def _no_position(ds, n):
    if n == 9:
        del ds.ImagePositionPatient


def _short_pixels(ds, n):
    if n == 9:
        ds.PixelData = ds.PixelData[:100]


def _two_patients(ds, n):
    if n % 2:
        ds.PatientID = "OTHERID-78"


def _mr(ds, _n):
    ds.Modality = "MR"


def _odd_modality(ds, _n):
    ds.Modality = "SECRETNAME"


def _odd_unit(ds, _n):
    ds.RescaleType = "SECRETNAME"


def _same_place(ds, n):
    if n == 9:
        ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], ds.ImagePositionPatient[2] + 2]


def _other_twin(ds, n):
    if n == 44:
        ds.ImagePositionPatient = [*ds.ImagePositionPatient[:2], ds.ImagePositionPatient[2] - 2]


FAILING = (
    *(_two_sizes, _no_rescale, _no_position, _short_pixels, _two_patients),
    *(_mr, _odd_modality, _odd_unit, _same_place, _other_twin),
)


@pytest.fixture
def _no_network(monkeypatch):
    """Whoever opens a socket fails."""

    def refuse(*_args, **_keywords):
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.usefixtures("_no_network")
def test_a_result_names_nobody(patient, tmp_path, analyze):
    """Every byte of every file, unpacked as well, stdout and stderr; and no socket is opened."""
    archive = _plant(patient, tmp_path)
    told = analyze(archive, "--json")
    assert told.code == 0
    assert_clean(told, tmp_path / "result")
    assert str(archive) not in (tmp_path / "result" / "run.toml").read_text()
    case = json.loads(told.out)
    assert re.fullmatch(r"c-[a-z2-7]{16}", case["case_id"])
    assert re.fullmatch(r"p-[a-z2-7]{16}", case["patient_pseudonym"])


def test_a_chosen_series_is_not_written(patient, tmp_path, analyze):
    """The UID the user typed finds the series and is only said to be given."""
    told = analyze(_plant(patient, tmp_path), "--series", SECRETS["SeriesInstanceUID"])
    assert told.code == 0
    assert_clean(told, tmp_path / "result")


@pytest.mark.parametrize("change", FAILING, ids=lambda c: c.__name__.strip("_"))
def test_a_refusal_names_nobody(change, patient, tmp_path, analyze, osteoct):
    """A message names the path that was typed and numbers the files below it."""
    archive = _plant(patient, tmp_path, change)
    told = analyze(archive)
    assert told.code == 3, told.err
    assert told.err.startswith(f"osteoct: {archive}: ")
    assert_clean(told)
    for options in ((), ("--json",)):
        assert_clean(osteoct("inspect", archive, *options))


@pytest.mark.parametrize("change", [_no_change, _two_sizes], ids=["good", "bad"])
def test_a_zip_names_nobody(change, patient, tmp_path, analyze, osteoct):
    """Entries of an archive are names as well, and so is the folder it was unpacked to."""
    folder = _plant(patient, tmp_path, change)
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for file in sorted(folder.rglob("*.dcm")):
            archive.write(file, file.relative_to(folder))
    told = analyze(tmp_path / "in.zip")
    assert told.code == (0 if change is _no_change else 3)
    assert told.code == 0 or told.err.startswith(f"osteoct: {tmp_path / 'in.zip'}: file 1 of 45: ")
    assert "osteoct-" not in told.err
    assert_clean(told)
    assert_clean(osteoct("inspect", tmp_path / "in.zip"))


def test_one_file_typed_by_name(patient, tmp_path, analyze):
    """The user typed the name: it is repeated on stderr, once, and nowhere else."""
    archive = _plant(patient, tmp_path)
    file = min(archive.rglob("*.dcm"))
    told = analyze(file)
    assert told.code == 3
    assert told.err.startswith(f"osteoct: {file}: a single slice")
    assert_clean(told, typed=str(file))


def test_a_lone_image_in_a_folder_is_not_named(patient, tmp_path, analyze):
    """Neither the CT's name nor the masks'."""
    for role in ("ct", "masks"):
        (tmp_path / role).mkdir()
        (tmp_path / role / "Secretname_Annabella.nii.gz").write_bytes(
            patient.ct.read_bytes()[:3000]
        )
    for paths in (
        {"ct": tmp_path / "ct"},
        {"masks": tmp_path / "masks"},
    ):
        told = analyze(**paths)
        assert told.code == 3
        assert_clean(told)


def test_header_texts_of_nifti_are_not_repeated(patient, tmp_path, analyze):
    """Converters write names into descrip, intent_name and extensions."""
    image = nib.load(patient.ct)
    image.header["descrip"] = b"Secretname Annabella"
    image.header["db_name"] = b"9842424217"
    image.header["intent_name"] = b"Secretname"
    comment = nib.nifti1.Nifti1Extension("comment", b"Secretname, Annabella 19420424")
    image.header.extensions.append(comment)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), tmp_path / "a.nii.gz")
    told = analyze(tmp_path / "a.nii.gz")
    assert told.code == 0
    assert_clean(told, tmp_path / "result")


def test_inspect_names_nobody(patient, tmp_path, osteoct):
    """Text and JSON."""
    archive = _plant(patient, tmp_path)
    for options in ((), ("--json",)):
        told = osteoct("inspect", archive, *options)
        assert told.code == 0
        assert "45" in told.out
        assert_clean(told)


def _names(analyze, ct, monkeypatch, key="first key of a test, long enough", *options):
    monkeypatch.setenv("OSTEOCT_KEY", key)
    told = analyze(ct, "--json", "--overwrite", *options)
    case = json.loads(told.out)
    return case["case_id"], case["patient_pseudonym"]


def test_pseudonyms_follow_key_and_patient(patient, tmp_path, analyze, monkeypatch):
    """Same key, same name; another key or another patient, another one: ``A-1`` is not ``A1``."""

    def with_id(identifier):
        def change(ds, _n):
            ds.PatientID = identifier

        (tmp_path / identifier).mkdir()
        return _plant(patient, tmp_path / identifier, change)

    one, other = with_id("A-1"), with_id("A1")
    first = _names(analyze, one, monkeypatch)
    assert _names(analyze, one, monkeypatch) == first
    key = _names(analyze, one, monkeypatch, "second key of a test, long enough")
    person = _names(analyze, other, monkeypatch)
    for changed in (key, person):
        assert changed[0] != first[0]
        assert changed[1] != first[1]
    assert first[0][2:] != first[1][2:]


def test_case_id_is_used_verbatim(patient, tmp_path, analyze, monkeypatch):
    """In every file; the patient's pseudonym stays keyed."""
    chosen = "Study_7.case-0012"
    name, person = _names(
        analyze, patient.dicom, monkeypatch, "first key of a test, long enough", "--case-id", chosen
    )
    assert name == chosen
    assert person.startswith("p-")
    for file in ("case.json", "levels.csv", "run.toml", "report.html"):
        assert chosen in (tmp_path / "result" / file).read_text(encoding="utf-8")


def test_key_file_is_used_and_never_shown(patient, tmp_path, analyze):
    """The key is the one thing that would undo a pseudonym."""
    key = tmp_path / "secret.key"
    key.write_text("verysecretkeytext-0123456789\n")
    told = analyze(None, "--key-file", key, "--json")
    assert told.code == 0
    made = b"".join(p.read_bytes() for p in (tmp_path / "result").rglob("*") if p.is_file())
    for data in (told.out.encode(), told.err.encode(), made):
        assert b"verysecretkeytext" not in data
    assert (
        json.loads(told.out)["case_id"]
        != json.loads(analyze(None, "--json", "--overwrite").out)["case_id"]
    )
    assert patient.dicom.is_dir()
