"""The bent plane meets every body, however the spine runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.compartments.level import VertebraAxes
from osteoct.geometry import Geometry
from osteoct.report.figures.coronal import cut_coronal
from osteoct.report.figures.curve import body_centre, follow
from osteoct.report.figures.sagittal import cut_sagittal
from osteoct.report.figures.section import Outline

SCOLIOSIS = (-14, -4, 0, 8, 16)


@pytest.fixture
def curved(make):
    """Bodies that lie up to 60 mm apart sideways, painted into the CT."""
    levels = [
        make.compartments(n, level, shift=shift)
        for n, (level, shift) in enumerate(zip(LUMBAR, SCOLIOSIS, strict=True))
    ]
    hu = np.zeros(make.shape, dtype=np.int16)
    for level in levels:
        hu[level.box][level.body] = 900
    return make.ct(hu), levels


def test_every_body_of_a_curved_spine_is_in_both_pictures(curved):
    """A straight sagittal plane would miss the outer bodies of this spine altogether."""
    ct, levels = curved
    for section in (cut_sagittal(ct, levels), cut_coronal(ct, levels)):
        for layer in section.layers:
            area = layer.areas[Outline.BODY]
            assert area.sum() >= 5 * 14
            assert (section.hu[area] == 900).mean() > 0.9


def test_levels_stand_in_order_from_the_head(curved):
    """Names are written where the layers lie."""
    section = cut_sagittal(*curved)
    rows = [np.nonzero(layer.areas[Outline.BODY])[0].mean() for layer in section.layers]
    assert rows == sorted(rows)


def test_plane_runs_through_centres_and_stays_inside_the_image(make):
    """Halfway between two bodies the plane is halfway; beyond the last it goes straight on."""
    levels = [make.compartments(0, Level.L1, shift=-4), make.compartments(1, Level.L2, shift=4)]
    upper, lower = (body_centre(level) for level in levels)
    slices = np.array([0, int(lower[2]), int((lower[2] + upper[2]) / 2), int(upper[2]), 45])
    at = follow(levels, slices, across=0, size=make.shape[0])
    np.testing.assert_allclose(at[[0, 1, 3, 4]], [lower[0], lower[0], upper[0], upper[0]])
    assert upper[0] < at[2] < lower[0]


def test_centre_is_the_bodys_not_the_vertebras(make):
    """The spinous process would draw the coronal plane into the canal."""
    level = make.compartments(0, Level.L1)
    x, y, z = level.box
    np.testing.assert_allclose(
        body_centre(level),
        [(x.start + x.stop - 1) / 2, y.start + 8 + 6.5, (z.start + z.stop - 1) / 2],
    )


def test_centre_of_the_vertebras_own_axes_is_preferred(make):
    """The axes' origin is in patient space; the box does not start at the image's corner."""
    level = make.compartments(1, Level.L2)
    index = np.array([25.0, 33.0, 20.5])
    right, anterior, superior = np.eye(3)
    axes = VertebraAxes(
        origin_mm=Geometry.from_spacing(make.shape, make.spacing_mm).to_patient(index),
        right=right,
        anterior=anterior,
        superior=superior,
    )
    np.testing.assert_allclose(body_centre(replace(level, axes=axes)), index)
