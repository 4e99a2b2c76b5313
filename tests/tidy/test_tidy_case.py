"""Repair of masks: what is broken is mended, what is clean is left alone."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Part
from osteoct.io.labels import read_labels
from osteoct.io.volume import read_volume
from osteoct.phantom.faults.catalogue import FAULTS
from osteoct.phantom.faults.fault import Strength, make_faulty
from osteoct.phantom.faults.outlines import shrink_masks
from osteoct.phantom.faults.subject import make_subject
from osteoct.phantom.faults.synthetic import image_masks
from osteoct.phantom.faults.variations import make_variation, vary
from osteoct.tidy.case import tidy_masks

CODES = [
    "".join(codes)
    for lines in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*lines)
]
RULES = [
    ("swap", "rename-swapped"),
    ("merge", "split-merged"),
    ("leak", "cut-leak"),
    ("split", "join-split"),
    ("arch-of-neighbour", "return-arch"),
    ("island", "remove-stray"),
    ("hole", "fill-hole"),
]


def tidy(subject, **options):
    return tidy_masks(subject.ct, subject.vertebrae, subject.bodies, **options)


def assert_untouched(subject):
    """The very same volumes, and not a word."""
    tidied = tidy(subject)
    assert tidied.masks.vertebrae is subject.vertebrae
    assert tidied.masks.bodies is subject.bodies
    assert not tidied.repairs
    assert not tidied.findings


def test_clean_masks_are_the_very_same(clean):
    """A repair of a clean mask is the worst error here; without body masks as well."""
    assert_untouched(clean)
    assert_untouched(replace(clean, bodies=None))


@pytest.mark.parametrize("number", [89, 146])
def test_clean_variations_are_the_very_same(number):
    """Other sizes, slices, postures; two arches of the first one differ by the ratio."""
    made = make_variation(vary(number))
    tidied = tidy_masks(made.ct, made.vertebrae, made.bodies)
    assert tidied.masks.vertebrae is made.vertebrae
    assert not tidied.findings


@pytest.mark.parametrize(("fault", "rule"), RULES)
def test_each_rule_restores_the_clean_labels(clean, levels_of, fault, rule):
    """Without facet joints that touch, to the voxel; and a second time nothing is left to do."""
    faulty = make_faulty(FAULTS[fault], Strength.STRONG, clean)
    tidied = tidy(faulty)
    assert rule in [r.rule.value for r in tidied.repairs]
    assert {f.severity.value for f in tidied.findings} == {"warning"}
    wrong = np.count_nonzero(levels_of(tidied.masks.vertebrae) != levels_of(clean.vertebrae))
    assert wrong <= 0.001 * np.count_nonzero(clean.vertebrae.array)
    again = tidy_masks(faulty.ct, tidied.masks.vertebrae, tidied.masks.bodies)
    assert not again.repairs


@pytest.mark.parametrize("codes", CODES)
def test_repair_does_not_depend_on_orientation(coarse, codes):
    """All 48: the array's axes are no part of the patient."""
    faulty = make_faulty(FAULTS["leak"], Strength.STRONG, coarse)
    plain = tidy(faulty)
    turned = tidy_masks(
        faulty.ct.reoriented(codes),
        faulty.vertebrae.reoriented(codes),
        faulty.bodies.reoriented(codes),
    )
    assert plain.is_repaired
    assert [(r.rule, r.levels) for r in turned.repairs] == [
        (r.rule, r.levels) for r in plain.repairs
    ]
    back = turned.masks.vertebrae.reoriented("RAS").array
    # cells begin at the other end of an axis
    wrong = np.count_nonzero(back != plain.masks.vertebrae.array)
    assert wrong <= 0.001 * np.count_nonzero(back)


@pytest.mark.parametrize("fault", ["swap", "merge", "leak", "split", "arch-of-neighbour"])
def test_switched_off_it_only_tells(clean, fault):
    """With ``repair=False`` the masks stay and the finding blocks."""
    faulty = make_faulty(FAULTS[fault], Strength.STRONG, clean)
    tidied = tidy(faulty, repair=False)
    assert tidied.masks.vertebrae is faulty.vertebrae
    assert {f.severity.value for f in tidied.findings} == {"blocking"}
    assert all("switched off" in f.message for f in tidied.findings)


def test_what_came_in_is_never_changed(coarse):
    """The masks as they came are written beside the repaired ones: they must be what came."""
    faulty = make_faulty(FAULTS["swap"], Strength.STRONG, coarse)
    before = faulty.vertebrae.array.copy(), faulty.bodies.array.copy()
    assert tidy(faulty).is_repaired
    assert np.array_equal(faulty.vertebrae.array, before[0])
    assert np.array_equal(faulty.bodies.array, before[1])


def test_a_column_upside_down_is_refused_and_blocks(clean):
    """Six names in the wrong order are no two swapped labels."""
    tidied = tidy(make_faulty(FAULTS["upside-down"], Strength.STRONG, clean))
    assert not tidied.is_repaired
    assert "blocking" in [f.severity.value for f in tidied.findings]


def test_masks_that_break_up_everywhere_keep_their_crumbs(clean):
    """Thin masks lose the necks of their processes; the tips are no strays."""
    assert_untouched(shrink_masks(clean, 4.0))


@pytest.mark.parametrize("fault", ["grown", "eaten", "arch-missing", "shift-up", "into-disc"])
def test_masks_that_are_merely_imperfect_are_left_alone(coarse, fault):
    """Outlines are no matter of names."""
    assert_untouched(make_faulty(FAULTS[fault], Strength.MIDDLE, coarse))


@pytest.fixture(scope="module")
def example(shared_data):
    """The real CT with its vertebra and body masks."""
    folder = shared_data / "ts-example"
    return make_subject(
        read_volume(folder / "ct.nii.gz"),
        read_labels(folder / "total_vertebrae.nii.gz"),
        read_labels(folder / "vertebrae_pp_refined.nii.gz", part=Part.BODY),
    )


def test_real_masks_are_the_very_same(example):
    """What a segmenter made of a real CT and nobody faulted."""
    assert_untouched(example)


def test_expert_masks_are_the_very_same(shared_data):
    """What a person drew, joints that touch and all."""
    path = shared_data / "verse-masks" / "sub-verse010_seg-vert_msk.nii.gz"
    masks = read_labels(path, scheme="verse").reoriented("RAS")
    found = np.argwhere(masks.array > 0)
    low, high = found.min(axis=0), found.max(axis=0) + 1
    part = masks.cropped(tuple(slice(max(a - 9, 0), b + 9) for a, b in zip(low, high, strict=True)))
    assert_untouched(make_subject(image_masks(part), part))


@pytest.mark.parametrize("fault", ["swap", "merge", "leak", "split"])
def test_real_masks_are_restored(example, levels_of, fault):
    """Joints touch here: up to one voxel in a hundred may go to the neighbour."""
    tidied = tidy(make_faulty(FAULTS[fault], Strength.STRONG, example))
    wrong = np.count_nonzero(levels_of(tidied.masks.vertebrae) != levels_of(example.vertebrae))
    assert tidied.is_repaired
    assert wrong <= 0.01 * np.count_nonzero(example.vertebrae.array)


def test_a_small_leak_that_moves_a_mean_blocks(example):
    """Too little to be repaired, and 6 HU in the core of the whole vertebra."""
    tidied = tidy(make_faulty(FAULTS["leak"], Strength.WEAK, example))
    leaks = [f for f in tidied.findings if f.code == "label-leak"]
    assert {f.severity.value for f in leaks} == {"blocking"}
    assert all("more than 5 HU" in f.message for f in leaks)
