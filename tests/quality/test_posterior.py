"""Arches that are cut off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.geometry import Geometry
from osteoct.quality.posterior import LEAST_REACH, check_arches, measure_reach
from osteoct.records import Reason, Severity

DEPTH = 100


def vertebra(reach: int, name: str = "L3") -> LevelCompartments:
    """A body 100 voxels deep with a rod behind it, so many voxels long."""
    mask = np.zeros((8, DEPTH + 200, 8), dtype=bool)
    body = mask.copy()
    body[:, 200:] = True
    mask[3:5, 200 - reach : 200, 3:5] = True
    grid = Geometry.from_spacing(mask.shape, (0.3, 0.3, 0.3))
    return LevelCompartments(
        level=Level[name],
        box=tuple(slice(0, n) for n in mask.shape),
        geometry=grid,
        vertebra=mask | body,
        body=body,
        axes=VertebraAxes(
            origin_mm=grid.to_patient(np.argwhere(body).mean(axis=0)),
            right=np.array([1.0, 0, 0]),
            anterior=np.array([0, 1.0, 0]),
            superior=np.array([0, 0, 1.0]),
        ),
        excluded=np.zeros_like(mask),
    )


def test_reach_is_length_over_depth():
    """By voxel counts: the walls are the first and the last percentile of the body's depth."""
    assert measure_reach(vertebra(130)) == pytest.approx(131 / 98, abs=0.03)
    assert measure_reach(vertebra(0)) == 0


@pytest.mark.parametrize(("share", "fires"), [(0.9, True), (1.1, False)])
def test_fires_below_the_limit(share, fires):
    """A short arch is told with its level and place."""
    found = check_arches([vertebra(round(LEAST_REACH * share * DEPTH))])
    assert [(f.code, f.severity) for f in found] == (
        [("arch-cut", Severity.WARNING)] if fires else []
    )
    assert all(f.place_mm is not None for f in found)


def test_exactly_at_the_limit_is_long_enough(monkeypatch):
    """The limit itself is wanted."""
    level = vertebra(60)
    monkeypatch.setattr("osteoct.quality.posterior.LEAST_REACH", measure_reach(level))
    assert check_arches([level]) == ()


def test_other_regions_and_cut_levels_are_left_alone():
    """Thoracic processes point down; what the border cuts is told by another finding."""
    assert check_arches([vertebra(10, "T9")]) == ()
    cut = {("body-core-4", "body"): Reason.CUT_BY_BORDER}
    assert check_arches([replace(vertebra(10), reasons=cut)]) == ()
    assert check_arches([replace(vertebra(10), body=None)]) == ()
    assert check_arches([replace(vertebra(10), axes=None)]) == ()
