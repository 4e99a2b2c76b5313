"""Files to the process and back: no voxel moves, nothing without a meaning passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 -- its own examples do
from scipy.spatial.transform import Rotation

from osteoct.anatomy import Level
from osteoct.errors import GeometryError, SegmentationError
from osteoct.geometry import ORTHOGONAL_COSINE, Geometry
from osteoct.segment.spine_segment.exchange import CT_FILE, Handed, make_perpendicular
from osteoct.volume import CTVolume

FILES = ("levels.nii.gz", "parts.nii.gz")


def _ct(shear=0.0, codes="RAS"):
    """A CT whose every voxel differs, on a rotated grid far from the origin."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", [9, 4, -12], degrees=True).as_matrix()
    tilt = np.eye(3)
    tilt[0, 2] = shear
    affine[:3, :3] = affine[:3, :3] @ tilt @ np.diag([0.7, 0.8, 3.0])
    affine[:3, 3] = (-123.456, 98.7, -1040.2)
    values = np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8)
    return CTVolume(array=values, geometry=Geometry(shape=(6, 7, 8), affine=affine)).reoriented(
        codes
    )


def _answer(folder, levels_of, parts_of, *, shift_mm=0.0):
    """Read the CT and write labels as the package does: on the image's own grid, by SimpleITK."""
    image = sitk.ReadImage(str(folder / CT_FILE), sitk.sitkFloat32)
    values = sitk.GetArrayFromImage(image)
    for name, rule in zip(FILES, (levels_of, parts_of), strict=True):
        labels = sitk.GetImageFromArray(rule(values).astype(np.uint8))
        labels.CopyInformation(image)
        labels.SetOrigin([x + shift_mm for x in image.GetOrigin()])
        sitk.WriteImage(labels, str(folder / name), useCompression=True)


def _levels(values):
    """L1 below a value, L2 above, nothing at the ends: told by the HU, wherever they lie."""
    return np.where(values < 20, 0, np.where(values < 150, 20, np.where(values < 300, 21, 0)))


def _parts(values):
    """Every third value a body."""
    return np.where(_levels(values) > 0, np.where(values % 3 == 0, 2, 1), 0)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "IAL"])
@pytest.mark.parametrize("shear", [0.0, 0.9 * ORTHOGONAL_COSINE])
def test_every_voxel_comes_back_to_its_place(tmp_path, codes, shear):
    """Whatever the orientation, and with cosines as a header rounds them."""
    ct = _ct(shear, codes)
    handed = Handed.of(ct)
    handed.write(tmp_path)
    _answer(tmp_path, _levels, _parts)
    vertebrae, bodies = handed.read(tmp_path, *FILES)
    assert vertebrae.geometry == ct.geometry
    assert bodies.geometry == ct.geometry
    np.testing.assert_array_equal(vertebrae.array, _levels(ct.array))
    is_body = _parts(ct.array) == 2
    np.testing.assert_array_equal(bodies.array, np.where(is_body, _levels(ct.array), 0))
    assert vertebrae.structures[20].level is Level.L1
    assert bodies.structures[21].level is Level.L2


def test_float_images_keep_their_fractions(tmp_path):
    """HU that are no whole numbers are not rounded on their way."""
    ct = _ct()
    ct = replace(ct, array=ct.array.astype(np.float32) + np.float32(0.25))
    Handed.of(ct).write(tmp_path)
    image = sitk.ReadImage(str(tmp_path / CT_FILE), sitk.sitkFloat32)
    read = sitk.GetArrayFromImage(image).transpose(2, 1, 0)
    np.testing.assert_array_equal(read, ct.reoriented("LPS").array)


@pytest.mark.parametrize("codes", ["RAS", "PIR"])
def test_the_package_sees_the_patient_the_right_way_round(tmp_path, codes):
    """Trained networks know left from right: ITK's LPS coordinates are ours with x and y turned."""
    ct = _ct(codes=codes)
    Handed.of(ct).write(tmp_path)
    image = sitk.ReadImage(str(tmp_path / CT_FILE))
    orienter = sitk.DICOMOrientImageFilter()
    assert orienter.GetOrientationFromDirectionCosines(image.GetDirection()) == "LPS"
    for index in ((0, 0, 0), (5, 2, 1), (3, 6, 7)):
        x, y, z = image.TransformIndexToPhysicalPoint(index)
        there = np.rint(ct.geometry.to_index(np.array([-x, -y, z]))).astype(int)
        assert image.GetPixel(*index) == ct.array[tuple(there)]
        centre = ct.geometry.to_patient(there)
        np.testing.assert_allclose((-x, -y, z), centre, atol=1e-3)


def test_nothing_found_is_nothing(tmp_path):
    """Empty label maps are no segmentation."""
    handed = Handed.of(_ct())
    handed.write(tmp_path)
    _answer(tmp_path, np.zeros_like, np.zeros_like)
    assert handed.read(tmp_path, *FILES) is None


def test_without_bodies_there_are_none(tmp_path):
    """Bodies are then found by geometry, as for every other segmenter."""
    handed = Handed.of(_ct())
    handed.write(tmp_path)
    _answer(tmp_path, _levels, np.zeros_like)
    vertebrae, bodies = handed.read(tmp_path, *FILES)
    assert vertebrae.array.any()
    assert bodies is None


@pytest.mark.parametrize(
    ("levels_of", "shift_mm", "says"),
    [
        (lambda v: np.where(v > 9, 27, 0), 0.0, "a label without a meaning; found 27"),
        (_levels, 0.2, "labels on another grid than the CT"),
    ],
)
def test_what_cannot_be_understood_is_refused(tmp_path, levels_of, shift_mm, says):
    """A later version could write other numbers or grids: never taken as they come."""
    handed = Handed.of(_ct())
    handed.write(tmp_path)
    _answer(tmp_path, levels_of, _parts, shift_mm=shift_mm)
    with pytest.raises(SegmentationError) as caught:
        handed.read(tmp_path, *FILES)
    assert says in caught.value.line
    assert str(tmp_path) not in caught.value.line


def test_a_sheared_grid_is_refused():
    """The package knows rotations only: it would see another patient."""
    Handed.of(_ct(0.99 * ORTHOGONAL_COSINE))
    with pytest.raises(GeometryError, match="perpendicular"):
        Handed.of(_ct(1.01 * ORTHOGONAL_COSINE))


def test_making_axes_perpendicular_keeps_the_middle():
    """Half of the tilt goes to either end: less than a voxel on any CT."""
    geometry = _ct(0.9 * ORTHOGONAL_COSINE).geometry
    made = make_perpendicular(geometry)
    direction = made.direction
    np.testing.assert_allclose(direction.T @ direction, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(made.spacing_mm, geometry.spacing_mm, rtol=1e-12)
    middle = (np.array(geometry.shape) - 1) / 2
    np.testing.assert_allclose(made.to_patient(middle), geometry.to_patient(middle), atol=1e-9)
