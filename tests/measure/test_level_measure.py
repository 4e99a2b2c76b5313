"""One level's numbers against voxel counts and constant images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.measure.level import absent_level, measure_level
from osteoct.protocols import BODY_CORE_4, PROTOCOLS, VERTEBRA_CORE_3_5, Region
from osteoct.records import Reason
from osteoct.volume import CTVolume

ALL = tuple(PROTOCOLS.values())
KEY = (VERTEBRA_CORE_3_5.id, Region.VERTEBRA)


def make(hu: np.ndarray, mask: np.ndarray, excluded: np.ndarray | None = None):
    geometry = Geometry.from_spacing(hu.shape, (0.5, 1.0, 2.5))
    level = LevelCompartments(
        level=Level.L2,
        box=(slice(None), slice(None), slice(None)),
        geometry=geometry,
        vertebra=mask,
        excluded=np.zeros_like(mask) if excluded is None else excluded,
        regions={KEY: mask},
        reasons={(p.id, r): Reason.EMPTY_CORE for p in ALL for r in p.regions if (p.id, r) != KEY},
    )
    return CTVolume(array=hu, geometry=geometry), level


def test_volume_is_the_voxel_count_exactly():
    """Volume is voxels × voxel volume: 60 voxels of 1.25 mm³."""
    mask = np.zeros((6, 6, 6), dtype=bool)
    mask[1:4, 1:5, 0:5] = True
    result = measure_level(*make(np.full(mask.shape, 100, dtype=np.int16), mask), ALL)
    region = result.region(*KEY)
    assert region.voxels == 60
    assert region.volume_cm3 == pytest.approx(60 * 0.5 * 1.0 * 2.5 / 1000, rel=1e-12)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_zero_and_negative_hu_are_measured(dtype):
    """Seen elsewhere: 0 HU is not background and fat is not to be dropped."""
    hu = np.array([-100, 0, 0, 500], dtype=dtype).reshape(4, 1, 1)
    result = measure_level(*make(hu, np.ones(hu.shape, dtype=bool)), ALL)
    assert result.region(*KEY).hu.mean_hu == 100.0


def test_extreme_hu_do_not_overflow():
    """Sums of int16 must not run in int16."""
    hu = np.full((30, 30, 30), 3000, dtype=np.int16)
    result = measure_level(*make(hu, np.ones(hu.shape, dtype=bool)), ALL)
    assert result.region(*KEY).hu.mean_hu == 3000.0


def test_excluded_voxels_take_space_but_give_no_hu():
    """Metal belongs to the volume and to no mean."""
    hu = np.full((4, 4, 4), 200, dtype=np.int16)
    hu[0] = 3000
    region = measure_level(*make(hu, np.ones(hu.shape, dtype=bool), hu > 2500), ALL).region(*KEY)
    assert (region.voxels, region.excluded_voxels) == (48, 16)
    assert region.hu.mean_hu == 200.0
    assert region.volume_cm3 == pytest.approx(64 * 1.25 / 1000)


def test_all_excluded_is_absent():
    """A region that is all metal has no number and says why."""
    hu = np.full((4, 4, 4), 3000, dtype=np.int16)
    mask = np.ones(hu.shape, dtype=bool)
    region = measure_level(*make(hu, mask, mask), ALL).region(*KEY)
    assert region.reason is Reason.ALL_EXCLUDED
    assert (region.volume_cm3, region.voxels, region.hu) == (None, None, None)


def test_absent_regions_keep_their_reasons():
    """Every protocol and region has a row, measured or not."""
    hu = np.zeros((4, 4, 4), dtype=np.int16)
    result = measure_level(*make(hu, np.ones(hu.shape, dtype=bool)), ALL)
    assert len(result.regions) == sum(len(p.regions) for p in ALL)
    assert result.region(BODY_CORE_4.id, Region.TRABECULAR).reason is Reason.EMPTY_CORE


def test_a_cut_level_has_no_heights():
    """The border cuts heights, too."""
    hu = np.zeros((4, 4, 4), dtype=np.int16)
    ct, level = make(hu, np.ones(hu.shape, dtype=bool))
    cut = replace(
        level,
        regions={},
        reasons={(p.id, r): Reason.CUT_BY_BORDER for p in ALL for r in p.regions},
    )
    result = measure_level(ct, cut, ALL)
    assert result.heights.reason is Reason.CUT_BY_BORDER
    assert not result.usable


def test_an_absent_level_is_not_zero():
    """Seen elsewhere: an empty mask became volume 0 and HU 0, and 0 is below every cut-off."""
    result = absent_level(Level.L1, ALL)
    assert not result.usable
    assert all(r.reason is Reason.LEVEL_ABSENT and r.hu is None for r in result.regions)
    assert all(r.volume_cm3 is None for r in result.regions)
