"""The column is what numbering, order and repair reason about: places and sizes must be exact."""

import numpy as np
import pytest

from osteoct.anatomy import Level, Part, Structure
from osteoct.compartments.column import stand_column
from osteoct.geometry import Geometry
from osteoct.volume import LabelVolume

STRUCTURES = {
    1: Structure(name="vertebrae_L2", part=Part.VERTEBRA, level=Level.L2),
    2: Structure(name="vertebrae_L1", part=Part.VERTEBRA, level=Level.L1),
    3: Structure(name="sacrum", part=Part.SACRUM),
    4: Structure(name="liver", part=Part.OTHER),
    5: Structure(name="vertebrae_L3", part=Part.VERTEBRA, level=Level.L3),
    6: Structure(name="L1 again", part=Part.VERTEBRA, level=Level.L1),
}
SPACING_MM = (1.0, 2.0, 3.0)


def make_labels() -> LabelVolume:
    """Boxes of known size and place; L3 has no voxel."""
    array = np.zeros((20, 20, 20), dtype=np.uint8)
    array[4:8, 4:6, 10:12] = 1
    array[4:8, 4:6, 14:16] = 2
    array[0:10, 4:6, 0:4] = 3
    array[12:20, 12:20, 12:20] = 4
    array[4:5, 4:5, 18:19] = 6
    geometry = Geometry.from_spacing(array.shape, SPACING_MM)
    return LabelVolume(array=array, geometry=geometry, structures=STRUCTURES)


def test_bones_are_named_in_order_with_size_and_place() -> None:
    """Counted by hand: 16 voxels of 6 mm³, centre between the voxel centres of the box."""
    column = stand_column(make_labels())
    assert column.levels == (Level.L1, Level.L2)
    bone = column.bone(Level.L2)
    assert bone is not None
    assert bone.label == 1
    assert bone.voxels == 16
    assert bone.volume_cm3 == pytest.approx(16 * 6 / 1000)
    expected = make_labels().geometry.to_patient(np.array([5.5, 4.5, 10.5]))
    np.testing.assert_allclose(bone.centre_mm, expected)
    assert bone.is_whole


def test_what_is_not_there_is_absent() -> None:
    """A level of the label table without a voxel is no bone; neither is a liver."""
    column = stand_column(make_labels())
    assert column.bone(Level.L3) is None
    assert all(bone.label != 4 for bone in column.vertebrae)


def test_the_sacrum_is_apart_and_its_cut_is_told() -> None:
    """The sacrum anchors the numbering; the border of the image cuts it in most scans."""
    sacrum = stand_column(make_labels()).sacrum
    assert sacrum is not None
    assert sacrum.level is None
    assert sacrum.faces == ("low 0", "low 2")
    assert not sacrum.is_whole


def test_the_larger_of_two_labels_of_one_level_counts() -> None:
    """A crumb under a second name must not stand for the vertebra."""
    bone = stand_column(make_labels()).bone(Level.L1)
    assert bone is not None
    assert bone.label == 2


@pytest.mark.parametrize("codes", ["LPS", "PIR", "SAL"])
def test_orientation_changes_no_place(codes: str) -> None:
    """Places are in patient space."""
    plain, turned = (stand_column(v) for v in (make_labels(), make_labels().reoriented(codes)))
    for one, other in zip(plain.vertebrae, turned.vertebrae, strict=True):
        assert one.level is other.level
        assert one.voxels == other.voxels
        np.testing.assert_allclose(one.centre_mm, other.centre_mm, atol=1e-9)
