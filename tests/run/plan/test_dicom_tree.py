"""One case per study, whatever the tree looks like, and nothing lost in silence."""

from __future__ import annotations

import os
import shutil
import zipfile

import pytest
from pydicom.uid import MRImageStorage

from osteoct.io.dicom.series import find_series, read_dicom
from osteoct.run.plan import dicom_study
from osteoct.run.plan.choices import FingerprintKind
from osteoct.run.plan.interface import Found
from osteoct.run.records import Cause, Refusal
from osteoct.run.work.inputs import laid_out


def cases(found):
    return [e for e in found if isinstance(e, Found)]


def refusals(found):
    return [e for e in found if isinstance(e, Refusal)]


def same_uids(folder):
    """Slices with UIDs that another call repeats."""

    def change(ds, n):
        ds.SOPInstanceUID = f"1.9.{folder}.{n}"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID

    return change


def test_the_series_is_the_one_that_reading_the_study_would_choose(study, entries, tmp_path):
    """The plan must follow the same rules as ``analyze``; the truth is the reader of one folder."""
    study(tmp_path / "thin", n=10, distance_mm=1.0, tags={"SeriesNumber": 4})
    study(tmp_path / "thick", n=4, distance_mm=2.5, tags={"SeriesNumber": 3})
    study(tmp_path / "sharp", n=10, distance_mm=1.0, tags={"ConvolutionKernel": "B70f"})
    chosen = find_series(tmp_path).chosen
    found, source = entries(tmp_path)
    (case,) = cases(found)
    assert not refusals(found)
    with laid_out(case.inputs) as sources:
        listing = find_series(sources.ct)
    assert [s.uid for s in listing.series] == [chosen.uid]
    assert case.voxels == 4 * 4 * 10
    assert [f.code for f in case.findings] == ["series-chosen"]
    assert read_dicom(tmp_path).findings[: len(case.findings)] == case.findings
    assert source.left_out == {}


def test_studies_scattered_and_mixed_are_put_together(study, entries, tmp_path):
    """Exports spread a series over folders, put several studies in one, and name nothing."""
    first = study(tmp_path / "all", "1.2.10", name="A{:03d}", n=8)
    study(tmp_path / "all", "1.2.20", name="B{:03d}", n=5)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for number in range(4):
        path = first / f"A{number:03d}"
        path.rename(tmp_path / "deep" / "er" / f"IM{number}")
    found, _ = entries(tmp_path)
    assert sorted(len(case.inputs.ct) for case in cases(found)) == [5, 8]
    assert len({case.case_id for case in found}) == 2


def test_a_series_copied_twice_is_one_case(study, entries, tmp_path):
    """A copy is no second patient, and no slice twice."""
    study(tmp_path / "a", n=6)
    alone, _ = entries(tmp_path)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    both, _ = entries(tmp_path)
    assert both == alone
    assert len(both[0].inputs.ct) == 6


def test_slices_of_one_uid_stay_apart(study, entries, tmp_path):
    """An anonymiser that gives every slice one UID must not make a volume of one slice."""

    def change(ds, _n):
        ds.SOPInstanceUID = "1.2.3.4.5"

    study(tmp_path / "a", change=change, n=6)
    (case,), _ = entries(tmp_path)
    assert len(case.inputs.ct) == 6
    fingerprint = case.fingerprints["ct"]
    study(tmp_path / "a", change=change, n=6, origin=(0, 0, 0))
    assert entries(tmp_path)[0][0].fingerprints["ct"] != fingerprint


def test_other_modalities_are_counted_and_refused_as_studies(study, entries, tmp_path):
    """A study without a CT is a row that says why; text files are counted."""

    def change(ds, _n):
        ds.SOPClassUID, ds.Modality = MRImageStorage, "MR"

    study(tmp_path / "ct", "1.2.10")
    study(tmp_path / "ct", "1.2.10", name="mr{}", n=2, change=change)
    study(tmp_path / "mr", "1.2.20", n=3, change=change)
    (tmp_path / "readme.txt").write_text("nothing")
    found, source = entries(tmp_path)
    (refusal,) = refusals(found)
    assert len(cases(found)) == 1
    assert refusal.cause is Cause.INPUT
    assert "holds no CT image; found 3 × modality MR" in refusal.message
    assert source.left_out == {"modality MR": 5, "not DICOM": 1}


def test_several_patients_under_one_study_are_refused(study, entries, tmp_path):
    """No rule may choose between people, and none of them is named."""
    study(tmp_path / "a", tags={"PatientID": "Doe1"})
    study(tmp_path / "b", tags={"PatientID": "Doe2"})
    (refusal,), _ = entries(tmp_path)
    assert "images of several patients; found 2 patients" in refusal.message
    assert "Doe" not in repr(refusal)


def test_a_missing_slice_is_refused_and_repaired_under_one_name(study, entries, tmp_path):
    """When the slice comes, the refused row becomes the case: it must bear the same id."""
    study(tmp_path / "a", change=same_uids(1), skip=(2,), uid="1.9")
    (refusal,), _ = entries(tmp_path)
    assert "1 slice missing" in refusal.message
    assert refusal.case_id.startswith("c-")
    study(tmp_path / "a", change=same_uids(1), uid="1.9")
    (case,), _ = entries(tmp_path)
    assert isinstance(case, Found)
    assert case.case_id == refusal.case_id


def test_damaged_files_are_told_where_they_lie(study, entries, tmp_path):
    """Beside a study they may be its slices; alone they are a row of their own."""
    study(tmp_path / "a")
    torn = b"\0" * 128 + b"DICM" + b"\x02\x00\x10\x00UI\xff\xff1.2"
    (tmp_path / "a" / "torn").write_bytes(torn)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "Doe").write_bytes(torn)
    found, source = entries(tmp_path)
    (case,), (refusal,) = cases(found), refusals(found)
    assert [(f.code, f.evidence["files"]) for f in case.findings] == [("files-damaged", 1)]
    assert refusal.message == "1 × damaged DICOM files beside no CT image"
    assert "Doe" not in repr(refusal)
    assert source.left_out == {"damaged DICOM": 2}


def test_whole_trees_tell_of_no_damage(study, entries, tmp_path):
    """The silent side of the test above."""
    study(tmp_path / "a")
    (case,), source = entries(tmp_path)
    assert case.findings == ()
    assert source.left_out == {}


def zipped(folder, archive):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.rglob("*")):
            out.write(path, path.relative_to(folder))
    shutil.rmtree(folder)


def test_a_zip_is_the_same_work_as_its_folder(study, entries, tmp_path):
    """Who packs an archive afterwards must not measure it again."""
    study(tmp_path / "tree" / "a")
    (loose,), _ = entries(tmp_path / "tree")
    zipped(tmp_path / "tree" / "a", tmp_path / "tree" / "study.zip")
    (packed,), _ = entries(tmp_path / "tree")
    assert packed.inputs.ct == (str(tmp_path / "tree" / "study.zip"),)
    assert packed.inputs.series is not None
    assert replace_inputs(packed, loose) == loose


def replace_inputs(one, other):
    """A case with the inputs of another."""
    return one.model_copy(update={"inputs": other.inputs})


def test_a_series_in_two_zips_is_laid_out_whole(study, entries, tmp_path):
    """Half a series in each archive: the worker gets the members, not the archives."""
    tree = tmp_path / "tree"
    whole = study(tree / "a")
    (tree / "b").mkdir()
    for number in range(3):
        (whole / f"{number:03d}.dcm").rename(tree / "b" / f"{number}")
    zipped(tree / "a", tree / "a.zip")
    zipped(tree / "b", tree / "b.zip")
    (case,), _ = entries(tree)
    assert len(case.inputs.ct) == 6
    with laid_out(case.inputs) as sources:
        assert read_dicom(sources.ct).geometry.shape == (4, 4, 6)


def test_a_damaged_or_unsafe_zip_is_a_row(entries, tmp_path):
    """An archive that cannot be trusted is neither opened nor forgotten."""
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 and nothing else")
    with zipfile.ZipFile(tmp_path / "unsafe.zip", "w") as out:
        out.writestr("../../out", "x")
    found, _ = entries(tmp_path)
    assert [r.message for r in refusals(found)] == ["1 × an archive that is damaged or unsafe"] * 2


def test_images_without_a_study_are_grouped_by_series(study, entries, tmp_path):
    """De-identified files may have lost the study; two patients then must not meet."""
    for name in "ab":
        study(tmp_path / name, tags={"StudyInstanceUID": None, "PatientID": name})
    found, _ = entries(tmp_path)
    assert len(cases(found)) == 2


@pytest.mark.parametrize(("limit", "is_refused"), [(5, True), (6, False)])
def test_one_uid_for_everything_is_refused(
    study, entries, tmp_path, monkeypatch, limit, is_refused
):
    """An archive under one UID would not fit into memory; exactly the limit still does."""
    monkeypatch.setattr(dicom_study, "MAX_STUDY_FILES", limit)
    study(tmp_path / "a", n=6)
    (entry,), _ = entries(tmp_path)
    assert isinstance(entry, Refusal) == is_refused
    assert not is_refused or "more files than a study has; found more than 5 files" in entry.message


def test_an_unreadable_folder_is_a_row(study, entries, tmp_path, monkeypatch):
    """A folder without permission may hold a thousand studies (root may read everything)."""
    study(tmp_path / "a")
    (tmp_path / "locked").mkdir()
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "no")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found, _ = entries(tmp_path)
    assert [r.message for r in refusals(found)] == [
        "1 × a folder that cannot be listed, or a name that is not UTF-8"
    ]


@pytest.mark.skipif(os.name != "posix", reason="names are text there")
def test_names_in_an_old_encoding_are_rows(study, entries, tmp_path):
    """A ledger cannot hold them; the other studies are planned."""
    study(tmp_path / "a")
    os.mkdir(os.fsencode(tmp_path) + b"/M\xfcller")  # noqa: PTH102 - bytes
    found, _ = entries(tmp_path)
    assert len(cases(found)) == 1
    assert [r.message for r in refusals(found)] == [
        "1 × a folder that cannot be listed, or a name that is not UTF-8"
    ]
    assert "ller" not in repr(refusals(found))


def test_names_of_a_case_do_not_show_who_it_is(study, entries, tmp_path):
    """Ids, keys and refusals go into tables; UIDs and patient ids do not."""
    study(tmp_path / "a", "1.2.33", tags={"PatientID": "Doe77"}, uid="1.2.33.44")
    (case,), _ = entries(tmp_path)
    shown = case.model_copy(update={"inputs": case.inputs.model_copy(update={"ct": ("x",)})})
    assert not [secret for secret in ("Doe77", "1.2.33") if secret in shown.model_dump_json()]
    assert case.patient.startswith("p-")


def test_content_tells_what_marks_cannot(study, entries, tmp_path):
    """Pixels changed under equal UIDs and sizes: the stated limit, and the way around it."""
    study(tmp_path / "a", change=same_uids(1), uid="1.9")
    marks, contents = (entries(tmp_path, fingerprint=kind)[0][0] for kind in FingerprintKind)

    def change(ds, n):
        same_uids(1)(ds, n)
        ds.PixelData = bytes(len(ds.PixelData))

    study(tmp_path / "a", change=change, uid="1.9")
    again = [entries(tmp_path, fingerprint=kind)[0][0] for kind in FingerprintKind]
    assert again[0].fingerprints == marks.fingerprints
    assert again[1].fingerprints != contents.fingerprints
