"""Frames and lattices of the phantoms."""

import numpy as np
import pytest

from osteoct.phantom.lattice import Frame, Lattice


@pytest.mark.parametrize("angles", [(0, 0, 0), (20, 0, 0), (0, 15, 0), (12, -7, 33)])
def test_a_frame_is_a_right_handed_rotation(angles):
    """A mirrored frame would exchange left and right without any error."""
    tilt, lateral, yaw = angles
    matrix = Frame.at((1, 2, 3), tilt_deg=tilt, lateral_deg=lateral, yaw_deg=yaw).matrix
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_positive_tilt_leans_forwards_and_positive_lateral_tilt_to_the_right():
    """The signs of the docstring are what the lordosis is built on."""
    assert Frame.at((0, 0, 0), tilt_deg=10).superior[1] > 0
    assert Frame.at((0, 0, 0), lateral_deg=10).superior[0] > 0
    assert Frame.at((0, 0, 0), yaw_deg=10).right[1] > 0


def test_coordinates_on_a_sheared_lattice_equal_the_matrix_product():
    """Coordinates are made of one-dimensional ramps; the plain product is the definition."""
    rng = np.random.default_rng(1)
    lattice = Lattice(
        shape=(3, 4, 5),
        origin_mm=rng.normal(size=3),
        steps_mm=np.eye(3) + 0.2 * rng.normal(size=(3, 3)),
    )
    frame = Frame.at((3, -2, 5), tilt_deg=20, lateral_deg=-8, yaw_deg=5)
    index = np.moveaxis(np.indices(lattice.shape), 0, -1)
    points = index @ lattice.steps_mm.T + lattice.origin_mm
    wanted = (points - np.array(frame.origin_mm)) @ frame.matrix
    found = np.stack(np.broadcast_arrays(*lattice.coordinates(frame)), axis=-1)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_refined_cells_share_their_cell_s_centre():
    """A shift of half a cell here would shift every image against its masks."""
    lattice = Lattice(
        shape=(2, 2, 2), origin_mm=np.array([5.0, 6, 7]), steps_mm=np.diag([1.0, 2, 3])
    )
    fine = lattice.refined((2, 3, 4))
    assert fine.shape == (4, 6, 8)
    first = np.moveaxis(np.indices((2, 3, 4)), 0, -1) @ fine.steps_mm.T + fine.origin_mm
    np.testing.assert_allclose(first.reshape(-1, 3).mean(axis=0), lattice.origin_mm)


def test_a_frame_along_two_points_points_from_the_first_to_the_second():
    """Screws and veins are built from end points."""
    frame = Frame.along((0, 0, 0), (0, -4, 3))
    np.testing.assert_allclose(frame.superior, (0, -0.8, 0.6))
    np.testing.assert_allclose(frame.origin_mm, (0, -2, 1.5))
    assert np.linalg.det(frame.matrix) == pytest.approx(1)
