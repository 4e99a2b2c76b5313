"""The real package's classifier of the contrast phase, in the process apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import nibabel
import numpy as np
import pytest

from osteoct.anatomy import PHASE_ORGANS, Part, Structure
from osteoct.geometry import Geometry
from osteoct.records import Phase
from osteoct.segment.phase_opinion import seek_opinion
from osteoct.volume import CTVolume, LabelVolume

pytestmark = [pytest.mark.totalsegmentator, pytest.mark.slow]

PLAIN_HU = {
    **dict.fromkeys(PHASE_ORGANS, 42.0),
    "liver": 55.0,
    "urinary_bladder": 8.0,
    "gallbladder": 10.0,
    "colon": -50.0,
    "small_bowel": 20.0,
}
"""Organs of an abdomen without contrast, about."""

PORTAL_HU = PLAIN_HU | {
    **dict.fromkeys(("aorta", "iliac_artery_left", "iliac_artery_right"), 150.0),
    **dict.fromkeys(("heart", "pulmonary_vein", "inferior_vena_cava"), 140.0),
    **dict.fromkeys(("iliac_vena_left", "iliac_vena_right"), 120.0),
    "portal_vein_and_splenic_vein": 165.0,
    "liver": 110.0,
    "pancreas": 95.0,
    "small_bowel": 70.0,
}
"""The same 70 s after an injection, about."""

REFERENCE = """
import json, sys
from totalsegmentator.bin.totalseg_get_phase import get_ct_contrast_phase
from totalsegmentator.statistics import get_basic_statistics
import nibabel, numpy
ct, labels = nibabel.load(sys.argv[1]), nibabel.load(sys.argv[2])
told = get_basic_statistics(numpy.asarray(labels.dataobj), ct, quiet=True, metric="median",
    exclude_masks_at_border=False, roi_subset=json.loads(sys.argv[3]))
made = list(get_ct_contrast_phase(ct, existing_stats=told, quiet=True, device="cpu"))[-1]["result"]
kept = ("aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein", "liver")
part = {n: t if n in kept else {"volume": 0.0, "intensity": 0.0} for n, t in told.items()}
less = list(get_ct_contrast_phase(ct, existing_stats=part, quiet=True, device="cpu"))[-1]["result"]
print(json.dumps([made, told, less["phase"]]))
"""
"""What the package does with an image and its labels, by its own functions alone."""


def scan_organs(organs_hu):
    """Organs as blocks of noise; the brain is looked for and not there."""
    from totalsegmentator.map_to_binary import class_map  # noqa: PLC0415 - not everywhere

    numbers = {name: n for n, name in class_map["total"].items()}
    array = np.zeros((4 * len(PHASE_ORGANS), 16, 16), np.uint8)
    hu = np.random.default_rng(5).normal(0, 15, array.shape)
    for place, name in enumerate(PHASE_ORGANS):
        block = slice(4 * place, 4 * place + 4)
        if name != "brain":
            array[block] = numbers[name]
        hu[block] += organs_hu[name]
    grid = Geometry.from_spacing(array.shape, (3.0, 3.0, 3.0))
    structures = {numbers[name]: Structure(name=name, part=Part.OTHER) for name in PHASE_ORGANS}
    labels = LabelVolume(array=array, geometry=grid, structures=structures)
    return CTVolume(array=hu.round().astype(np.int16), geometry=grid), labels


def begin_reference(ct, labels, folder):
    """Start asking the package itself: its answer, and what it measured, are written."""
    paths = []
    for name, array in (("ct", ct.array), ("labels", labels.array)):
        paths.append(folder / f"{name}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(array, ct.geometry.affine), paths[-1])
    return subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", REFERENCE, *map(str, paths), json.dumps(PHASE_ORGANS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "HOME": str(folder), "TOTALSEG_HOME_DIR": str(folder)},
    )


def test_a_scan_with_contrast_is_answered_as_the_package_itself_does(tmp_path):
    """The same medians, the same time, the same phase.

    And why labels of a few organs are refused: with those it says another phase.
    """
    ct, labels = scan_organs(PORTAL_HU)
    reference = begin_reference(ct, labels, tmp_path)
    made, finding = seek_opinion("totalsegmentator", ct, labels)
    assert finding is None
    told, measured, less = json.loads(reference.communicate(timeout=120)[0].splitlines()[-1])
    assert made.phase is Phase.PORTAL_VENOUS
    assert (made.named, made.probability) == (told["phase"], told["probability"])
    assert made.seconds_after_injection == told["pi_time"]
    assert (made.earliest_s, made.latest_s) == (told["pi_time_min"], told["pi_time_max"])
    for name, organ_hu in made.organs_hu.items():
        assert organ_hu == measured[name]["intensity"]
    assert "brain" not in made.organs_hu
    assert measured["brain"]["intensity"] == 0
    assert less == "arterial_late"
    assert made.packages["TotalSegmentator"].startswith("2.")
    assert "xgboost-cpu" in made.packages or "xgboost" in made.packages


def test_a_scan_without_contrast_is_native():
    """And its time lies before the ten seconds that the package calls so."""
    made, finding = seek_opinion("totalsegmentator", *scan_organs(PLAIN_HU))
    assert finding is None
    assert made.phase is Phase.NATIVE
    assert made.seconds_after_injection < 10
