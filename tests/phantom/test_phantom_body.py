"""The vertebral body: closed forms against fine counts."""

import numpy as np
import pytest

from osteoct.errors import ConfigError
from osteoct.phantom.body import Body, CrossSection
from osteoct.phantom.lattice import Frame
from osteoct.phantom.shapes import Placed, lattice_around, measure_volume_mm3

SECTION = CrossSection(width_mm=47.5, depth_mm=34.0, exponent=2.8, bend_mm=4.5)

BODIES = {
    "block": Body(section=SECTION, height_anterior_mm=27, height_posterior_mm=27),
    "wedge": Body(section=SECTION, height_anterior_mm=18, height_posterior_mm=27),
    "hollow": Body(section=SECTION, height_anterior_mm=27, height_posterior_mm=27, dish_mm=4.5),
    "both": Body(section=SECTION, height_anterior_mm=28, height_posterior_mm=24, dish_mm=1.5),
    "cylinder": Body(
        section=CrossSection(width_mm=36, depth_mm=36),
        height_anterior_mm=25,
        height_posterior_mm=25,
    ),
}


@pytest.mark.parametrize("kind", BODIES)
def test_closed_form_volume_equals_a_fine_voxel_count(kind):
    """The truth of body volume rests on this formula alone."""
    shape = Placed(primitive=BODIES[kind], frame=Frame.at((0.1, 0.2, 0.3), tilt_deg=17))
    lattice = lattice_around(shape, 0.35)
    counted = (shape.depth_over(lattice) > 0).sum() * 0.35**3
    assert counted == pytest.approx(BODIES[kind].volume_mm3, rel=3e-3)
    assert measure_volume_mm3(shape, 0.35) == pytest.approx(BODIES[kind].volume_mm3, rel=1e-3)


@pytest.mark.parametrize("kind", BODIES)
def test_heights_are_where_the_record_says(kind):
    """Heights in the mid-sagittal plane, found by walking along z through the implicit shape."""
    body = BODIES[kind]
    section = body.section
    z = np.arange(-20, 20, 0.01, dtype=np.float32).reshape(1, 1, -1)
    zero = np.zeros((1, 1, 1), dtype=np.float32)
    wanted = {
        section.front_mm - 0.02: body.height_anterior_mm,
        section.middle_mm: body.height_middle_mm,
        section.back_mm + 0.02: body.height_posterior_mm,
    }
    for y, height in wanted.items():
        inside = body.depth_mm(zero, zero + np.float32(y), z) > 0
        assert inside.sum() * 0.01 == pytest.approx(height, abs=0.06)


def test_the_origin_is_the_centroid_of_the_section():
    """Closed-form volume under slanted end plates needs the plane's height at the centroid."""
    x, y = np.meshgrid(*(np.arange(-30, 30, 0.1, dtype=np.float32),) * 2, indexing="ij")
    inside = SECTION.depth_below_wall_mm(x, y) > 0
    assert abs(float(x[inside].mean())) < 0.01
    assert abs(float(y[inside].mean())) < 0.01
    assert inside.sum() * 0.01 == pytest.approx(SECTION.area_mm2, rel=1e-3)


def test_wall_distance_of_a_circle_is_exact():
    """The table of distances against the one section whose distances everybody knows."""
    x, y = np.meshgrid(*(np.linspace(-21, 21, 301, dtype=np.float32),) * 2, indexing="ij")
    depth = CrossSection(width_mm=36, depth_mm=36).depth_below_wall_mm(x, y)
    radius = np.hypot(x, y)
    # at the very centre the table's bilinear interpolation rounds off the cone's tip
    away = (radius > 1) & (radius < 22)
    np.testing.assert_allclose(depth[away], (18 - radius)[away], atol=0.01)


def test_a_body_without_height_is_refused():
    """A dish deeper than the body would give a negative middle height without a word."""
    with pytest.raises(ConfigError, match="needs height"):
        Body(section=SECTION, height_anterior_mm=10, height_posterior_mm=10, dish_mm=6)
