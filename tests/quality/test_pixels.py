"""Sound spines of every kind raise none of these doubts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.compartments.case import build_compartments
from osteoct.measure.tissues import TissueHus
from osteoct.phantom.acquisition import scan
from osteoct.phantom.defects import sclerosis
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine
from osteoct.pipeline import analyze_volumes
from osteoct.protocols import PROTOCOLS
from osteoct.quality.pixels import check_bone, check_pixels
from osteoct.records import Phase, Severity

SCANNER = Scanner(pixel_mm=1.5, slice_mm=2.0, fine_step_mm=0.8, noise_sd_hu=12.0)


def doubts(phantom, scanner):
    """Codes of the warnings and worse that pixels and bone raise."""
    shot = scan(phantom, scanner)
    ct = shot.ct.reoriented("RAS")
    levels = build_compartments(
        ct,
        shot.vertebrae.reoriented("RAS"),
        shot.bodies.reoriented("RAS"),
        levels=LUMBAR,
        protocols=tuple(PROTOCOLS.values()),
    )
    assert levels
    found = (
        *check_pixels(ct, levels, TissueHus(), ct.acquisition),
        *check_bone(ct, levels, ct.acquisition),
    )
    return [f.code for f in found if f.severity is not Severity.INFO]


@pytest.mark.parametrize(
    ("trabecular_hu", "changed"),
    [
        (30.0, {"slice_mm": 5.0}),
        (260.0, {"slice_mm": 5.0}),
        (260.0, {"slice_mm": 3.0, "axis_codes": "PIR"}),
        (30.0, {"slice_mm": 1.5, "axis_codes": "LPS"}),
        (30.0, {"pixel_mm": 1.2, "slice_mm": 3.0, "kernel": "sharp"}),
        (260.0, {"slice_mm": 3.0, "kernel": "soft", "noise_sd_hu": 0.0}),
        (30.0, {"noise_sd_hu": 25.0, "noise_fwhm_mm": 2.0}),
        (260.0, {"phase": Phase.PORTAL_VENOUS, "offset_mm": (0.7, 0.4, 0.9)}),
        (260.0, {"kvp": 100.0, "slice_mm": 3.0}),
    ],
    ids=str,
)
def test_sound_spines_raise_no_doubt(trabecular_hu, changed):
    """Any grid, kernel, noise and phase; very osteoporotic and very dense, with a vein."""
    bone = BoneMake(other_trabecular_hu=trabecular_hu, has_vein=True, dish_mm=1.0)
    phantom = lumbar_spine(bone, has_t12=False, has_sacrum=False)
    assert doubts(phantom, replace(SCANNER, **changed)) == []


def test_four_times_the_noise_is_said():
    """48 HU instead of 12."""
    phantom = lumbar_spine(BoneMake(), has_t12=False, has_sacrum=False)
    assert doubts(phantom, replace(SCANNER, noise_sd_hu=48.0)) == ["noisy-image"]


def test_a_level_that_departs_is_left_out_of_the_summary():
    """The sclerotic L2 is shown, with its numbers, and does not count."""
    phantom = lumbar_spine(BoneMake(), has_t12=False, has_sacrum=False)
    shot = scan(sclerosis(phantom, Level.L2), SCANNER)
    result = analyze_volumes(shot.ct, shot.vertebrae, bodies=shot.bodies).result
    found = {f.code: f for f in result.findings if f.level is Level.L2}
    assert found["level-outlier"].severity is Severity.BLOCKING
    assert "dense-focus" in found
    assert result.level(Level.L2).regions[0].hu is not None
    assert {level.level for level in result.levels if level.usable} == set(LUMBAR) - {Level.L2}
    assert all(Level.L2 not in s.levels_used for s in result.summaries)
