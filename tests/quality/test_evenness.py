"""Uneven cores: a limit from both sides, and what must not count, in cores known to the voxel."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.quality import evenness
from osteoct.quality.evenness import (
    LEAST_VOXELS,
    WIDER_BY_HU,
    check_evenness,
    smoothed_noise_hu,
    width_hu,
)
from osteoct.records import Finding, Severity

SIDE = 20
BASE_HU = 140.0
LEVELS = (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)


@pytest.fixture
def _sharp(monkeypatch):
    """Without smoothing the percentiles are exactly those of the voxels that were set."""
    monkeypatch.setattr(evenness, "SCALE_MM", 1e-6)


def half_and_half(difference_hu, share=0.1):
    """A core of which one slab lies lower."""
    hu = np.full((SIDE,) * 3, BASE_HU)
    hu[: round(share * SIDE)] -= difference_hu
    return hu


def column(block_core, odd_hu, *, others=None, count=5, **made):
    """Even cores and one, L3, that is given."""
    even = np.full(odd_hu.shape, BASE_HU) if others is None else others
    levels = LEVELS[:count]
    return [
        block_core(odd_hu if level is levels[count // 2] else even, level=level, **made)
        for level in levels
    ]


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(
    ("difference_hu", "fires"), [(WIDER_BY_HU, False), (WIDER_BY_HU + 0.5, True), (80.0, True)]
)
def test_limit(block_core, difference_hu, fires):
    """At the limit a core is still even; the finding stands on the odd level alone."""
    found = check_evenness(column(block_core, half_and_half(difference_hu)), ())
    assert [(f.code, f.level, f.severity) for f in found] == [
        ("uneven-core", Level.L3, Severity.WARNING)
    ] * fires
    if fires:
        assert found[0].evidence["width_hu"] == pytest.approx(difference_hu)
        assert found[0].evidence["neighbours_width_hu"] == 0


@pytest.mark.usefixtures("_sharp")
def test_what_the_neighbours_have_too_is_no_doubt(block_core):
    """Coarse bone, or a vein, in every core; and a difference of the widths counts, not a width."""
    wide = half_and_half(80.0)
    assert check_evenness(column(block_core, wide, others=wide), ()) == ()
    wider = half_and_half(80.0 + WIDER_BY_HU + 0.5)
    assert len(check_evenness(column(block_core, wider, others=wide), ())) == 1


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(("share", "fires"), [(0.05, False), (0.1, True), (0.9, True)])
def test_a_small_part_is_no_doubt(block_core, share, fires):
    """A twentieth at either end may be anything."""
    found = check_evenness(column(block_core, half_and_half(100.0, share)), ())
    assert bool(found) is fires


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(("count", "fires"), [(2, False), (3, True)])
def test_two_neighbours_are_needed(block_core, count, fires):
    """Of two levels either may be the odd one."""
    found = check_evenness(column(block_core, half_and_half(100.0), count=count), ())
    assert bool(found) is fires


@pytest.mark.usefixtures("_sharp")
@pytest.mark.parametrize(
    ("code", "fires"), [("lucent-focus", False), ("dense-focus", False), ("level-outlier", True)]
)
def test_a_focus_says_it_already(block_core, code, fires):
    """One cause, one finding; a core that departs as a whole is another matter."""
    told = Finding(code=code, severity=Severity.INFO, message="m", level=Level.L3)
    assert bool(check_evenness(column(block_core, half_and_half(100.0)), [told])) is fires


def test_a_core_of_few_voxels_is_not_judged(block_core):
    """At the limit it is."""
    few = np.full((LEAST_VOXELS // 10 - 1, 5, 2), BASE_HU)
    assert width_hu(block_core(few)) is None
    enough = block_core(np.full((LEAST_VOXELS // 10, 5, 2), BASE_HU))
    assert width_hu(enough) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 5.0)])
def test_noise_alone_is_even(block_core, spacing):
    """Four times the noise of the neighbours, also where slices are thick."""
    shape = tuple(round(SIDE / s) for s in spacing)
    draw = np.random.default_rng(3)
    quiet = BASE_HU + 12 * draw.standard_normal(shape)
    loud = BASE_HU + 48 * draw.standard_normal(shape)
    assert check_evenness(column(block_core, loud, others=quiet, spacing=spacing), ()) == ()


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 5.0)])
def test_a_pale_ball_is_found_through_noise(block_core, spacing):
    """Sixty HU less over a ball of 8 mm radius: too little contrast for a focus."""
    shape = tuple(round(24 / s) for s in spacing)
    places = np.moveaxis(np.indices(shape), 0, -1) * np.array(spacing)
    ball = np.linalg.norm(places - 12, axis=-1) < 8
    noise = 20 * np.random.default_rng(4).standard_normal(shape)
    even = BASE_HU + noise
    cores = column(block_core, even - 60 * ball, others=even, spacing=spacing)
    (found,) = check_evenness(cores, ())
    assert found.level is Level.L3
    assert np.linalg.norm(np.array(found.place_mm) - cores[2].centre_mm) < 4


def test_the_noise_that_is_left_is_of_the_right_size(block_core):
    """White noise of 30 HU in voxels of 1.5 mm: the closed form of a Gaussian's average."""
    draw = np.random.default_rng(5)
    core = block_core(BASE_HU + 30 * draw.standard_normal((40, 40, 20)), spacing=(1.5,) * 3)
    kernel_mm3 = (2 * np.sqrt(np.pi) * evenness.SCALE_MM) ** 3
    assert smoothed_noise_hu(core) == pytest.approx(30 * np.sqrt(1.5**3 / kernel_mm3), rel=0.03)
