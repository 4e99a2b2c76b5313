"""Space is a type: these are the promises every other module leans on."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoct.errors import GeometryError
from osteoct.geometry import SAME_GRID_MM, Geometry, grown, reorientation

CODES = [
    "".join(codes)
    for lines in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*lines)
]


def tilted(degrees: float = 20.0) -> Geometry:
    """A grid turned about the left-right axis, with three different spacings."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.diag([0.7, 0.8, 2.5])
    affine[:3, 3] = (-11.0, 5.0, 700.0)
    return Geometry(shape=(4, 5, 6), affine=affine)


@pytest.mark.parametrize("codes", CODES)
def test_axis_codes_are_nibabels(codes):
    """Another library, nibabel, names axes too; all 48 orientations agree with it."""
    geometry = tilted().reorientation_to(codes).apply_to_geometry(tilted())
    assert geometry.axis_codes == codes
    assert "".join(nib.aff2axcodes(geometry.affine)) == codes


@pytest.mark.parametrize("codes", CODES)
def test_reorienting_moves_no_voxel_in_space(codes):
    """A voxel keeps its patient coordinates under any reorientation, and the inverse undoes it."""
    geometry = tilted()
    step = geometry.reorientation_to(codes)
    index = np.arange(np.prod(geometry.shape)).reshape(geometry.shape)
    turned, new = step.apply_to_array(index), step.apply_to_geometry(geometry)
    place = np.array(np.unravel_index(turned.ravel(), geometry.shape)).T
    here = np.array(np.unravel_index(np.arange(turned.size), new.shape)).T
    assert np.allclose(geometry.to_patient(place), new.to_patient(here))
    assert np.array_equal(step.inverse.apply_to_array(turned), index)
    assert step.inverse.apply_to_geometry(new).is_same_grid(geometry, 1e-9)


@pytest.mark.parametrize("codes", CODES)
def test_a_turned_grid_is_recognised(codes):
    """Two files of one grid in different orientation need no resampling."""
    geometry = tilted()
    turned = geometry.reorientation_to(codes).apply_to_geometry(geometry)
    step = turned.reorientation_onto(geometry)
    assert step is not None
    assert step.apply_to_geometry(turned).is_same_grid(geometry)


def test_a_shifted_grid_is_not_the_same():
    """Half a voxel of shift is another grid; no permutation may hide it."""
    geometry = tilted()
    affine = geometry.affine.copy()
    affine[0, 3] += 0.35
    assert Geometry(shape=geometry.shape, affine=affine).reorientation_onto(geometry) is None


@pytest.mark.parametrize(("row", "column"), list(itertools.product(range(3), range(4))))
def test_one_changed_attribute_makes_geometries_unequal(row, column):
    """Equality is exact in every number of the affine and in the shape."""
    geometry = tilted()
    affine = geometry.affine.copy()
    affine[row, column] += 1e-3
    assert Geometry(shape=geometry.shape, affine=affine) != geometry
    assert Geometry(shape=geometry.shape, affine=geometry.affine) == geometry
    assert Geometry(shape=(4, 5, 7), affine=geometry.affine) != geometry


@pytest.mark.parametrize(
    ("shift", "same"), [(SAME_GRID_MM * 0.99, True), (SAME_GRID_MM * 1.01, False)]
)
def test_same_grid_ends_at_its_limit(shift, same):
    """The tolerance is a distance in mm and fires at its value."""
    geometry = tilted()
    affine = geometry.affine.copy()
    affine[2, 3] += shift
    assert Geometry(shape=geometry.shape, affine=affine).is_same_grid(geometry) is same


@given(point=st.tuples(*[st.floats(-500, 500)] * 3))
def test_patient_and_index_are_inverse(point):
    """Going to the index and back ends where it began."""
    geometry = tilted()
    assert np.allclose(geometry.to_patient(geometry.to_index(np.array(point))), point, atol=1e-9)


def test_cropping_keeps_places():
    """The first voxel of a crop lies where it lay."""
    geometry = tilted()
    crop = geometry.cropped((slice(1, 3), slice(2, 5), slice(3, 6)))
    assert crop.shape == (2, 3, 3)
    assert np.allclose(crop.to_patient(np.zeros(3)), geometry.to_patient(np.array([1, 2, 3])))


def test_volume_and_spacing_of_a_tilted_grid():
    """Spacing and voxel volume come from the columns, not from the diagonal."""
    geometry = tilted(30)
    assert geometry.spacing_mm == pytest.approx((0.7, 0.8, 2.5))
    assert geometry.voxel_volume_mm3 == pytest.approx(0.7 * 0.8 * 2.5)
    assert geometry.is_orthogonal
    assert geometry.slice_axis == 2


def test_shear_is_seen():
    """Gantry tilt makes voxels that are no boxes."""
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[1, 2] = 0.5
    assert not Geometry(shape=(3, 3, 3), affine=affine).is_orthogonal


@pytest.mark.parametrize(
    ("shape", "affine"),
    [
        ((2, 2), np.eye(4)),
        ((2, 0, 2), np.eye(4)),
        ((2, 2, 2), np.eye(3)),
        ((2, 2, 2), np.diag([1, 1, 0, 1])),
        ((2, 2, 2), np.diag([1, 1, np.nan, 1])),
        ((2, 2, 2), np.diag([1, 1, 1, 2])),
    ],
)
def test_impossible_grids_are_refused(shape, affine):
    """A grid without volume or with a broken affine cannot be built."""
    with pytest.raises(GeometryError, match="bad"):
        Geometry(shape=shape, affine=affine)


def test_bad_orientation_is_refused():
    """Two letters of one axis are no orientation."""
    with pytest.raises(GeometryError, match="RAR"):
        reorientation("RAS", "RAR")


def test_growing_stays_inside():
    """A grown box ends at the grid's edge."""
    box = (slice(1, 3), slice(4, 5), slice(0, 2))
    assert grown(box, (2, 1, 1), (10, 5, 10)) == (slice(0, 5), slice(3, 5), slice(0, 3))
