"""The mark points at the voxel that the finding is about, also at the image's edge."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.errors import GeometryError
from osteoct.report.figures.place import SIZE_MM, cut_place, draw_place
from osteoct.report.figures.section import Outline

MARKER_HU = 2000


@pytest.fixture
def marked(make):
    """A CT with one bright voxel, and the voxel's place in mm."""

    def mark(index):
        hu = np.full(make.shape, 40, dtype=np.int16)
        hu[index] = MARKER_HU
        ct = make.ct(hu)
        place = ct.geometry.to_patient(np.asarray(index, dtype=float))
        return ct, tuple(float(v) for v in place)

    return mark


@pytest.mark.parametrize("index", [(30, 32, 23), (0, 0, 0), (59, 63, 45), (30, 2, 44)])
def test_the_place_is_where_the_voxel_is_drawn(marked, spine, index):
    """In the middle of the image and at each of its ends."""
    ct, place = marked(index)
    section, (x, y) = cut_place(ct, spine.compartments, place)
    row, column = (int(v // step) for v, step in zip((y, x), section.spacing_mm, strict=True))
    assert section.hu[row, column] == MARKER_HU
    assert (section.hu == MARKER_HU).sum() == 1
    assert section.size_mm == pytest.approx((SIZE_MM, SIZE_MM), abs=2.5)


def test_a_place_outside_is_drawn_at_the_edge(marked, spine):
    """A finding may lie beside what was scanned."""
    ct, (x, y, z) = marked((30, 32, 45))
    section, (_, down) = cut_place(ct, spine.compartments, (x, y, z + 100))
    assert down == pytest.approx(section.spacing_mm[0] / 2)


def test_outlines_are_those_of_the_levels_in_the_picture(marked, spine, make):
    """Each mask as large as in the slice that is shown; levels elsewhere have no layer."""
    box = make.box_of(2)
    centre = tuple((s.start + s.stop) // 2 for s in box)
    ct, place = marked(centre)
    section, _ = cut_place(ct, spine.compartments, place)
    layers = {layer.level: layer.areas for layer in section.layers}
    assert set(layers) == {"L2", "L3", "L4"}
    level = spine.compartments[2]
    shown = level.vertebra[centre[0] - box[0].start]
    assert layers["L3"][Outline.VERTEBRA].sum() == shown.sum() > 0
    assert set(layers["L3"]) == {Outline.VERTEBRA, Outline.BODY, Outline.CORE}


def test_the_mark_leaves_the_place_free(marked, spine):
    """Four strokes around it, none over it."""
    ct, place = marked((30, 32, 23))
    _, (x, y) = cut_place(ct, spine.compartments, place)
    axes = draw_place(ct, spine.compartments, place).axes[0]
    strokes = [line for line in axes.lines if line.get_color() == "#ff8a3d"]
    ends = [np.column_stack([line.get_xdata(), line.get_ydata()]) for line in strokes]
    near = [np.linalg.norm(end - (x, y), axis=1).min() for end in ends]
    assert near == pytest.approx([3.5] * 4)


def test_a_mirrored_picture_is_refused(spine, make):
    """The letters would be wrong."""
    with pytest.raises(GeometryError):
        cut_place(make.ct(codes="LPS"), spine.compartments, (0.0, 0.0, 0.0))
