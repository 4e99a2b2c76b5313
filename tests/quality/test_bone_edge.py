"""Where the bone's edge lies about masks that were moved by a known distance."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.quality.bone_edge import EdgeReader, fit_edge
from osteoct.quality.outline import sample_outline


def fit(block_column, **options):
    """Fit all levels of a column of blocks."""
    ct, masks, levels = block_column(**options)
    return fit_edge([EdgeReader.of(ct, sample_outline(level, masks)) for level in levels])


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 3.0), (1.0, 1.0, 5.0)])
@pytest.mark.parametrize("shift_mm", [(3.0, 0.0, 0.0), (0.0, -3.0, 0.0), (0.0, 0.0, 5.0)])
def test_shift_is_found_with_its_direction(block_column, spacing, shift_mm):
    """Bone lies where the masks came from: by the opposite of their shift, within half a voxel."""
    found = fit(block_column, spacing=spacing, shift_mm=shift_mm, noise_hu=25.0)
    error = np.array(found.shift_mm) + np.array(shift_mm)
    assert (np.abs(error) <= np.array(spacing) / 2 + 0.3).all()
    assert found.step_hu > found.here_hu


@pytest.mark.parametrize("core_hu", [30.0, 300.0])
def test_density_moves_no_edge(block_column, core_hu):
    """Very porous and very dense bone have their edge where masks are right."""
    assert fit(block_column, core_hu=core_hu, noise_hu=25.0).distance_mm < 0.5


@pytest.mark.parametrize("grown_mm", [-3.0, 3.0])
def test_size_is_no_shift(block_column, grown_mm):
    """Masks too large or small all around stay where they are; the size tells by how much."""
    usual, found = fit(block_column), fit(block_column, grown_mm=grown_mm)
    assert found.size_mm - usual.size_mm == pytest.approx(-grown_mm, abs=0.7)
    assert found.distance_mm < 0.7


def test_no_bone_no_step(block_column):
    """In soft tissue there is no step anywhere."""
    ct, masks, levels = block_column(noise_hu=25.0)
    rng = np.random.default_rng(1)
    flat = rng.normal(50, 25, ct.array.shape).astype(np.int16)
    readers = [EdgeReader.of(ct, sample_outline(level, masks)) for level in levels]
    empty = [
        EdgeReader(hu=flat, index=r.index, normal=r.normal, inverse=r.inverse, half_mm=r.half_mm)
        for r in readers
    ]
    assert fit_edge(empty).step_hu < 10
