"""Equal work has equal keys, and other work never has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteoct.anatomy import LUMBAR
from osteoct.config import AnalysisConfig
from osteoct.protocols import PROTOCOLS
from osteoct.records import Finding, Phase, Severity
from osteoct.run.keys import keyed, measure_key, segment_key, series_fingerprint
from osteoct.run.plan.choices import Choices, FingerprintKind, SegmenterChoice
from osteoct.segment.interface import Quality

SECRET = b"a secret of sixteen bytes or more"
PRINTS = {"ct": "a" * 32}
BASE = Choices(source="/s", segmenter=SegmenterChoice(name="totalsegmentator", version="2.18"))
FINDING = Finding(code="series-tie", severity=Severity.WARNING, message="2 stacks are equal")


def keys(choices, prints=PRINTS, findings=()):
    """Segment key and measure key."""
    masks = segment_key(SECRET, prints["ct"], choices)
    return masks, measure_key(SECRET, prints, choices, masks_key=masks, findings=findings)


def with_config(**changes):
    return BASE.model_copy(update={"config": AnalysisConfig(**changes)})


def with_segmenter(**changes):
    return BASE.model_copy(update={"segmenter": BASE.segmenter.model_copy(update=changes)})


@pytest.mark.parametrize(
    "change",
    [
        {"levels": LUMBAR[:2]},
        {"protocols": ("body-core-4",)},
        {"repair": False},
        {"kvp": 120.0},
        {"phase": Phase.NATIVE},
        {"policy": {"dense-focus": "warn"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_measurement_keeps_the_masks(change):
    """Segmenting costs minutes, measuring seconds."""
    before, after = keys(BASE), keys(with_config(**change))
    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "nnunet"},
        {"version": "2.19"},
        {"version": None},
        {"quality": Quality.FAST},
        {"weights": "f" * 64},
    ],
    ids=str,
)
def test_a_changed_segmenter_changes_both(change):
    """Masks of another network are other masks, and what is measured in them other numbers."""
    before, after = keys(BASE), keys(with_segmenter(**change))
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_tissues_are_masks_too():
    """A second network finds them, so the masks that are kept lack them."""
    before, after = keys(BASE), keys(with_config(with_tissues=True))
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("change", [{"device": "gpu:1"}, {"limit_s": 60.0}], ids=str)
def test_where_and_how_long_changes_nothing(change):
    """A batch may move from one machine to another."""
    assert keys(with_segmenter(**change)) == keys(BASE)


@pytest.mark.parametrize(
    "change",
    [{"source": "/elsewhere"}, {"fingerprint": FingerprintKind.CONTENT}, {"tree": "/t"}],
    ids=str,
)
def test_how_a_case_was_found_changes_nothing(change):
    """What it is made of says its fingerprint."""
    assert keys(BASE.model_copy(update=change)) == keys(BASE)


@given(st.permutations(LUMBAR), st.permutations(tuple(PROTOCOLS)))
def test_the_order_of_options_changes_nothing(levels, protocols):
    """The same set, written in another order."""
    assert keys(with_config(levels=tuple(levels), protocols=tuple(protocols))) == keys(BASE)


def test_the_order_of_a_policy_changes_nothing():
    """Keys of a table have no order."""
    policy = {"dense-focus": "warn", "series-tie": "warn"}
    turned = dict(reversed(policy.items()))
    assert keys(with_config(policy=policy)) == keys(with_config(policy=turned))


def test_label_schemes_matter_where_masks_were_brought():
    """Made masks say themselves what they mean; others are read by the scheme."""
    brought = Choices(source="/s")
    read = brought.model_copy(update={"config": AnalysisConfig(labels="verse")})
    prints = {**PRINTS, "masks": "b" * 32}
    assert keys(brought, prints)[0] is None
    assert keys(brought, prints)[1] != keys(read, prints)[1]
    assert keys(with_config(labels="verse")) == keys(BASE)


@pytest.mark.parametrize("role", ["ct", "masks", "body_masks", "tissues"])
def test_every_image_is_part_of_the_work(role):
    """A corrected mask is measured anew."""
    prints = {"ct": "a", "masks": "b", "body_masks": "c", "tissues": "d"}
    other = {**prints, role: "e"}
    assert keys(BASE, prints)[1] != keys(BASE, other)[1]


def test_masks_cannot_change_roles():
    """The same file as masks of vertebrae and as masks of bodies is other work."""
    assert keys(BASE, {"ct": "a", "masks": "b"})[1] != keys(BASE, {"ct": "a", "body_masks": "b"})[1]


def test_what_the_plan_found_is_part_of_the_result():
    """A tie that came up with a new series belongs into the case's findings."""
    before, after = keys(BASE), keys(BASE, findings=(FINDING,))
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_without_the_secret_nothing_can_be_tried():
    """UIDs and paths are few enough to be guessed."""
    assert segment_key(SECRET, "a", BASE) != segment_key(b"another secret of 16", "a", BASE)


PARTS = st.lists(st.text("ab:\0", max_size=3), max_size=3)


@given(PARTS, PARTS)
def test_different_parts_give_different_hashes(one, other):
    """No two lists of parts run together."""
    assert (keyed(SECRET, *one) == keyed(SECRET, *other)) == (one == other)


FILES = st.lists(st.tuples(st.text("12.", min_size=1), st.integers(0, 9)), max_size=5)


@given(FILES, st.randoms(use_true_random=False))
def test_a_series_is_its_files_in_any_order(files, random):
    """Copied, renamed or packed: the same slices are the same series."""
    turned = files.copy()
    random.shuffle(turned)
    assert series_fingerprint(SECRET, files) == series_fingerprint(SECRET, turned)


@given(FILES, st.tuples(st.text("12.", min_size=1), st.integers(0, 9)))
def test_one_file_more_is_another_series(files, more):
    """A slice that arrived late changes the volume."""
    assert series_fingerprint(SECRET, files) != series_fingerprint(SECRET, [*files, more])


def test_frames_tell_stacks_of_one_file_apart():
    """One enhanced file may hold two phases."""
    one, other = (series_fingerprint(SECRET, [("1", 2)], frames) for frames in ((0, 1), (2, 3)))
    assert len({one, other, series_fingerprint(SECRET, [("1", 2)])}) == 3
