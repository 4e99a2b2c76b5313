"""The whole way in memory: real CT against voxel counts, phantoms against their truth."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR, Level, Part
from osteoct.config import AnalysisConfig
from osteoct.geometry import Geometry
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.phantom.acquisition import scan
from osteoct.phantom.mask_defects import cut_field_of_view, remove_level, swap_labels
from osteoct.phantom.scanner import Scanner
from osteoct.phantom.spine import BoneMake, lumbar_spine, single_vertebra
from osteoct.pipeline import analyze_volumes
from osteoct.protocols import BODY_CORE_4, PROTOCOLS, VERTEBRA_CORE_3_5, Region
from osteoct.records import MasksUsed, Phase, Reason, RepairRule, Severity, Verdict

# Voxel counts of the published example, made with another program (data/README).
VOLUMES_CM3 = [57.9, 60.5, 63.0, 65.0, 65.6]
MEANS_HU = [195.8, 214.8, 219.9, 227.5, 239.6]
CODES = [
    "".join(codes)
    for lines in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*lines)
]
WHOLE = (VERTEBRA_CORE_3_5.id, Region.VERTEBRA)


@pytest.fixture(scope="module")
def example(shared_data):
    """The real CT with its vertebra masks."""
    folder = shared_data / "ts-example"
    return read_volume(folder / "ct.nii.gz"), read_labels(folder / "total_vertebrae.nii.gz")


def numbers(result) -> list[float | None]:
    """Every number of every region, in order."""
    return [
        number
        for level in result.levels
        for r in level.regions
        for number in (r.volume_cm3, r.voxels, *(r.hu.model_dump().values() if r.hu else ()))
    ]


def test_real_ct_has_the_counted_volumes_and_means(example):
    """To the last digit given; a core of 33–37 % of each vertebra."""
    result = analyze_volumes(*example).result
    found = [level.region(*WHOLE) for level in result.levels]
    assert [round(r.volume_cm3, 1) for r in found] == VOLUMES_CM3
    assert [round(r.hu.mean_hu, 1) for r in found] == MEANS_HU
    for level in result.levels:
        core = level.region(VERTEBRA_CORE_3_5.id, Region.TRABECULAR)
        assert 0.33 <= core.volume_cm3 / level.region(*WHOLE).volume_cm3 <= 0.37


@pytest.mark.parametrize("codes", CODES)
def test_reorienting_ct_or_mask_changes_nothing(example, codes):
    """All 48 orientations, of the mask alone and of the CT alone."""
    ct, masks = example
    for turned in ((ct, masks.reoriented(codes)), (ct.reoriented(codes), masks)):
        result = analyze_volumes(*turned).result
        found = [level.region(*WHOLE) for level in result.levels]
        assert [round(r.volume_cm3, 1) for r in found] == VOLUMES_CM3
        assert [round(r.hu.mean_hu, 1) for r in found] == MEANS_HU


@pytest.mark.parametrize("codes", ["LPS", "PIR", "SLA", "IAR"])
def test_every_number_is_the_same_in_every_orientation(codes):
    """Not only the whole vertebra: cores, shells, ellipse and heights, with body masks."""
    shot = scan(single_vertebra(tilt_deg=15), Scanner(pixel_mm=1.0, slice_mm=2.0))
    config = AnalysisConfig(levels=(Level.L3,))
    plain = analyze_volumes(shot.ct, shot.vertebrae, bodies=shot.bodies, config=config).result
    turned = analyze_volumes(
        shot.ct.reoriented(codes), shot.vertebrae, bodies=shot.bodies, config=config
    ).result
    assert numbers(turned) == pytest.approx(numbers(plain))
    assert turned.levels[0].heights.model_dump() == pytest.approx(
        plain.levels[0].heights.model_dump()
    )


def test_cropping_the_image_changes_nothing(example):
    """Crop then measure equals measure: nothing depends on where the image ends."""
    ct, masks = example
    box = (slice(30, 100), slice(10, 95), slice(5, 105))
    whole = analyze_volumes(ct, masks).result
    crop = analyze_volumes(ct.cropped(box), masks.cropped(box)).result
    for one, other in zip(whole.levels, crop.levels, strict=True):
        assert numbers_of(one) == pytest.approx(numbers_of(other))


def numbers_of(level) -> list[float]:
    return [r.hu.mean_hu for r in level.regions if r.hu] + [r.volume_cm3 for r in level.regions]


def test_volume_scales_with_the_voxel():
    """Twice the spacing along one axis: twice the volume, same counts of the whole mask."""
    shot = scan(single_vertebra(), Scanner(pixel_mm=1.0, slice_mm=1.5))
    affine = shot.ct.geometry.affine.copy()
    affine[:3, 2] *= 2
    tall = Geometry(shape=shot.ct.geometry.shape, affine=affine)
    config = AnalysisConfig(levels=(Level.L3,))
    results = [
        analyze_volumes(
            replace(shot.ct, geometry=grid), replace(shot.vertebrae, geometry=grid), config=config
        ).result.levels[0]
        for grid in (shot.ct.geometry, tall)
    ]
    first, second = (level.region(*WHOLE) for level in results)
    assert second.voxels == first.voxels
    assert second.volume_cm3 == pytest.approx(2 * first.volume_cm3)


@pytest.mark.slow
@pytest.mark.parametrize("shell_mm", [0.5, 1.5])
@pytest.mark.parametrize("tilt_deg", [0, 10, 20, 30])
@pytest.mark.parametrize("slice_mm", [0.6, 1, 1.5, 2.5, 3, 5])
def test_trabecular_mean_without_noise(slice_mm, tilt_deg, shell_mm):
    """Within 1 HU of the true 100 HU whatever slices, tilt, shell (700 HU) and orientation."""
    phantom = single_vertebra(tilt_deg=tilt_deg, shell_mm=shell_mm, trabecular_hu=100.0)
    shot = scan(phantom, Scanner(pixel_mm=0.8, slice_mm=slice_mm))
    config = AnalysisConfig(levels=(Level.L3,), protocols=(BODY_CORE_4.id,))
    for codes in ("RAS", "LPS", "PIR"):
        result = analyze_volumes(
            shot.ct.reoriented(codes), shot.vertebrae, bodies=shot.bodies, config=config
        ).result
        core = result.levels[0].region(BODY_CORE_4.id, Region.TRABECULAR)
        assert core.hu.mean_hu == pytest.approx(100.0, abs=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("mask_offset_mm", [-1.0, 1.0])
@pytest.mark.parametrize("kernel", ["soft", "sharp"])
@pytest.mark.parametrize("slice_mm", [1.5, 3, 5])
def test_trabecular_mean_with_noise_and_wrong_masks(slice_mm, kernel, mask_offset_mm):
    """Within 3 HU with 25 HU noise, either kernel, and masks too small or too large by 1 mm."""
    phantom = single_vertebra(tilt_deg=10, shell_mm=1.5, trabecular_hu=100.0)
    scanner = Scanner(pixel_mm=0.8, slice_mm=slice_mm, kernel=kernel, noise_sd_hu=25.0)
    shot = scan(phantom, scanner, mask_offset_mm=mask_offset_mm)
    config = AnalysisConfig(levels=(Level.L3,), protocols=(BODY_CORE_4.id,))
    result = analyze_volumes(shot.ct, shot.vertebrae, bodies=shot.bodies, config=config).result
    core = result.levels[0].region(BODY_CORE_4.id, Region.TRABECULAR)
    assert core.hu.mean_hu == pytest.approx(100.0, abs=3.0)


def test_volume_is_the_count_and_near_anatomy():
    """Exactly the mask's voxels; within 3 % of the phantom's anatomy at 1.5 mm."""
    shot = scan(single_vertebra(tilt_deg=10), Scanner(pixel_mm=0.8, slice_mm=1.5))
    config = AnalysisConfig(levels=(Level.L3,))
    region = analyze_volumes(shot.ct, shot.vertebrae, config=config).result.levels[0].region(*WHOLE)
    counted = int((shot.vertebrae.array == 29).sum())
    assert region.voxels == counted
    assert region.volume_cm3 == pytest.approx(counted * 0.8 * 0.8 * 1.5 / 1000, rel=1e-12)
    true = shot.truth.level(Level.L3).vertebra_volume_cm3
    assert region.volume_cm3 == pytest.approx(true, rel=0.03)


@pytest.fixture(scope="module")
def spine():
    """A coarse scan of the whole lumbar phantom."""
    phantom = lumbar_spine(BoneMake(shell_mm=1.0), has_sacrum=False, has_t12=False)
    return scan(phantom, Scanner(pixel_mm=1.5, slice_mm=2.0, fine_step_mm=0.7))


def analyse(shot, **config):
    return analyze_volumes(
        shot.ct, shot.vertebrae, bodies=shot.bodies, config=AnalysisConfig(**config)
    ).result


def test_a_sound_spine_is_concluded_on(spine):
    """Five usable levels, no blocking finding, and the study's rules apply."""
    result = analyse(spine)
    assert [level.level for level in result.levels if level.usable] == list(LUMBAR)
    assert not [f for f in result.findings if f.severity == "blocking"]
    study = [o for o in result.opinions if o.rule.startswith("study")]
    assert len(study) == 4
    assert all(o.verdict is not Verdict.NOT_APPLICABLE for o in study)


def test_swapped_labels_are_repaired_and_told(spine):
    """Every number equals the clean one; that the labels were swapped stays a warning."""
    clean, result = analyse(spine), analyse(swap_labels(spine, Level.L2, Level.L3))
    swapped = [f for f in result.findings if f.code == "labels-swapped"]
    assert {(f.level, f.severity) for f in swapped} == {
        (Level.L2, Severity.WARNING),
        (Level.L3, Severity.WARNING),
    }
    assert numbers(result) == numbers(clean)
    assert result.masks_used is MasksUsed.REPAIRED
    assert [r.rule for r in result.repairs] == [RepairRule.RENAME_SWAPPED]
    assert [o.verdict for o in result.opinions] == [o.verdict for o in clean.opinions]


def test_swapped_labels_that_nobody_repairs_forbid_every_conclusion(spine):
    """Numbers stay, names cannot be trusted: nothing is below or above."""
    result = analyse(swap_labels(spine, Level.L2, Level.L3), repair=False)
    blocking = [f.code for f in result.findings if f.severity is Severity.BLOCKING]
    assert {"labels-swapped", "labels-out-of-order"} <= set(blocking)
    assert result.masks_used is MasksUsed.ORIGINAL
    assert not any(level.usable for level in result.levels)
    assert {o.verdict for o in result.opinions} <= {Verdict.INDETERMINATE, Verdict.NOT_APPLICABLE}


def test_a_missing_level_is_said_and_not_averaged(spine):
    """The mean of four levels does not stand for five."""
    result = analyse(remove_level(spine, Level.L3))
    assert result.level(Level.L3).region(*WHOLE).reason is Reason.LEVEL_ABSENT
    summary = result.summary(VERTEBRA_CORE_3_5.id, Region.TRABECULAR)
    assert Level.L3 not in summary.levels_used
    assert len(summary.levels_used) == 4
    study = [o for o in result.opinions if o.rule.startswith("study")]
    assert {o.verdict for o in study} == {Verdict.INDETERMINATE}


def test_names_beyond_a_gap_are_less_sure():
    """L3 is missing above the sacrum: the mean of the others says which names were counted over it.

    0.837 beside the sacrum, 0.9 of it beyond the gap.
    """
    shot = scan(lumbar_spine(), Scanner(pixel_mm=2.0, slice_mm=2.5, fine_step_mm=1.0))
    result = analyse(remove_level(shot, Level.L3))
    sure = {lv.level: lv.numbering_certainty for lv in result.levels}
    assert sure[Level.L4] == sure[Level.L5] == pytest.approx(0.837)
    assert sure[Level.L1] == sure[Level.L2] == pytest.approx(0.837 * 0.9)
    assert sure[Level.L3] is None
    assert "L2 and L4" in result.level(Level.L1).numbering_reason
    summary = result.summary(*WHOLE)
    assert summary.levels_less_sure == (Level.L1, Level.L2)
    assert summary.numbering_certainty == sure[Level.L1]


def test_a_cut_level_has_reasons_and_no_numbers(spine):
    """Told apart from absent: it is there, and the field of view ends in it."""
    result = analyse(cut_field_of_view(spine, Level.L1))
    cut = result.level(Level.L1)
    assert {r.reason for r in cut.regions} == {Reason.CUT_BY_BORDER}
    assert all(r.volume_cm3 is None and r.hu is None for r in cut.regions)
    assert cut.vertebra_voxels > 0
    assert not cut.usable
    assert result.level(Level.L2).usable


def test_masks_on_another_grid_meet_in_patient_space(spine):
    """Never by array index: a mask flipped in rows and sampled coarser still fits."""
    coarse = scan(spine.phantom, replace(spine.scanner, pixel_mm=2.5, slice_mm=3.0))
    flipped = coarse.vertebrae.reoriented("LAS")
    result = analyze_volumes(spine.ct, flipped).result
    plain = analyze_volumes(spine.ct, spine.vertebrae).result
    assert "mask-resampled" in [f.code for f in result.findings]
    for one, other in zip(result.levels, plain.levels, strict=True):
        core = VERTEBRA_CORE_3_5.id, Region.TRABECULAR
        assert one.region(*core).hu.mean_hu == pytest.approx(other.region(*core).hu.mean_hu, abs=15)


def test_what_the_user_states_is_marked(spine):
    """A stated fact decides like a header's, and the record says who said it."""
    result = analyse(spine, kvp=100.0, phase=Phase.PORTAL_VENOUS)
    assert result.acquisition.kvp == 100.0
    assert result.acquisition.stated == ("kvp", "phase")
    assert result.acquisition.phase_evidence == "stated by the user"
    codes = [f.code for f in result.findings]
    assert "kvp-not-120" in codes
    assert "contrast" in codes


def test_only_the_protocols_asked_for_are_run(spine):
    """And rules of the others do not apply."""
    result = analyse(spine, protocols=(BODY_CORE_4.id,))
    assert {r.protocol for level in result.levels for r in level.regions} == {BODY_CORE_4.id}
    assert {o.verdict for o in result.opinions} == {Verdict.NOT_APPLICABLE}
    assert len(PROTOCOLS) == 3


def test_v1_labels_read_as_v2_are_not_vertebrae(example, shared_data):
    """Seen elsewhere: another version's integers put 'L5' on the bowel; volume and HU say so."""
    ct, _ = example
    organs = read_labels(shared_data / "ts-example" / "total_fast.nii.gz")
    wrong = {18: "L5", 19: "L4", 20: "L3"}  # v1's integers, on v2's small bowel, duodenum, colon
    structures = {
        label: replace(organs.structures[29], level=Level[name], part=Part.VERTEBRA)
        for label, name in wrong.items()
    }
    result = analyze_volumes(
        ct,
        replace(organs, structures=structures),
        config=AnalysisConfig(levels=tuple(Level[n] for n in sorted(wrong.values()))),
    ).result
    assert not any(level.usable for level in result.levels)
    assert {f.code for f in result.findings} & {"implausible-volume", "labels-out-of-order"}


def test_an_analysis_does_not_change_its_inputs(spine):
    """Records in, records out: the caller's arrays stay as they were."""
    before = spine.ct.array.copy(), spine.vertebrae.array.copy()
    analyse(spine)
    assert np.array_equal(before[0], spine.ct.array)
    assert np.array_equal(before[1], spine.vertebrae.array)
