"""Bone beside a body, outside its mask: told at its limits, and nowhere where it may be blood."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments, VertebraAxes
from osteoct.geometry import Geometry
from osteoct.quality.spurs import (
    LEAST_AREA_MM2,
    MOST_SHARE,
    SPUR_HU,
    Wall,
    check_spurs,
    judge_wall,
    measure_wall,
)
from osteoct.quality.surroundings import look_up_hu
from osteoct.records import Acquisition, Phase, Severity
from osteoct.volume import CTVolume


def wall(cells, *, hu=SPUR_HU, cell_mm2=4.0, shape=(38, 24)):
    """A wall of muscle with a dense strip of so many cells."""
    values = np.full(shape, 50.0)
    values.ravel()[:cells] = hu
    return Wall(
        points_mm=np.zeros((*shape, 3)), hu=values, area_mm2=np.full(shape, float(cell_mm2))
    )


AT_LIMIT = round(LEAST_AREA_MM2 / 4)
HALF_WALL = round(MOST_SHARE * 38 * 24)


@pytest.mark.parametrize(
    ("cells", "hu", "fires"),
    [
        (0, SPUR_HU, False),
        (AT_LIMIT - 1, SPUR_HU, False),
        (AT_LIMIT, SPUR_HU, True),
        (AT_LIMIT, SPUR_HU - 1, False),
        (HALF_WALL, SPUR_HU, True),
        (HALF_WALL + 1, SPUR_HU, False),
    ],
)
def test_limits(cells, hu, fires):
    """At the least area and at the limit of HU a spur; dense nearly all around is another fault."""
    found = judge_wall(Level.L3, wall(cells, hu=hu))
    assert (found is not None) is fires
    if found is not None:
        assert (found.code, found.severity) == ("bone-spur", Severity.INFO)
        assert found.evidence["area_mm2"] == pytest.approx(4 * cells)


def test_scattered_cells_are_noise():
    """As many cells apart from each other make no spur."""
    made = wall(0)
    made.hu[::4, ::4] = 400
    assert np.count_nonzero(made.hu > SPUR_HU) >= AT_LIMIT
    assert judge_wall(Level.L3, made) is None


def scene(*, spur_mm=0.0, level=Level.L3, spacing=(1.0, 1.0, 1.0), codes="RAS"):
    """A block of bone in muscle, with a ledge 24 mm wide and 12 mm high before its front."""
    size = (36, 30, 26)
    grid = Geometry.from_spacing(
        tuple(round((n + 40) / s) for n, s in zip(size, spacing, strict=True)), spacing
    )
    box = tuple(
        slice(round(20 / s), round((20 + n) / s)) for n, s in zip(size, spacing, strict=True)
    )
    hu = np.full(grid.shape, 50.0, np.float32)
    hu[box] = 250
    x, y, z = spacing
    front = box[1].stop
    hu[
        round(26 / x) : round(50 / x),
        front : front + round(spur_mm / y),
        round(24 / z) : round(36 / z),
    ] = 500
    step = grid.reorientation_to(codes)
    inside = np.zeros(grid.shape, dtype=bool)
    inside[box] = True
    mask, here = step.apply_to_array(inside), step.apply_to_geometry(grid)
    made = LevelCompartments(
        level=level,
        box=tuple(slice(0, n) for n in mask.shape),
        geometry=here,
        vertebra=mask,
        body=mask,
        axes=VertebraAxes(
            origin_mm=here.to_patient(np.argwhere(mask).mean(axis=0)),
            right=np.array([1.0, 0, 0]),
            anterior=np.array([0, 1.0, 0]),
            superior=np.array([0, 0, 1.0]),
        ),
        excluded=np.zeros(mask.shape, dtype=bool),
    )
    return CTVolume(array=step.apply_to_array(hu), geometry=here), made


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.75, 0.75, 3.0)])
@pytest.mark.parametrize("codes", ["RAS", "LPI"])
def test_a_ledge_is_found_where_it_is(spacing, codes):
    """Its area to a sixth, at the front, in any orientation; a clean wall is silent."""
    ct, level = scene(spur_mm=4.5, spacing=spacing, codes=codes)
    (found,) = check_spurs(ct, [level], Acquisition())
    assert found.evidence["area_mm2"] == pytest.approx(24 * 12, rel=0.17)
    assert found.place_mm == pytest.approx((37.5, 52, 29.5), abs=1.5)
    clean, level = scene(spacing=spacing, codes=codes)
    assert check_spurs(clean, [level], Acquisition()) == ()


@pytest.mark.parametrize(
    ("phase", "pixels", "looks"),
    [
        (None, None, True),
        (Phase.NATIVE, None, True),
        (Phase.PORTAL_VENOUS, Phase.PORTAL_VENOUS, True),
        (Phase.ARTERIAL, None, False),
        (Phase.CONTRAST, None, False),
        (None, Phase.ARTERIAL, False),
    ],
)
def test_blood_as_bright_as_bone(phase, pixels, looks):
    """The aorta lies on the bodies: where it may shine, a spur cannot be told."""
    ct, level = scene(spur_mm=4.0)
    told = Acquisition(phase=phase, phase_pixels=pixels)
    assert bool(check_spurs(ct, [level], told)) is looks


def test_neither_beside_ribs_nor_beside_metal():
    """Ribs and rods lie there; and without a body there is no wall."""
    ct, level = scene(spur_mm=4.0, level=Level.T12)
    assert check_spurs(ct, [level], Acquisition()) == ()
    ct, level = scene(spur_mm=4.0)
    metal = replace(level, excluded=level.vertebra)
    assert check_spurs(ct, [metal], Acquisition()) == ()
    assert measure_wall(ct, replace(level, body=None)) is None


def test_hu_are_looked_up_inside_the_image_only():
    """A ramp comes back to the digit, and what lies outside is no number."""
    grid = Geometry.from_spacing((10, 10, 10), (2.0, 2.0, 2.0))
    array = np.broadcast_to(np.arange(10.0)[:, None, None] * 10, (10, 10, 10)).astype(np.float32)
    points = np.array([[3.0, 4.0, 4.0], [-0.5, 4.0, 4.0], [18.0, 18.0, 18.0]])
    hu = look_up_hu(CTVolume(array=array, geometry=grid), points)
    assert hu[[0, 2]] == pytest.approx([15.0, 90.0])
    assert np.isnan(hu[1])
    assert np.isnan(look_up_hu(CTVolume(array=array, geometry=grid), points[1:2])).all()
