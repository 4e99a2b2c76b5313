"""Heights against the phantom's closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.case import build_compartments
from osteoct.measure.heights import measure_heights
from osteoct.phantom.acquisition import scan
from osteoct.phantom.defects import biconcave_fracture, crush_fracture, wedge_fracture
from osteoct.phantom.faults.variations import resized, scan_variation, vary
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import single_vertebra
from osteoct.records import HeightSource, Reason


def heights_and_truth(phantom, slice_mm=1.0):
    shot = scan(phantom, Scanner(pixel_mm=0.8, slice_mm=slice_mm))
    (level,) = build_compartments(
        shot.ct, shot.vertebrae, shot.bodies, levels=(Level.L3,), protocols=()
    )
    return measure_heights(level, shot.ct), shot.truth.level(Level.L3), level


def as_array(record) -> np.ndarray:
    return np.array(
        [record.height_anterior_mm, record.height_middle_mm, record.height_posterior_mm]
    )


@pytest.mark.parametrize("tilt", [0, 10, 20, 30])
@pytest.mark.parametrize("slice_mm", [0.6, 1.0, 1.5, 3.0, 5.0])
def test_heights_within_one_mm_or_half_a_slice(tilt, slice_mm):
    """The promise of the benchmark, whatever the tilt."""
    found, truth, _ = heights_and_truth(single_vertebra(tilt_deg=tilt), slice_mm)
    limit = max(1.0, slice_mm / 2) + 1e-6
    assert np.abs(as_array(found) - as_array(truth)).max() <= limit


@pytest.mark.parametrize(
    ("make", "loss", "limit"),
    [
        (wedge_fracture, 0.2, 1.0),
        (wedge_fracture, 0.45, 1.0),
        (crush_fracture, 0.2, 1.0),
        (crush_fracture, 0.45, 1.0),
        (biconcave_fracture, 0.2, 1.0),
        (biconcave_fracture, 0.3, 1.0),
        # the deeper the dish, the more the short line at its edge looks into it
        (biconcave_fracture, 0.45, 1.4),
    ],
)
def test_fractured_shapes_are_measured(make, loss, limit):
    """A wedge, a biconcave and a crushed body: the right height is low, within 1 mm."""
    phantom = make(single_vertebra(tilt_deg=10), Level.L3, height_loss=loss)
    found, truth, _ = heights_and_truth(phantom)
    assert np.abs(as_array(found) - as_array(truth)).max() <= limit


def test_height_is_not_the_width():
    """Seen elsewhere: a 28 mm body was measured 45 mm high along its longest axis."""
    found, truth, _ = heights_and_truth(single_vertebra())
    assert truth.width_mm > 40
    assert as_array(found).max() < 32


def test_without_a_body_there_is_no_height():
    """Absent with its reason, never 0."""
    _, _, level = heights_and_truth(single_vertebra())
    no_body = measure_heights(replace(level, body=None))
    assert no_body.reason is Reason.NO_BODY
    assert no_body.height_anterior_mm is None
    assert measure_heights(replace(level, axes=None)).reason is Reason.NOT_FOUND


def test_a_small_body_on_thick_slices_keeps_its_middle():
    """A parabola through two knots read half the height, a grade 3, in sound small bodies."""
    variation = vary(128)
    assert (variation.slice_mm, variation.size) == (4.0, 0.85)
    shot = scan_variation(variation)
    ct, vertebrae, bodies = (resized(v, 0.85) for v in (shot.ct, shot.vertebrae, shot.bodies))
    (level,) = build_compartments(ct, vertebrae, bodies, levels=(Level.L1,), protocols=())
    found = measure_heights(level, ct)
    truth = shot.truth.level(Level.L1).height_middle_mm * 0.85
    assert found.height_middle_mm == pytest.approx(truth, abs=found.uncertainty_mm)


def test_a_body_with_a_gap_is_read_from_its_mask():
    """A body mask cut from side to side has no plates to look beside; NaN is no height."""
    _, _, level = heights_and_truth(single_vertebra())
    shot = scan(single_vertebra(), Scanner(pixel_mm=0.8, slice_mm=1.0))
    body = level.body.copy()
    lanes = np.flatnonzero(body.any(axis=(0, 2)))
    middle = int(lanes[len(lanes) // 2])
    body[:, middle - 2 : middle + 2] = False
    found = measure_heights(replace(level, body=body), shot.ct)
    assert found.source is HeightSource.MASK
    assert np.isfinite(as_array(found)).all()
