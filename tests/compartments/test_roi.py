"""The axial ellipse avoids cortex and vein, and is absent where it does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.axes import in_frame, vertebra_axes
from osteoct.compartments.depth import core_of
from osteoct.compartments.roi import LEAST_AREA_MM2, SLAB_HALF_MM, axial_ellipse
from osteoct.phantom.acquisition import scan
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine
from osteoct.protocols import Membership


def ellipse_of(shot, depth_mm=4.0):
    body = shot.bodies.array == 22
    geometry = shot.ct.geometry
    posterior = (shot.vertebrae.array == 29) & ~body
    axes = vertebra_axes(body, posterior, geometry)
    core = core_of(body, geometry.spacing_mm, depth_mm=depth_mm, membership=Membership.WHOLE_VOXEL)
    return axial_ellipse(body, core, axes, geometry, depth_mm=depth_mm), core, axes


@pytest.mark.parametrize("tilt", [0, 20, 30])
@pytest.mark.parametrize("slice_mm", [1.0, 3.0, 5.0])
def test_the_ellipse_lies_in_the_core_and_the_slab(make_vertebra, tilt, slice_mm):
    """Every voxel is core, and its centre lies in the mid-body slab."""
    shot = make_vertebra(tilt, 0, slice_mm)
    ellipse, core, axes = ellipse_of(shot)
    assert ellipse is not None
    assert not (ellipse & ~core).any()
    local = in_frame(shot.ct.geometry.to_patient(np.argwhere(ellipse)), axes)
    assert np.abs(local[:, 2]).max() <= max(SLAB_HALF_MM, slice_mm / 2)
    assert np.abs(local[:, 0].mean()) < 1.5
    assert local[:, 1].mean() > 0


def test_the_vein_is_left_out():
    """With a basivertebral vein of 20 HU in the body the ellipse still reads the trabecular HU."""
    spine = lumbar_spine(
        BoneMake(has_vein=True), levels=(Level.L3,), has_t12=False, has_sacrum=False
    )
    shot = scan(spine, Scanner(pixel_mm=1.0, slice_mm=1.5))
    ellipse, core, _ = ellipse_of(shot)
    true = shot.truth.level(Level.L3).trabecular_hu
    hu = shot.ct.hu()
    assert hu[ellipse].mean() == pytest.approx(true, abs=0.5)
    assert hu[core].mean() < true - 0.5


def test_where_no_ellipse_fits_there_is_none(make_vertebra):
    """A depth that leaves no room gives nothing, not something smaller."""
    shot = make_vertebra(0, 0, 1.5)
    ellipse, _, _ = ellipse_of(shot, depth_mm=15.0)
    assert ellipse is None
    assert LEAST_AREA_MM2 > 0
