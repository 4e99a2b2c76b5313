"""Metal, padding and air under a mask."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.exclusions import METAL_HU, find_excluded
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.quality.artefacts import AIR_HU, AIR_SHARE, check_artefacts
from osteoct.records import Severity
from osteoct.volume import CTVolume

SHAPE = (30, 30, 30)
BOX = (slice(5, 25), slice(5, 25), slice(5, 25))


def found(array: np.ndarray, padding_hu: float | None = None):
    grid = Geometry.from_spacing(SHAPE, (1, 1, 1))
    ct = CTVolume(array=array, geometry=grid, padding_hu=padding_hu)
    level = LevelCompartments(
        level=Level.L4,
        box=BOX,
        geometry=grid.cropped(BOX),
        vertebra=np.ones((20, 20, 20), dtype=bool),
        excluded=find_excluded(ct, BOX),
    )
    return check_artefacts(ct, [level])


def bone() -> np.ndarray:
    return np.full(SHAPE, 200, dtype=np.int16)


def test_bone_has_no_artefact():
    """Dense bone at the metal limit is bone."""
    array = bone()
    array[15, 15, 15] = METAL_HU
    assert found(array) == ()


def test_metal_in_the_level_blocks():
    """One voxel above the limit inside the mask."""
    array = bone()
    array[15, 15, 15] = METAL_HU + 1
    (finding,) = found(array)
    assert (finding.code, finding.severity) == ("metal", Severity.BLOCKING)
    assert finding.evidence["metal_voxels"] == 1
    assert 0.4 < finding.evidence["excluded_share"] < 0.55  # a ball of 10 mm in a box of 20 mm


def test_metal_beside_the_level_warns():
    """A neighbour's screw takes voxels away but does not forbid the rest."""
    array = bone()
    array[2, 15, 15] = 3000
    (finding,) = found(array)
    assert (finding.code, finding.severity) == ("metal", Severity.WARNING)


def test_padding_blocks_and_is_not_called_metal():
    """Voxels never measured are their own finding."""
    array = bone()
    array[:7] = -2000
    (finding,) = found(array, padding_hu=-2000.0)
    assert (finding.code, finding.severity) == ("padding-in-mask", Severity.BLOCKING)
    assert finding.evidence["padding_voxels"] == 2 * 400


@pytest.mark.parametrize(("extra", "fires"), [(-20, False), (20, True)])
def test_a_mask_over_air_blocks(extra, fires):
    """Five per cent of air: the mask of another scan."""
    array = bone()
    view = array[BOX].reshape(-1).copy()
    view[: round(AIR_SHARE * view.size) + extra] = AIR_HU - 1
    array[BOX] = view.reshape(20, 20, 20)
    assert [f.code for f in found(array)] == (["mask-over-air"] if fires else [])
