"""Without identifiers: nothing of the patient is left, and the objects still belong together."""

from __future__ import annotations

import json

import pydicom
import pytest

from osteoct.export.dicom.deidentify import Deidentifier
from osteoct.export.exporting import export_case

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")

TELLING = ("MUELLER", "HOSP-4711-X", "20200102", "19500607", "DRHOUSE", "KLINIKUM", "SECRETNOTE")


def identify(file):
    """Put identifiers where scanners put them, nested and private as well."""
    image = pydicom.dcmread(file)
    image.PatientName, image.PatientID, image.PatientBirthDate = (
        "MUELLER^ANNA",
        "HOSP-4711-X",
        "19500607",
    )
    image.ReferringPhysicianName, image.InstitutionName = "DRHOUSE", "KLINIKUM"
    image.AcquisitionDateTime, image.PatientComments = "20200102101112", "SECRETNOTE"
    request = pydicom.Dataset()
    request.RequestedProcedureDescription = "SECRETNOTE"
    request.RequestedProcedureID = "HOSP-4711-X"
    image.RequestAttributesSequence = [request]
    block = image.private_block(0x0029, "MAKER", create=True)
    block.add_new(1, "LO", "SECRETNOTE")
    image.add_new(0x60024000, "LT", "SECRETNOTE")  # a comment of an overlay: a repeating group
    kept = pydicom.Dataset()
    kept.StationName, kept.PatientComments = "KLINIKUM", "SECRETNOTE"
    image.ContributingEquipmentSequence = [kept]
    image.save_as(file)


@pytest.fixture(scope="module")
def out(finish, measured, tmp_path_factory):
    folder = tmp_path_factory.mktemp("deidentified")
    case = finish(measured, folder)
    for file in case.series.glob("*.dcm"):
        identify(file)
    case = finish(measured, folder, series=case.series)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSTEOCT_KEY", "a key for tests, not for patients")
        export_case(case.case, ["dicom"], out=folder / "out", source=case.series, deidentify=True)
    return folder / "out"


def test_nothing_of_the_patient_is_left(out, finished):
    """Neither on top nor in sequences, private attributes, file names or the record."""
    source = [pydicom.dcmread(f) for f in finished.series.glob("*.dcm")]
    uids = {i.SOPInstanceUID for i in source} | {source[0].StudyInstanceUID}
    files = [f for f in out.rglob("*") if f.is_file()]
    assert len(files) == len(source) + 3
    for file in files:
        content = file.read_bytes()
        assert not [word for word in (*TELLING, *uids) if word.encode() in content], file.name


def test_the_record_names_no_case(out, finished):
    """A case may be called by a hospital's number, and a hash would lead back to its result."""
    record = json.loads((out / "export.json").read_text())
    assert record["case_id"].startswith("p-")
    assert record["case_sha256"] is None
    assert finished.result.case_id not in (out / "export.json").read_text()


def test_objects_belong_together(out):
    """A reference that leads nowhere makes the segmentation useless."""
    images = [pydicom.dcmread(f) for f in sorted((out / "ct").glob("*.dcm"))]
    seg, sr = pydicom.dcmread(out / "seg.dcm"), pydicom.dcmread(out / "sr.dcm")
    listed = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert {i.ReferencedSOPInstanceUID for i in listed} == {i.SOPInstanceUID for i in images}
    for keyword in ("StudyInstanceUID", "PatientID", "PatientName", "PatientIdentityRemoved"):
        assert len({str(d[keyword].value) for d in (*images, seg, sr)}) == 1
    assert {i.FrameOfReferenceUID for i in images} == {seg.FrameOfReferenceUID}
    assert seg.PatientIdentityRemoved == "YES"
    assert images[0].PatientID.startswith("p-")
    assert images[0].PatientBirthDate == images[0].StudyDate == ""
    code = images[0].DeidentificationMethodCodeSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator) == ("113100", "DCM")


def test_pixels_and_places_are_as_they_were(out, finished):
    """What is measured on the copy is what was measured."""
    copies = sorted((out / "ct").glob("*.dcm"))
    for copy, original in zip(copies, sorted(finished.series.glob("*.dcm")), strict=True):
        one, other = pydicom.dcmread(copy), pydicom.dcmread(original)
        assert one.PixelData == other.PixelData
        for keyword in ("ImagePositionPatient", "RescaleIntercept", "KVP", "SOPClassUID"):
            assert one[keyword].value == other[keyword].value


def test_a_uid_has_one_replacement_under_one_key():
    """The same in every export; another key, another one."""
    one, two = (Deidentifier(key=key, patient="p") for key in (b"k" * 16, b"l" * 16))
    assert one.replace_uid("1.2.3") == one.replace_uid("1.2.3") != one.replace_uid("1.2.4")
    assert one.replace_uid("1.2.3") != two.replace_uid("1.2.3")
    assert one.replace_uid("1.2.3").is_valid
    assert "k" * 16 not in repr(one)
