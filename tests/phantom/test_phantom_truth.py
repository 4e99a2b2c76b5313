"""The truth record."""

import json

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.phantom.acquisition import scan
from osteoct.phantom.esp import european_spine_phantom
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra
from osteoct.phantom.truth import PhantomTruth

COARSE = Scanner(pixel_mm=2.0, slice_mm=2.0, fine_step_mm=1.0)


def test_truth_survives_json():
    """``truth.json`` is read by other programs and by ourselves."""
    truth = scan(european_spine_phantom(), COARSE).truth
    text = truth.model_dump_json(by_alias=True)
    assert PhantomTruth.model_validate_json(text) == truth
    assert json.loads(text)["schema"] == "osteoct.phantom-truth/1"


def test_truth_is_what_was_ordered():
    """Every ordered number comes back under its own name."""
    made = scan(
        single_vertebra(
            Level.L5, tilt_deg=20, shell_mm=0.7, shell_hu=650, trabecular_hu=90, dish_mm=1
        ),
        COARSE,
    )
    truth = made.truth.level(Level.L5)
    assert (truth.trabecular_hu, truth.cortical_hu, truth.shell_mm) == (90, 650, 0.7)
    assert (truth.height_anterior_mm, truth.height_posterior_mm) == (28.5, 25.0)
    assert truth.height_middle_mm == pytest.approx(26.75 - 2)
    assert truth.tilt_deg == pytest.approx(20)
    assert truth.superior == pytest.approx((0, np.sin(np.radians(20)), np.cos(np.radians(20))))
    assert truth.is_whole
    assert made.truth.level(Level.L1) is None


@pytest.mark.parametrize(("shift_mm", "is_whole"), [(0.0, True), (15.0, False), (-15.0, False)])
def test_a_vertebra_outside_the_field_of_view_is_not_whole(shift_mm, is_whole):
    """Truth of 'cut by the border' against which the pipeline's own finding is tested."""
    made = scan(
        single_vertebra(),
        Scanner(pixel_mm=2.0, slice_mm=2.0, fine_step_mm=1.0, offset_mm=(0, 0, shift_mm)),
    )
    assert made.truth.levels[0].is_whole is is_whole


def test_the_european_spine_phantom_names_what_it_assumes():
    """A number nobody published may not pass for a property of the real phantom."""
    truth = scan(european_spine_phantom(), COARSE).truth
    assert {"body_height_mm", "gap_mm", "shell_mg_cm3", "hu_per_mg_cm3"} <= set(truth.assumed)
    known = {str(t.level): (t.mineral_mg_cm3, t.shell_mm, t.width_mm / 2) for t in truth.levels}
    assert known == {"L1": (50, 0.5, 18), "L2": (100, 1.0, 18), "L3": (200, 1.5, 18)}
    assert truth.levels[0].body_volume_cm3 == pytest.approx(np.pi * 18**2 * 25 / 1000)
