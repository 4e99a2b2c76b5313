"""The canal is where the phantom put it, however the vertebra leans."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.canal import find_canal


@pytest.mark.parametrize(
    ("tilt", "lateral", "slice_mm"),
    [(0, 0, 1.0), (15, 0, 1.5), (30, 0, 3.0), (-20, 0, 1.5), (10, 15, 1.5), (30, 0, 5.0)],
)
def test_the_canal_is_found_whatever_the_tilt(make_vertebra, tilt, lateral, slice_mm):
    """Direction within 12 degrees of the truth and centre within 3 mm of the canal's axis.

    The hole's size hardly changes over a few degrees, so its direction is only a first estimate.
    """
    shot = make_vertebra(tilt, lateral, slice_mm)
    truth = shot.truth.level(Level.L3)
    canal = find_canal(shot.vertebrae.array == 29, shot.ct.geometry)
    assert canal is not None
    angle = np.degrees(np.arccos(canal.direction @ np.array(truth.superior)))
    assert angle < 12
    offset = canal.centre_mm - np.array(truth.canal_centre_mm)
    across = offset - (offset @ np.array(truth.superior)) * np.array(truth.superior)
    assert np.linalg.norm(across) < 3.0


def test_the_front_wall_is_the_canals(make_vertebra):
    """Half the canal's depth lies between its centre and its front wall."""
    shot = make_vertebra(0, 0, 1.0)
    truth = shot.truth.level(Level.L3)
    canal = find_canal(shot.vertebrae.array == 29, shot.ct.geometry)
    assert canal.front_mm == pytest.approx(truth.canal_depth_mm / 2, abs=1.5)


def test_without_an_arch_there_is_no_canal(make_vertebra):
    """A body alone has no hole; nothing is guessed."""
    shot = make_vertebra(0, 0, 1.5)
    assert find_canal(shot.bodies.array > 0, shot.ct.geometry) is None


def test_an_empty_mask_has_no_canal(make_vertebra):
    """Emptiness is not an error."""
    shot = make_vertebra(0, 0, 1.5)
    assert find_canal(np.zeros_like(shot.bodies.array, dtype=bool), shot.ct.geometry) is None
