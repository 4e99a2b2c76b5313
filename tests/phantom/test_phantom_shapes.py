"""Implicit shapes against closed forms."""

from math import pi

import numpy as np
import pytest

from osteoct.phantom.lattice import Frame
from osteoct.phantom.shapes import (
    Capsule,
    Carved,
    Ellipsoid,
    EllipticCylinder,
    Placed,
    RoundedBox,
    Union,
    lattice_around,
    measure_volume_mm3,
)

TURNED = Frame.at((1.2, -3.4, 5.6), tilt_deg=25, lateral_deg=10, yaw_deg=40)

VOLUMES = {
    Capsule(half_length_mm=8, radius_mm=3): pi * 9 * 16 + 4 / 3 * pi * 27,
    Ellipsoid(semi_mm=(9, 6, 4)): 4 / 3 * pi * 9 * 6 * 4,
    EllipticCylinder(semi_mm=(9, 6), half_height_mm=7): pi * 9 * 6 * 14,
    # a box less its faces' margins, plus quarter cylinders along the edges, plus a ball
    RoundedBox(half_mm=(6, 5, 4), rounding_mm=2): (
        8 * 4 * 3 * 2 + 8 * 2 * (4 * 3 + 3 * 2 + 4 * 2) + 2 * pi * 4 * (4 + 3 + 2) + 4 / 3 * pi * 8
    ),
}


@pytest.mark.parametrize("primitive", VOLUMES, ids=lambda p: type(p).__name__)
def test_volume_equals_the_closed_form(primitive):
    """Coverage integrates to the volume whatever the orientation."""
    found = measure_volume_mm3(Placed(primitive=primitive, frame=TURNED), 0.3)
    assert found == pytest.approx(VOLUMES[primitive], rel=2e-3)


@pytest.mark.parametrize("primitive", VOLUMES, ids=lambda p: type(p).__name__)
def test_depth_is_a_distance_near_the_surface(primitive):
    """A shell of 1 mm is 1 mm thick only if the depth grows by 1 per mm across the surface."""
    shape = Placed(primitive=primitive)
    lattice = lattice_around(shape, 0.1)
    depth = shape.depth_over(lattice)
    gradient = np.sqrt(sum(g**2 for g in np.gradient(depth.astype(float), 0.1)))
    # edges, where the nearest face changes, have no gradient
    assert np.median(gradient[np.abs(depth) < 0.5]) == pytest.approx(1, abs=0.02)


def test_a_carved_shape_has_no_depth_in_its_hole():
    """The canal must stay free of bone."""
    block = Union(parts=(Placed(primitive=RoundedBox(half_mm=(9, 9, 4), rounding_mm=1)),))
    hole = Placed(primitive=EllipticCylinder(semi_mm=(5, 4), half_height_mm=30))
    carved = Carved(shape=block, hole=hole)
    found = measure_volume_mm3(block, 0.25) - measure_volume_mm3(carved, 0.25)
    assert found == pytest.approx(pi * 5 * 4 * 8, rel=3e-3)


def test_overlap_in_a_union_counts_once():
    """Pedicle and body overlap; their volume must not be counted twice."""
    ball = Placed(primitive=Ellipsoid(semi_mm=(5, 5, 5)))
    assert measure_volume_mm3(Union(parts=(ball, ball)), 0.3) == pytest.approx(
        measure_volume_mm3(ball, 0.3)
    )
