"""Repair as a user meets it: the command, the files it leaves, the report's section."""

from __future__ import annotations

import csv
import json

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner

from osteoct.anatomy import Level
from osteoct.cli import main
from osteoct.io.nifti import write_ct, write_labels
from osteoct.phantom.acquisition import scan
from osteoct.phantom.mask_defects import swap_labels
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine

MASKS = {
    *("masks-original.nii.gz", "masks-repaired.nii.gz"),
    *("body-masks-original.nii.gz", "body-masks-repaired.nii.gz"),
}


@pytest.fixture(scope="module")
def spine():
    """A coarse scan of five levels."""
    phantom = lumbar_spine(BoneMake(shell_mm=1.0), has_sacrum=False, has_t12=False)
    return scan(phantom, Scanner(pixel_mm=2.0, slice_mm=2.0, fine_step_mm=1.0, axis_codes="LPS"))


@pytest.fixture(scope="module")
def analysed(spine, tmp_path_factory):
    """The folder of the spine with L2 and L3 swapped, analysed with repair and without."""
    folder = tmp_path_factory.mktemp("repair")
    faulty = swap_labels(spine, Level.L2, Level.L3)
    write_ct(faulty.ct, folder / "ct.nii.gz")
    write_labels(faulty.vertebrae, folder / "masks.nii.gz")
    write_labels(faulty.bodies, folder / "bodies.nii.gz")
    for name, options in (("mended", []), ("plain", ["--no-repair"])):
        words = ["analyze", str(folder / "ct.nii.gz"), "--masks", str(folder / "masks.nii.gz")]
        words += ["--body-masks", str(folder / "bodies.nii.gz"), "--out", str(folder / name)]
        done = CliRunner().invoke(main, [*words, *options])
        assert done.exit_code == 0, done.output
    return folder


def read(path):
    return np.asanyarray(nib.load(path).dataobj)


def severities(folder):
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    return {f["severity"] for f in case["findings"] if f["code"] == "labels-swapped"}, case


def test_repaired_masks_are_measured_and_told(analysed):
    """The finding stays as a warning; the case and each row say which masks were used."""
    found, case = severities(analysed / "mended")
    assert found == {"warning"}
    assert case["masks_used"] == "repaired"
    assert [r["rule"] for r in case["repairs"]] == ["rename-swapped"]
    with (analysed / "mended" / "levels.csv").open(encoding="utf-8", newline="") as file:
        used = {row["level"]: row["masks_used"] for row in csv.DictReader(file)}
    assert {level for level, masks in used.items() if masks == "repaired"} == {"L2", "L3"}


def test_both_masks_read_back(analysed, spine):
    """What came, and what was measured: the latter is the clean spine, voxel by voxel."""
    folder = analysed / "mended"
    assert {p.name for p in folder.iterdir()} >= MASKS
    for kind, name, clean in (
        ("masks", "masks", spine.vertebrae),
        ("body-masks", "bodies", spine.bodies),
    ):
        original, given = folder / f"{kind}-original.nii.gz", analysed / f"{name}.nii.gz"
        assert np.array_equal(read(original), read(given))
        assert np.allclose(nib.load(original).affine, nib.load(given).affine)
        repaired = nib.load(folder / f"{kind}-repaired.nii.gz")
        assert np.array_equal(np.asanyarray(repaired.dataobj), read_as(clean, repaired))


def read_as(labels, image):
    """Labels in the orientation of an image."""
    return labels.reoriented("".join(nib.aff2axcodes(image.affine))).array


def test_report_shows_before_and_after(analysed):
    """A sentence, the rule and two pictures."""
    page = (analysed / "mended" / "report.html").read_text(encoding="utf-8")
    assert "What was repaired in the masks" in page
    assert "rename-swapped" in page
    assert "L2, L3 with the masks as they were." in page
    assert "L2, L3 with the masks as repaired." in page


def test_without_repair_nothing_is_changed_and_it_blocks(analysed):
    """No other masks, no section, no number from a repaired mask."""
    found, case = severities(analysed / "plain")
    assert found == {"blocking"}
    assert case["masks_used"] == "original"
    assert case["repairs"] == []
    assert not {p.name for p in (analysed / "plain").iterdir()} & MASKS
    page = (analysed / "plain" / "report.html").read_text(encoding="utf-8")
    assert "What was repaired in the masks" not in page
