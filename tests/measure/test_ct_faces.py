"""End plates in the CT: where the mask is a staircase, and where only the mask is left."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.case import build_compartments
from osteoct.measure.heights import measure_heights
from osteoct.measure.morphometry import compare_heights
from osteoct.phantom.acquisition import scan
from osteoct.phantom.defects import biconcave_fracture, sclerosis, wedge_fracture
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra
from osteoct.records import HeightSource

FIELD_MM = (100.0, 120.0, 90.0)


@lru_cache(maxsize=8)
def shoot(slice_mm, *, phase=0.0, tilt=0.0, loss=0.0, shape="wedge", offset=0.0, **scanner):
    """One L3 on a grid shifted by a share of a slice, with room for it at every position."""
    phantom = single_vertebra(Level.L3, tilt_deg=tilt)
    if loss:
        make = {"wedge": wedge_fracture, "biconcave": biconcave_fracture}[shape]
        phantom = make(phantom, Level.L3, height_loss=loss)
    return scan(
        phantom,
        Scanner(
            pixel_mm=0.8,
            slice_mm=slice_mm,
            offset_mm=(0.0, 0.0, phase * slice_mm),
            field_of_view_mm=FIELD_MM,
            **scanner,
        ),
        mask_offset_mm=offset,
    )


def measure(shot, ct=None):
    """Heights with a CT, by default the scan's own; and the compartments."""
    (level,) = build_compartments(
        shot.ct, shot.vertebrae, shot.bodies, levels=(Level.L3,), protocols=()
    )
    return measure_heights(level, ct or shot.ct), level


def errors_mm(found, shot) -> np.ndarray:
    truth = shot.truth.level(Level.L3)
    names = ("height_anterior_mm", "height_middle_mm", "height_posterior_mm")
    return np.array([getattr(found, n) - getattr(truth, n) for n in names])


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("tilt", [0.0, 10.0, 20.0, 30.0])
@pytest.mark.parametrize(("slice_mm", "limit"), [(1.0, 1.0), (5.0, 2.0)])
def test_heights_hold_at_every_grid_position(slice_mm, limit, tilt, phase):
    """The mask alone is wrong by up to 3 mm on 5 mm slices."""
    shot = shoot(slice_mm, phase=phase, tilt=tilt)
    found, _ = measure(shot)
    assert found.source is HeightSource.CT
    assert np.abs(errors_mm(found, shot)).max() <= limit


def test_the_ct_mends_what_the_masks_staircase_makes():
    """Upright on 3 mm slices the mask is 2.5 mm too high at one position of the grid."""
    shot = shoot(3.0, phase=0.5)
    found, level = measure(shot)
    mask = measure_heights(level)
    assert mask.source is HeightSource.MASK
    assert np.abs(errors_mm(mask, shot)).max() > 2.4
    assert np.abs(errors_mm(found, shot)).max() < 1.3
    assert found.uncertainty_mm < mask.uncertainty_mm


@pytest.mark.parametrize("offset", [-1.0, 1.0])
def test_a_mask_1_mm_too_large_or_small_does_not_move_heights(offset):
    """Segmenters' surfaces lie beside the bone's."""
    shot = shoot(1.0, tilt=10.0, offset=offset, noise_sd_hu=25.0)
    found, level = measure(shot)
    assert np.abs(errors_mm(found, shot)).max() < 0.5
    assert np.abs(errors_mm(measure_heights(level), shot)).max() > 1.3


@pytest.mark.parametrize(
    ("loss", "slice_mm", "tilt"),
    [(0.15, 1.0, 0.0), (0.25, 1.0, 20.0), (0.45, 5.0, 10.0), (0.25, 5.0, 0.0)],
)
@pytest.mark.parametrize("shape", ["wedge", "biconcave"])
def test_ordered_losses_get_their_grade(shape, loss, slice_mm, tilt):
    """15 % is none, 25 % is grade 2, 45 % is grade 3, on thin and thick slices."""
    found, _ = measure(shoot(slice_mm, phase=0.25, tilt=tilt, loss=loss, shape=shape))
    assert compare_heights(found).grade == {0.15: 0, 0.25: 2, 0.45: 3}[loss]


@pytest.mark.parametrize("codes", ["LPS", "PIR", "SAL"])
def test_heights_do_not_depend_on_orientation(codes):
    """The vertebra's own axes, whichever way the array runs."""
    shot = shoot(3.0, phase=0.25, tilt=10.0)
    turned = replace(
        shot,
        ct=shot.ct.reoriented(codes),
        vertebrae=shot.vertebrae.reoriented(codes),
        bodies=shot.bodies.reoriented(codes),
    )
    expected, found = (errors_mm(measure(s)[0], s) for s in (shot, turned))
    # other voxels are drawn for the fit, so equal to what that leaves open
    assert np.allclose(found, expected, atol=0.15)


def test_without_contrast_the_mask_is_read():
    """A CT that shows no edge says so by its source."""
    shot = shoot(1.0)
    flat = replace(shot.ct, array=np.full_like(shot.ct.array, 70))
    found, level = measure(shot, flat)
    assert found == measure_heights(level)
    assert found.source is HeightSource.MASK


def test_metal_in_the_body_leaves_the_mask():
    """Streaks are brighter than any end plate."""
    shot = shoot(1.0)
    _, level = measure(shot)
    beside = replace(level, excluded=level.vertebra & ~level.body)
    assert measure_heights(beside, shot.ct).source is HeightSource.CT
    one = np.zeros_like(level.body)
    one[tuple(np.argwhere(level.body)[0])] = True
    metal = replace(level, excluded=one)
    assert measure_heights(metal, shot.ct).source is HeightSource.MASK


def test_a_dense_spot_under_the_plate_is_not_the_plate():
    """Seen on the real example's L1: an edge that does not fit is not believed."""
    phantom = sclerosis(single_vertebra(Level.L3), Level.L3, hu=1200.0)
    shot = scan(phantom, Scanner(pixel_mm=0.8, slice_mm=3.0, field_of_view_mm=FIELD_MM))
    found, _ = measure(shot)
    assert found.source is HeightSource.MASK


def test_the_ct_elsewhere_is_not_read():
    """Crop then measure equals measure: only the band around the body counts."""
    shot = shoot(3.0, phase=0.25, tilt=10.0)
    found, level = measure(shot)
    far = np.array(shot.ct.array)
    i = level.box[0]
    far[: i.start] = 3000
    far[i.stop :] = 3000
    assert measure_heights(level, replace(shot.ct, array=far)) == found
