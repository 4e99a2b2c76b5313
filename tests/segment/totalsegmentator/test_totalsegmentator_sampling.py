"""The package's resampling without its copies: every voxel must be scipy's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from osteoct.segment.totalsegmentator import sampling
from osteoct.segment.totalsegmentator.sampling import nearest_indices, output_shape, zoom_linear

ZOOMS = st.tuples(*[st.floats(0.1, 4.0)] * 3)
SHAPES = st.tuples(*[st.integers(1, 30)] * 3)


def _image(shape, kind):
    values = np.random.default_rng(sum(shape)).uniform(-1024, 3071, shape)
    return values.astype(kind)


@settings(max_examples=150, deadline=None)
@given(shape=SHAPES, zoom=ZOOMS, kind=st.sampled_from([np.int16, np.float32, np.int32]))
def test_every_voxel_is_scipys(shape, zoom, kind):
    """One HU of difference moves a label; scipy is what the package calls."""
    if min(output_shape(shape, zoom)) < 1:
        return
    image = _image(shape, kind)
    wanted = ndimage.zoom(image.astype(np.float64), zoom, order=1, mode="nearest")
    assert np.array_equal(zoom_linear(image, zoom), wanted.astype(np.int32))


@settings(max_examples=100, deadline=None)
@given(old=st.integers(1, 400), new=st.integers(1, 400))
def test_labels_go_back_as_scipy_takes_them(old, new):
    """A label moved by one voxel would be a surface moved by one voxel."""
    rows = np.arange(old, dtype=np.float64)
    wanted = ndimage.zoom(rows, new / old, order=0, mode="nearest")
    if len(wanted) == new:
        assert np.array_equal(nearest_indices(old, new), wanted)


def test_slabs_do_not_show(monkeypatch):
    """A large image is made in slabs, each from all of the old one."""
    image = _image((21, 17, 13), np.int16)
    whole = zoom_linear(image, (2.3, 0.7, 1.9))
    monkeypatch.setattr(sampling, "SLAB_VOXELS", 200)
    assert np.array_equal(zoom_linear(image, (2.3, 0.7, 1.9)), whole)


def test_views_are_read_as_they_lie():
    """Images come as views of a file, flipped and with axes exchanged."""
    image = _image((9, 14, 11), np.int16)
    view = image.transpose(2, 0, 1)[::-1]
    assert np.array_equal(
        zoom_linear(view, (0.6, 1.4, 0.9)), zoom_linear(view.copy(), (0.6, 1.4, 0.9))
    )


@pytest.mark.parametrize("is_same", [True, False])
def test_a_machine_whose_arithmetic_differs_uses_scipy(is_same, monkeypatch):
    """Processors that fuse a product with a sum round once less."""
    calls = []
    monkeypatch.setattr(sampling, "is_exact", lambda: is_same)
    scipys = sampling._zoom_by_scipy
    monkeypatch.setattr(sampling, "_zoom_by_scipy", lambda a, z: calls.append(1) or scipys(a, z))
    image = _image((8, 9, 10), np.int16)
    zoomed = zoom_linear(image, (0.5, 0.5, 0.5))
    assert bool(calls) is not is_same
    assert np.array_equal(zoomed, scipys(image, (0.5, 0.5, 0.5)).astype(np.int32))
