"""``analyze --tissues``: labels that exist check the image, and are recorded as an input."""

from __future__ import annotations

import json

import numpy as np
import pytest

from osteoct.anatomy import Part, Structure
from osteoct.case_masks import default_segmenter
from osteoct.config import AnalysisConfig
from osteoct.geometry import Geometry
from osteoct.io.nifti import write_labels
from osteoct.volume import LabelVolume


def write_tissues(path, name="aorta", origin_mm=(-48.0, -45.0, -60.0)):
    """A block of the patient's muscle (50 HU) under a tissue's name, at 3 mm."""
    array = np.zeros((10, 10, 20), np.uint8)
    array[1:9, 1:9, 1:19] = 1
    grid = Geometry.from_spacing(array.shape, (2.0, 2.0, 3.0), origin_mm)
    structures = {1: Structure(name=name, part=Part.OTHER)}
    write_labels(LabelVolume(array=array, geometry=grid, structures=structures), path)
    return path


def analysed(osteoct, patient, tmp_path, *options):
    """The result of a call, and what was said."""
    out = tmp_path / "out"
    said = osteoct(
        *("analyze", patient.ct, "--masks", patient.masks, "--body-masks", patient.bodies),
        *("--levels", "L1-L2", "-o", out, *options),
    )
    assert said.code == 0, said.err
    return json.loads((out / "case.json").read_text(encoding="utf-8"))


def test_tissues_are_looked_at_and_recorded(osteoct, patient, tmp_path):
    """Blood of 50 HU: native by its pixels, which the header of a NIfTI does not tell."""
    plain = analysed(osteoct, patient, tmp_path)
    tissues = write_tissues(tmp_path / "tissues.nii.gz")
    case = analysed(osteoct, patient, tmp_path, "--tissues", tissues, "--overwrite")
    assert case["acquisition"]["phase"] is None
    assert case["acquisition"]["phase_pixels"] == "native"
    assert "tissues" in [i["role"] for i in case["provenance"]["inputs"]]
    codes = {f["code"] for f in case["findings"]}
    assert "phase-by-pixels" in codes
    assert "phase-unknown" in {f["code"] for f in plain["findings"]}
    assert [level["regions"] for level in case["levels"]] == [
        level["regions"] for level in plain["levels"]
    ]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: write_tissues(p, name="stomach"), "names no tissue"),
        (lambda p: write_tissues(p, origin_mm=(900.0, 0.0, 0.0)), "no overlap"),
        (lambda p: p, "does not exist"),
    ],
)
def test_tissues_that_cannot_be_used_are_refused(osteoct, patient, tmp_path, make, says):
    """In one line that names the file; no result is written."""
    path, out = tmp_path / "tissues.nii.gz", tmp_path / "out"
    make(path)
    said = osteoct("analyze", patient.ct, "--masks", patient.masks, "--tissues", path, "-o", out)
    assert said.code == 3
    assert says in said.err
    assert str(path) in said.err
    assert not out.exists()


def test_asking_for_tissues_beside_masks_is_wrong_usage(osteoct, patient, tmp_path):
    """There is no segmenter to ask."""
    out = tmp_path / "out"
    said = osteoct("analyze", patient.ct, "--masks", patient.masks, "--with-tissues", "-o", out)
    assert said.code == 2
    assert "--with-tissues" in said.err


@pytest.mark.parametrize("wanted", [True, False])
def test_thedefault_segmenter_is_asked_as_configured(wanted):
    """Off by default: it costs a second run of a network."""
    made = default_segmenter(AnalysisConfig(with_tissues=wanted))
    assert made._options.with_tissues is wanted
    assert AnalysisConfig().with_tissues is False
