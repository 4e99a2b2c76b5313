"""Images by pattern: each with its own masks, or a row that says what is missing."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

from osteoct.errors import ConfigError
from osteoct.run.plan.choices import FingerprintKind, Patterns, make_choices
from osteoct.run.plan.interface import Found
from osteoct.run.records import Cause, Refusal

PATTERNS = Patterns(
    ct="*/ct.nii.gz",
    masks="{parent}/seg.nii.gz",
    body_masks="{parent}/vertebrae_body.nii.gz",
    case_id="{parent.name}",
)


@pytest.fixture
def scans(tmp_path):
    """Make scans of the given names."""

    def make(*names, files=("ct.nii.gz", "seg.nii.gz", "vertebrae_body.nii.gz")):
        for name in names:
            (tmp_path / name).mkdir(parents=True)
            for file in files:
                (tmp_path / name / file).write_bytes(f"{name}/{file}".encode())
        return tmp_path

    return make


def test_the_command_of_the_issue(scans, entries):
    """The published data set: CT, masks and body masks side by side."""
    root = scans("s01", "s02")
    found, source = entries(root, patterns=PATTERNS)
    assert [case.case_id for case in found] == ["s01", "s02"]
    assert found[0].inputs.ct == (str(root / "s01" / "ct.nii.gz"),)
    assert found[0].inputs.masks == str(root / "s01" / "seg.nii.gz")
    assert found[0].inputs.body_masks == str(root / "s01" / "vertebrae_body.nii.gz")
    assert set(found[0].fingerprints) == {"ct", "masks", "body_masks"}
    files = (root / "s01").iterdir()
    assert found[0].bytes_in == sum(path.stat().st_size for path in files)
    assert found[0].patient is None
    assert source.left_out["other files"] == 4


def test_missing_masks_refuse_one_case(scans, entries):
    """The others are measured; the row tells which masks."""
    root = scans("s01", "s02")
    (root / "s02" / "seg.nii.gz").unlink()
    (root / "s02" / "vertebrae_body.nii.gz").unlink()
    good, bad = entries(root, patterns=PATTERNS)[0]
    assert isinstance(good, Found)
    assert (bad.case_id, bad.cause) == ("s02", Cause.INPUT)
    assert bad.message == "masks and body masks not there"


def test_two_cases_of_one_name_are_both_refused(scans, entries):
    """One would overwrite the other; which of them is right nobody can say."""
    root = scans("x/s01", "y/s01", "y/S01", "y/s02")
    patterns = PATTERNS.model_copy(update={"ct": "*/*/ct.nii.gz"})
    found, _ = entries(root, patterns=patterns)
    assert [(e.case_id, type(e)) for e in found] == [
        ("S01", Refusal),
        ("s01", Refusal),
        ("s02", Found),
    ]
    assert "3 cases have this name" in found[0].message


@pytest.mark.parametrize("name", ["nul", "-x", "a b", "Müller"])
def test_unsafe_names_are_refused(scans, entries, name):
    """A case id becomes the name of a folder, on any system."""
    (refusal,), _ = entries(scans(name), patterns=PATTERNS)
    assert refusal.message.startswith("case id cannot be a file name; wanted letters")
    assert refusal.case_id.startswith("c-")
    assert name not in refusal.message


def test_without_a_pattern_ids_are_pseudonyms_of_the_place(scans, entries):
    """A folder may bear a patient's name."""
    root = scans("Doe", "Roe")
    patterns = Patterns(ct="**/ct.nii.gz")
    found, _ = entries(root, patterns=patterns)
    assert len({case.case_id for case in found}) == 2
    assert not [case for case in found if "Doe" in case.case_id]
    assert [c.case_id for c in entries(root, patterns=patterns)[0]] == [c.case_id for c in found]


def test_folders_of_dicom_are_cases_too(study, entries, tmp_path):
    """One case per folder; its fingerprint is that of all its files."""
    study(tmp_path / "p1" / "dicom", n=3)
    study(tmp_path / "p2" / "dicom", n=3)
    patterns = Patterns(ct="*/dicom", case_id="{parent.name}")
    found, _ = entries(tmp_path, patterns=patterns)
    assert [(c.case_id, c.inputs.ct) for c in found] == [
        (name, (str(tmp_path / name / "dicom"),)) for name in ("p1", "p2")
    ]
    (tmp_path / "p1" / "dicom" / "000.dcm").unlink()
    again, _ = entries(tmp_path, patterns=patterns)
    changed = [a.fingerprints != b.fingerprints for a, b in zip(found, again, strict=True)]
    assert changed == [True, False]


def test_fingerprints_change_with_the_file_and_with_nothing_else(scans, entries):
    """The stated rule: place, size and time; a copy elsewhere is equal by content alone."""
    root = scans("s01")
    kinds = {
        kind: entries(root, patterns=PATTERNS, fingerprint=kind)[0] for kind in FingerprintKind
    }
    for kind, (case,) in kinds.items():
        assert entries(root, patterns=PATTERNS, fingerprint=kind)[0] == [case]
    (root / "elsewhere").mkdir()
    (root / "s01").rename(root / "elsewhere" / "s01")
    for kind, (case,) in kinds.items():
        (moved,), _ = entries(root / "elsewhere", patterns=PATTERNS, fingerprint=kind)
        assert (moved.fingerprints == case.fingerprints) == (kind is FingerprintKind.CONTENT)
        (root / "elsewhere" / "s01" / "ct.nii.gz").write_bytes(b"s01/ct.nii.g?")
        (other,), _ = entries(root / "elsewhere", patterns=PATTERNS, fingerprint=kind)
        assert other.fingerprints["ct"] != moved.fingerprints["ct"]
        assert other.fingerprints["masks"] == moved.fingerprints["masks"]
        (root / "elsewhere" / "s01" / "ct.nii.gz").write_bytes(b"s01/ct.nii.gz")


def test_voxels_are_those_of_the_header(entries, tmp_path):
    """A worker must know before it reads whether a CT fits into its memory."""
    image = nibabel.Nifti1Image(np.zeros((5, 6, 7), np.int16), np.eye(4))
    nibabel.save(image, tmp_path / "ct.nii.gz")
    (tmp_path / "no.nii.gz").write_bytes(b"no image")
    found, _ = entries(tmp_path, patterns=Patterns(ct="*.nii.gz", case_id="{stem}"))
    assert [(case.case_id, case.voxels) for case in found] == [("ct", 210), ("no", None)]


def test_bodies_without_vertebrae_are_refused():
    """The same rule as for one case."""
    with pytest.raises(ConfigError, match="masks of bodies need masks of vertebrae"):
        make_choices("/s", patterns=Patterns(ct="*", body_masks="{parent}/b.nii.gz"))
