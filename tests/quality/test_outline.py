"""Points on a mask's surface and the way out."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level, Part, Structure
from osteoct.compartments.case import build_compartments
from osteoct.geometry import Geometry
from osteoct.quality.outline import POINTS, look_up, sample_outline
from osteoct.volume import CTVolume, LabelVolume


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 3.0)])
def test_directions_of_a_ball_point_away_from_its_centre(spacing):
    """A closed form: the way out of a ball is that of the radius, staircase or not."""
    shape = tuple(round(60 / s) for s in spacing)
    grid = Geometry.from_spacing(shape, spacing)
    points = grid.to_patient(np.moveaxis(np.indices(shape), 0, -1))
    centre = np.array([30.0, 30.0, 30.0])
    ball = np.linalg.norm(points - centre, axis=-1) < 20
    labels = LabelVolume(
        array=ball.astype(np.uint8),
        geometry=grid,
        structures={1: Structure(name="L3", part=Part.VERTEBRA, level=Level.L3)},
    )
    ct = CTVolume(array=np.zeros(shape, dtype=np.int16), geometry=grid)
    (level,) = build_compartments(ct, labels, None, levels=[Level.L3], protocols=())
    outline = sample_outline(level, labels)
    away = grid.to_patient(outline.index) - centre
    radius = np.linalg.norm(away, axis=1)
    assert POINTS * 0.9 < len(away) <= POINTS + 3
    assert np.abs(radius - 20).max() < max(spacing)
    cosine = (away * outline.normal).sum(axis=1) / radius
    assert np.median(cosine) > np.cos(np.radians(15))
    assert cosine.min() > np.cos(np.radians(40))


def test_neighbours_and_borders_are_left_out(block_column):
    """Between two vertebrae that touch, and at the end of the image, there is no edge to read."""
    _, masks, levels = block_column(levels=("L1", "L2"), grown_mm=4.5)
    outline = sample_outline(levels[0], masks)
    lower = outline.index[outline.normal[:, 2] < -0.9]
    assert len(lower) == 0
    assert (outline.normal[:, 2] > 0.9).any()


def test_look_up_ends_at_the_border():
    """Beyond the array its border counts."""
    array = np.arange(8).reshape(2, 2, 2)
    places = np.array([[-5.0, 0.0, 0.0], [9.0, 9.0, 9.0], [0.4, 0.6, 0.0]])
    assert look_up(array, places).tolist() == [0, 7, 2]
