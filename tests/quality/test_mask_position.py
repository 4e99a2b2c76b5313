"""Masks beside, around and off their bone: what is said, and from where on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR, Level, Part
from osteoct.compartments.case import build_compartments
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.quality.bone_edge import EdgeFit
from osteoct.quality.mask_position import (
    FIT_SHARE,
    LEAST_STEP_HU,
    SHIFT_BLOCKS_MM,
    SHIFT_LIMIT_MM,
    SIZE_LIMIT_MM,
    USUAL_SIZE_MM,
    check_position,
    find_lagging,
    judge_fit,
)
from osteoct.records import Severity

BELOW = 1 - 1e-9


def edge(*, shift=0.0, size=USUAL_SIZE_MM, step=250.0, share=1.0) -> EdgeFit:
    return EdgeFit(
        shift_mm=(0.0, shift, 0.0),
        size_mm=size,
        step_hu=step,
        here_hu=step / 2,
        fitting_share=share,
        level_steps_hu=(step,),
    )


@pytest.fixture(scope="module")
def levels(block_column):
    return block_column()[2]


@pytest.mark.parametrize(
    ("shift", "severity"),
    [
        (0.0, None),
        (SHIFT_LIMIT_MM * BELOW, None),
        (SHIFT_LIMIT_MM, Severity.WARNING),
        (-SHIFT_BLOCKS_MM * BELOW, Severity.WARNING),
        (-SHIFT_BLOCKS_MM, Severity.BLOCKING),
    ],
)
def test_shift_at_its_limits(levels, shift, severity):
    """From 1.8 mm a warning, from 4 mm blocking."""
    found = judge_fit(edge(shift=shift), levels)
    assert [(f.code, f.severity) for f in found] == (
        [("mask-shifted", severity)] if severity else []
    )
    for finding in found:
        assert ("in front" if shift > 0 else "behind") in finding.message
        assert finding.evidence["bone_front_mm"] == shift


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("times", "fires"), [(0.999, False), (1.001, True)])
def test_size_at_its_limits(levels, sign, times, fires):
    """Too large and too small."""
    found = judge_fit(edge(size=USUAL_SIZE_MM + sign * times * SIZE_LIMIT_MM), levels)
    assert [f.code for f in found] == (["mask-size"] if fires else [])
    assert all(("too small" if sign > 0 else "too large") in f.message for f in found)


@pytest.mark.parametrize(
    ("step", "share", "shift", "code", "severity"),
    [
        (LEAST_STEP_HU, FIT_SHARE, 0.0, None, None),
        (LEAST_STEP_HU, FIT_SHARE * BELOW, 0.0, "outline-misfit", Severity.WARNING),
        (250.0, FIT_SHARE * BELOW, SHIFT_BLOCKS_MM, "outline-misfit", Severity.BLOCKING),
        (LEAST_STEP_HU * BELOW, 1.0, 0.0, "mask-off-bone", Severity.BLOCKING),
    ],
)
def test_fit_at_its_limits(levels, step, share, shift, code, severity):
    """An outline that fits badly, and one without any bone; faint bone is bone."""
    found = judge_fit(edge(step=step, shift=shift, share=share), levels)
    assert [(f.code, f.severity) for f in found] == ([(code, severity)] if code else [])


def test_one_level_behind_the_others():
    """Exactly three quarters are enough."""
    assert find_lagging((200.0, 200.0, 150.0)) == ()
    assert find_lagging((200.0, 200.0, 149.9)) == (2,)


@pytest.mark.parametrize("core_hu", [30.0, 300.0])
@pytest.mark.parametrize("slice_mm", [1.0, 3.0, 5.0])
def test_sound_masks_have_no_finding(block_column, core_hu, slice_mm):
    """Masks on their bone, porous or dense, on thin slices and thick ones, in much noise."""
    made = block_column(spacing=(1.0, 1.0, slice_mm), core_hu=core_hu, noise_hu=25.0)
    assert check_position(*made) == ()


def test_a_shift_of_three_millimetres_is_seen(block_column):
    """And told once, for all levels, with where the bone is."""
    (found,) = check_position(*block_column(shift_mm=(0.0, 3.0, 0.0)))
    assert (found.code, found.severity, found.level) == ("mask-shifted", Severity.WARNING, None)
    assert found.evidence["bone_front_mm"] == pytest.approx(-3, abs=0.6)
    assert found.place_mm is not None


def test_one_level_shifted_alone_is_told_by_name(block_column):
    """The others stay where they are and are not accused."""
    ct, masks, levels = block_column(noise_hu=10.0)
    _, moved, _ = block_column(noise_hu=10.0, shift_mm=(6.0, 0.0, 0.0))
    array = np.where(masks.array == 2, 0, masks.array)
    array[moved.array == 2] = 2
    masks = replace(masks, array=array)
    levels = build_compartments(ct, masks, None, levels=[lv.level for lv in levels], protocols=())
    (found,) = check_position(ct, masks, levels)
    assert (found.code, found.level, found.severity) == (
        "mask-shifted",
        Level.L2,
        Severity.BLOCKING,
    )
    assert found.evidence["bone_right_mm"] == pytest.approx(-6, abs=0.8)


def test_masks_elsewhere_block(block_column):
    """No bone within reach."""
    ct, masks, levels = block_column()
    empty = replace(ct, array=np.full_like(ct.array, 50))
    (found,) = check_position(empty, masks, levels)
    assert (found.code, found.severity) == ("mask-off-bone", Severity.BLOCKING)


def test_nothing_to_read(block_column):
    """Without levels there is nothing to say."""
    ct, masks, _ = block_column()
    assert check_position(ct, masks, ()) == ()


@pytest.fixture(scope="module")
def real_case(shared_data):
    folder = shared_data / "ts-example"
    ct = read_volume(folder / "ct.nii.gz").reoriented("RAS")
    masks = read_labels(folder / "total_vertebrae.nii.gz", part=Part.VERTEBRA).reoriented("RAS")
    return ct, masks


def check_real(ct, masks):
    levels = build_compartments(ct, masks, None, levels=LUMBAR, protocols=())
    return check_position(ct, masks, levels)


def test_the_real_example_lies_on_its_bone(real_case):
    """Masks of a real segmenter on a real CT of 3 mm voxels."""
    assert check_real(*real_case) == ()


@pytest.mark.parametrize("axis", [0, 2])
def test_turned_masks_of_the_real_example_are_told(real_case, axis):
    """A real spine is not its own mirror image, nor the same upside down."""
    ct, masks = real_case
    turned = replace(masks, array=np.flip(masks.array, axis=axis))
    found = {f.code for f in check_real(ct, turned)}
    assert found & {"outline-misfit", "mask-off-bone"}


def test_faint_bone_of_the_real_example_is_bone(real_case):
    """Two thirds less contrast, as of very porous bone, are no fault of the masks."""
    ct, masks = real_case
    hu = ct.array.astype(np.float32)
    faint = replace(ct, array=np.where(hu > 60, 60 + (hu - 60) * 0.35, hu).astype(np.float32))
    assert check_real(faint, masks) == ()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("voxels", [-1, 1])
def test_a_voxel_of_shift_is_seen_in_the_real_example(real_case, axis, voxels):
    """3 mm in any direction."""
    ct, masks = real_case
    moved = replace(masks, array=np.roll(masks.array, voxels, axis=axis))
    shifted = [f for f in check_real(ct, moved) if f.code == "mask-shifted"]
    assert [f.level for f in shifted] == [None]
    key = ("bone_right_mm", "bone_front_mm", "bone_up_mm")[axis]
    assert shifted[0].evidence[key] == pytest.approx(-3 * voxels, abs=0.5)
