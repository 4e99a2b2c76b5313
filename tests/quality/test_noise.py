"""Noise from tissues and from patches, and what it does to a mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.measure.tissues import TissueHu, TissueHus
from osteoct.protocols import Region
from osteoct.quality.noise import (
    CELL_MM3,
    NOISE_LIMIT_HU,
    PRECISION_LIMIT_HU,
    check_noise,
    estimate_noise,
    largest_error_hu,
)
from osteoct.volume import CTVolume


def tissues(**sd: float) -> TissueHus:
    return TissueHus(
        found={
            name: TissueHu(name=name, points=99, median_hu=50, sd_hu=value, centre_mm=(0, 0, 0))
            for name, value in sd.items()
        }
    )


def scene(spacing, noise, core_voxels=100_000, size_mm=120.0):
    """Muscle with organs of fat, a bright block for a vertebra, and noise."""
    rng = np.random.default_rng(2)
    shape = tuple(round(size_mm / s) for s in spacing)
    grid = Geometry.from_spacing(shape, spacing)
    hu = np.full(shape, 50.0)
    hu[: shape[0] // 5] = -100
    centre = tuple(slice(n // 3, 2 * n // 3) for n in shape)
    hu[centre] = 300
    hu += rng.normal(0, noise, shape)
    box_shape = tuple(s.stop - s.start for s in centre)
    core = np.zeros(int(np.prod(box_shape)), dtype=bool)
    core[:core_voxels] = True
    mask = np.ones(box_shape, dtype=bool)
    level = LevelCompartments(
        level=Level.L3,
        box=centre,
        geometry=grid.cropped(centre),
        vertebra=mask,
        excluded=~mask,
        regions={("p", Region.TRABECULAR): core.reshape(box_shape)},
    )
    return CTVolume(array=hu.astype(np.float32), geometry=grid), level


@pytest.mark.parametrize("spacing", [(0.6, 0.6, 2.0), (0.9, 0.9, 5.0), (3.0, 3.0, 3.0)])
@pytest.mark.parametrize("noise", [8.0, 25.0, 60.0])
def test_patches_find_the_noise(spacing, noise):
    """Within a fifth of the truth (a third at 3 mm, where a patch has nine voxels)."""
    ct, level = scene(spacing, noise)
    found = estimate_noise(ct, [level], TissueHus())
    assert found.sd_hu == pytest.approx(noise, rel=0.34 if spacing[0] == 3 else 0.2)
    assert found.source == "soft tissue beside the spine"


def test_the_calmest_tissue_counts():
    """Fat within muscle is no noise."""
    ct, level = scene((2.0, 2.0, 2.0), 12.0)
    found = estimate_noise(ct, [level], tissues(liver=12.0, autochthon_left=21.0, kidney_left=3.0))
    assert (found.sd_hu, found.source) == (12.0, "liver")


def test_without_soft_tissue_there_is_no_estimate():
    """Absent, not zero."""
    ct, level = scene((2.0, 2.0, 2.0), 10.0)
    bone = replace(ct, array=np.full_like(ct.array, 400.0))
    assert estimate_noise(bone, [level], TissueHus()) is None
    assert estimate_noise(ct, [], TissueHus()) is None
    assert check_noise(bone, [level], TissueHus()) == ()


@pytest.mark.parametrize(("sd", "fires"), [(NOISE_LIMIT_HU, False), (NOISE_LIMIT_HU + 0.1, True)])
def test_limit_of_noise(sd, fires):
    """Exactly at the limit nothing is said."""
    ct, level = scene((2.0, 2.0, 2.0), 0.0, core_voxels=8000)
    found = check_noise(ct, [level], tissues(liver=sd))
    assert [f.code for f in found] == (["noisy-image"] if fires else [])


def test_limit_of_precision():
    """25 voxels of 8 mm³: noise of 5 × the limit leaves exactly the limit."""
    ct, level = scene((2.0, 2.0, 2.0), 0.0, core_voxels=25)
    assert largest_error_hu(level, 5.0) == pytest.approx(1.0)
    at = 5 * PRECISION_LIMIT_HU
    assert check_noise(ct, [level], tissues(liver=at)) == ()
    (finding,) = check_noise(ct, [level], tissues(liver=at + 0.01))
    assert finding.evidence["standard_error_hu"] > PRECISION_LIMIT_HU


def test_small_voxels_are_not_independent():
    """1000 voxels of 1 mm³ count as 1000 / 3.4."""
    _, level = scene((1.0, 1.0, 1.0), 0.0, core_voxels=1000, size_mm=60)
    assert largest_error_hu(level, 10.0) == pytest.approx(10 / np.sqrt(1000 / CELL_MM3))
    assert largest_error_hu(replace(level, regions={}), 10.0) is None
