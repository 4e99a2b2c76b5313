"""Levels cut by the border: which face, and how much is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.quality.border import EXPECTED_SD, check_borders
from osteoct.records import Reason, Severity

SHAPE = (60, 60, 120)
GRID = Geometry.from_spacing(SHAPE, (1.0, 1.0, 1.0), (-30.0, -30.0, 0.0))
CUT = {("body-core-4", "body"): Reason.CUT_BY_BORDER}


def level(name: str, box) -> LevelCompartments:
    """A level that fills a box of the grid."""
    mask = np.ones([s.stop - s.start for s in box], dtype=bool)
    is_cut = any(s.start == 0 or s.stop == n for s, n in zip(box, SHAPE, strict=True))
    return LevelCompartments(
        level=Level[name],
        box=box,
        geometry=GRID.cropped(box),
        vertebra=mask,
        excluded=np.zeros_like(mask),
        reasons=CUT if is_cut else {},
    )


WHOLE = (slice(10, 50), slice(10, 50), slice(60, 90))
FACES = {
    "left": (slice(0, 20), slice(10, 50), slice(60, 90)),
    "right": (slice(40, 60), slice(10, 50), slice(60, 90)),
    "back": (slice(10, 50), slice(0, 20), slice(60, 90)),
    "front": (slice(10, 50), slice(40, 60), slice(60, 90)),
    "lower": (slice(10, 50), slice(10, 50), slice(0, 15)),
    "upper": (slice(10, 50), slice(10, 50), slice(105, 120)),
}


@pytest.mark.parametrize("face", FACES)
def test_face_and_share(face):
    """Half of a level is missing, at one face: both are told, and the place lies on that face."""
    (found,) = check_borders(SHAPE, [level("L2", WHOLE), level("L1", FACES[face])])
    assert (found.code, found.severity, found.level) == (
        "cut-by-border",
        Severity.BLOCKING,
        Level.L1,
    )
    assert found.evidence["faces"] == face
    assert found.evidence["missing_share"] == pytest.approx(0.5)
    assert found.evidence["missing_within_share"] == pytest.approx(2 * EXPECTED_SD)
    assert face in found.message
    assert "50%" in found.message
    index = GRID.to_index(np.array(found.place_mm))
    at_face = np.minimum(index, np.array(SHAPE) - 1 - index)
    assert at_face.min() == pytest.approx(0)


def test_nothing_is_guessed_without_a_whole_neighbour():
    """Alone, a cut level does not say how large it was."""
    (found,) = check_borders(SHAPE, [level("L1", FACES["upper"])])
    assert found.evidence["missing_share"] is None
    assert "%" not in found.message


def test_more_than_the_neighbours_is_none_missing():
    """A cut level larger than its neighbours has no negative part missing."""
    small = replace(level("L2", WHOLE), vertebra=np.zeros((40, 40, 30), dtype=bool))
    small.vertebra[:5, :5, :5] = True
    (found,) = check_borders(SHAPE, [small, level("L1", FACES["upper"])])
    assert found.evidence["missing_share"] == 0


def test_whole_levels_are_not_accused():
    """One voxel from the border is whole."""
    near = (slice(1, 20), slice(1, 59), slice(1, 119))
    assert check_borders(SHAPE, [level("L1", near)]) == ()
