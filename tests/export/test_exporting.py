"""A finished case goes out whole or not at all, beside its own series and no other."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pydicom
import pytest

import osteoct
from osteoct.anatomy import Part, Structure
from osteoct.errors import (
    ConfigError,
    DependencyError,
    GeometryError,
    InputError,
    NotCtError,
    OutputExistsError,
    UnreadableInputError,
)
from osteoct.export import extra, source_series
from osteoct.export.case_folder import read_finished_case
from osteoct.export.exporting import export_case
from osteoct.export.source_series import find_source
from osteoct.io.identity import SourceIdentity
from osteoct.io.nifti import write_labels
from osteoct.io.pseudonym import case_pseudonym, load_key
from osteoct.phantom.dicom import write_dicom
from osteoct.volume import LabelVolume

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


def test_the_record_tells_what_is_there(finished, exported):
    """Whoever sends the files on checks them by it; it holds no identifier."""
    record = json.loads((exported / "export.json").read_text(encoding="utf-8"))
    assert sorted(f["name"] for f in record["files"]) == ["seg.dcm", "sr.dcm"]
    for file in record["files"]:
        content = (exported / file["name"]).read_bytes()
        assert file["sha256"] == sha256(content).hexdigest()
        assert file["size_bytes"] == len(content)
    case = (finished.case / "case.json").read_bytes()
    assert record["case_sha256"] == sha256(case).hexdigest()
    assert not [word for word in ("PHANTOM", "2.25.") if word in json.dumps(record)]


def test_the_same_case_gives_the_same_bytes(finished, exported, tmp_path):
    """An archive that gets it twice keeps it once."""
    osteoct.export_case(finished.case, ["dicom"], out=tmp_path / "out", source=finished.series)
    for name in ("seg.dcm", "sr.dcm"):
        assert (tmp_path / "out" / name).read_bytes() == (exported / name).read_bytes()


def test_another_series_is_refused(measured, finished, tmp_path):
    """An outline put beside another series lies in the wrong scan, or in the wrong patient."""
    other = tmp_path / "other"
    write_dicom(measured.shot.ct, other, seed=1)
    with pytest.raises(InputError, match="is not the series that the case was measured on"):
        export_case(finished.case, ["dicom"], out=tmp_path / "out", source=other)
    assert not (tmp_path / "out").exists()


def test_files_that_changed_are_known_by_the_pseudonym(finish, measured, tmp_path):
    """A PACS gives other bytes back than it got; the keyed name of the case tells its series."""
    case = finish(measured, tmp_path)
    first = next(iter(sorted(case.series.glob("*.dcm"))))
    image = pydicom.dcmread(first)
    image.StationName = "ARCHIVE"
    image.save_as(first)
    with pytest.raises(InputError, match="is not the series"):
        find_source(read_finished_case(case.case), case.series)
    series = SourceIdentity(
        patient_key=source_series.read_source(case.series).identity.patient_key,
        series_key=str(image.SeriesInstanceUID).encode(),
    )
    path = case.case / "case.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["case_id"] = case_pseudonym(series, "", load_key(None))
    path.write_text(json.dumps(document), encoding="utf-8")
    assert find_source(read_finished_case(case.case), case.series).planes
    first.unlink()
    with pytest.raises(GeometryError, match="another grid"):
        find_source(read_finished_case(case.case), case.series)


def test_a_zip_of_the_series_is_read(finish, measured, tmp_path):
    """Where the archive was analysed, the archive is the source."""
    case = finish(measured, tmp_path)
    packed = Path(shutil.make_archive(str(tmp_path / "ct"), "zip", case.series))
    with pytest.raises(InputError, match="is not the series"):
        find_source(read_finished_case(case.case), packed)
    path = case.case / "case.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["provenance"]["inputs"][0]["sha256"] = sha256(packed.read_bytes()).hexdigest()
    path.write_text(json.dumps(document), encoding="utf-8")
    source = find_source(read_finished_case(case.case), packed)
    assert len(source.planes) == len(list(case.series.glob("*.dcm")))


def test_a_case_of_a_nifti_file_has_no_place_in_a_pacs(finish, measured, tmp_path):
    """A file without patient, study and series cannot be referred to."""
    case = finish(measured, tmp_path)
    path = case.case / "case.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["provenance"]["inputs"][0]["kind"] = "NIfTI"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(NotCtError, match="not measured on a DICOM series"):
        export_case(case.case, ["dicom"], out=tmp_path / "out", source=case.series)


@pytest.mark.parametrize(
    ("to", "options", "message"),
    [
        (["dicom"], {}, "the series that the case was measured on is needed"),
        (["postcard"], {}, "unknown format"),
        ([], {}, "no format was named"),
        (["dicom"], {"deidentify": True}, "nothing to take identifiers out of"),
    ],
)
def test_requests_that_cannot_be_met(finished, tmp_path, to, options, message):
    """They are refused before anything is read."""
    with pytest.raises(ConfigError, match=message):
        export_case(finished.case, to, out=tmp_path / "out", **options)


def test_what_is_there_is_not_lost(finished):
    """A result folder is no export: --overwrite does not replace it."""
    with pytest.raises(OutputExistsError):
        export_case(
            finished.case, ["dicom"], out=finished.case, source=finished.series, overwrite=True
        )


def test_results_that_are_none(tmp_path):
    """A folder without a result, and a result of another version."""
    with pytest.raises(UnreadableInputError, match="holds no result"):
        read_finished_case(tmp_path)
    (tmp_path / "case.json").write_text('{"schema": "osteoct.case/2"}', encoding="utf-8")
    with pytest.raises(UnreadableInputError, match="damaged or of another version"):
        read_finished_case(tmp_path)


@pytest.mark.parametrize(
    ("needed", "is_enough"),
    [
        ("no-such-package>=1.0", False),
        ("highdicom>=999.0", False),
        (f"highdicom>={version('highdicom')}", True),
        ("highdicom>=0.9", True),
    ],
)
def test_a_missing_or_old_package_is_named(monkeypatch, needed, is_enough):
    """The extra is optional; who asks for it without it is told what to install."""
    monkeypatch.setattr(extra, "NEEDED", (needed,))
    if is_enough:
        extra.check_dicom_extra("export --to dicom")
        return
    name = needed.partition(">")[0]
    with pytest.raises(DependencyError, match=rf"{needed}; found {name} .*osteoct\[dicom\]"):
        extra.check_dicom_extra("export --to dicom")


def test_headers_that_lost_what_dicom_asks_for(finish, measured, tmp_path):
    """De-identified series lose UIDs and hold odd values; the objects are valid and say so.

    They are written in UTF-8: a name in the bytes of another character set would be another name.
    """
    case, name = finish(measured, tmp_path), "Yamada^Tarou=山田^太郎=やまだ^たろう"
    for file in case.series.glob("*.dcm"):
        image = pydicom.dcmread(file)
        image.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
        image.PatientName = name
        image.StudyInstanceUID = image.SeriesInstanceUID = image.SOPInstanceUID = ""
        del image.AccessionNumber
        with pydicom.config.disable_value_validation():
            image.PatientBirthDate, image.PatientSex = "1950-01-01", "female"
            image.save_as(file)
    case = finish(measured, tmp_path, series=case.series)
    record = export_case(case.case, ["dicom"], out=tmp_path / "out", source=case.series)
    assert [note.split(":")[0] for note in record.notes] == [
        "the series has no StudyInstanceUID, SeriesInstanceUID",
        "the series has values of PatientBirthDate, PatientSex that DICOM does not allow",
    ]
    seg, sr = (pydicom.dcmread(tmp_path / "out" / f"{name}.dcm") for name in ("seg", "sr"))
    assert seg.StudyInstanceUID == sr.StudyInstanceUID
    for written in (seg, sr):
        assert (str(written.PatientName), written.SpecificCharacterSet) == (name, "ISO_IR 192")
        assert written.PatientBirthDate == written.PatientSex == ""
    first = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]
    own = pydicom.dcmread(next(iter(sorted(case.series.glob("*.dcm")))))
    assert first.ReferencedSOPInstanceUID == own.file_meta.MediaStorageSOPInstanceUID


@pytest.mark.parametrize(
    ("structures", "message"),
    [({}, "there is nothing to export"), ({1: "liver"}, "is no compartment; found 'liver'")],
)
def test_a_label_map_that_is_not_of_this_case(finish, measured, tmp_path, structures, message):
    """Empty, or with other names than osteoct's: no outline is guessed from numbers."""
    case = finish(measured, tmp_path)
    labels = LabelVolume(
        array=np.zeros(measured.shot.ct.geometry.shape, np.uint8),
        geometry=measured.shot.ct.geometry,
        structures={n: Structure(name=name, part=Part.OTHER) for n, name in structures.items()},
    )
    write_labels(labels, case.case / "compartments.nii.gz")
    with pytest.raises(InputError, match=message):
        export_case(case.case, ["dicom"], out=tmp_path / "out", source=case.series)
    assert not (tmp_path / "out").exists()
