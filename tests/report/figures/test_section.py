"""Left is right, up is up, masks are where the voxels are: read off the arrays that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.report.figures.axial import common_size_mm, cut_axial
from osteoct.report.figures.coronal import cut_coronal
from osteoct.report.figures.sagittal import cut_sagittal
from osteoct.report.figures.section import Outline

MARKER_HU = 2000


@pytest.fixture
def marked(make):
    """Cut the pictures of one level whose CT holds a marker voxel at an offset from the centre."""

    def cut(offset):
        level = make.compartments(2, Level.L3)
        x, y, z = level.box
        centre = [(x.start + x.stop) // 2, y.start + 15, (z.start + z.stop) // 2]
        hu = np.full(make.shape, 40, dtype=np.int16)
        hu[tuple(c + o for c, o in zip(centre, offset, strict=True))] = MARKER_HU
        ct = make.ct(hu)
        return {
            "sagittal": cut_sagittal(ct, [level]),
            "coronal": cut_coronal(ct, [level]),
            "axial": cut_axial(ct, level, common_size_mm([level])),
        }

    return cut


def brightest(section):
    """Row and column of the brightest pixel, as fractions of the picture."""
    row, column = np.unravel_index(np.argmax(section.hu), section.hu.shape)
    assert section.hu[row, column] > 500
    return (row + 0.5) / section.hu.shape[0], (column + 0.5) / section.hu.shape[1]


def test_patients_left_is_on_the_right_of_axial_and_coronal(marked):
    """The radiological convention; RAS arrays grow to the patient's right."""
    pictures = marked((-6, 0, 0))
    for name in ("axial", "coronal"):
        assert brightest(pictures[name])[1] > 0.55
        assert (pictures[name].letters.left, pictures[name].letters.right) == ("R", "L")


def test_anterior_is_left_on_sagittal_and_up_on_axial(marked):
    """Array axis 1 grows to the front."""
    pictures = marked((0, 5, 0))
    assert brightest(pictures["sagittal"])[1] < 0.45
    assert brightest(pictures["axial"])[0] < 0.45
    assert (pictures["sagittal"].letters.left, pictures["axial"].letters.top) == ("A", "A")


def test_head_is_up(marked):
    """Array axis 2 grows to the head."""
    pictures = marked((0, 0, 2))
    for name in ("sagittal", "coronal"):
        assert brightest(pictures[name])[0] < 0.5
        assert (pictures[name].letters.top, pictures[name].letters.bottom) == ("H", "F")


def test_outlines_lie_on_the_bone_they_were_taken_from(make):
    """An outline beside its bone would be believed; so the bone is painted and compared."""
    level = make.compartments(1, Level.L2)
    hu = np.zeros(make.shape, dtype=np.int16)
    hu[level.box][level.body] = 900
    ct = make.ct(hu)
    sections = [
        cut_sagittal(ct, [level]),
        cut_coronal(ct, [level]),
        cut_axial(ct, level, common_size_mm([level])),
    ]
    for section in sections:
        np.testing.assert_array_equal(section.layers[0].areas[Outline.BODY], section.hu == 900)


def test_pixels_keep_the_voxels_proportions(marked, make):
    """With 5 mm slices a picture of square pixels would be squeezed to less than half."""
    pictures = marked((0, 0, 0))
    x, y, z = make.spacing_mm
    assert pictures["sagittal"].spacing_mm == (z, y)
    assert pictures["coronal"].spacing_mm == (z, x)
    assert pictures["axial"].spacing_mm == (y, x)


def test_a_level_at_the_border_keeps_its_place(make):
    """The window of an axial picture is shifted, not cut, where the image ends."""
    level = make.compartments(0, Level.L1, shift=-20)
    hu = np.zeros(make.shape, dtype=np.int16)
    hu[level.box][level.body] = 900
    section = cut_axial(make.ct(hu), level, common_size_mm([level]))
    np.testing.assert_array_equal(section.layers[0].areas[Outline.BODY], section.hu == 900)


def test_excluded_voxels_are_outlined(make):
    """Metal that was left out must be seen to be left out."""
    level = make.compartments(0, Level.L1)
    level.excluded[8:12, 10:14, 1:4] = True
    section = cut_axial(make.ct(), level, common_size_mm([level]))
    assert section.layers[0].areas[Outline.EXCLUDED].sum() == 16
