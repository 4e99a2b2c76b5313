"""The conformance kit lets a good segmenter pass and names the rule that a bad one breaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteoct.anatomy import Level
from osteoct.errors import ConfigError
from osteoct.geometry import Geometry
from osteoct.segment.interface import SegmentOptions
from osteoct.segment.testing import RULES, ConformanceError, check_segmenter, dice_by_level


@pytest.fixture(scope="module")
def good(nearest_hu):
    """A segmenter that keeps every rule."""
    return nearest_hu.NearestHuSegmenter(SegmentOptions())


def test_a_good_segmenter_passes_every_rule(good, coarse_spine):
    """A kit that nothing passes would say nothing; the masks are right as well."""
    check_segmenter(good, coarse_spine.ct)
    dice = dice_by_level(coarse_spine.vertebrae, good.segment(coarse_spine.ct).vertebrae)
    assert min(dice[level] for level in Level if level.is_lumbar and level in dice) > 0.9


def _moved(labels):
    affine = labels.geometry.affine.copy()
    affine[0, 3] += 1
    return replace(labels, geometry=Geometry(shape=labels.geometry.shape, affine=affine))


def _swapped(labels):
    kinds = dict(labels.structures)
    kinds[30], kinds[31] = kinds[31], kinds[30]
    return replace(labels, structures=kinds)


def _unnamed(labels):
    return replace(labels, structures={n: s for n, s in labels.structures.items() if n != 30})


def _doubled(labels):
    return replace(labels, structures={**labels.structures, 99: labels.structures[30]})


SPOILED = {
    "same-grid": lambda m: replace(m, vertebrae=_moved(m.vertebrae)),
    "unsigned-labels": lambda m: replace(
        m, vertebrae=replace(m.vertebrae, array=m.vertebrae.array.astype(np.int16))
    ),
    "levels-named": lambda m: replace(m, vertebrae=_unnamed(m.vertebrae)),
    "has-vertebrae": lambda m: replace(
        m, vertebrae=replace(m.vertebrae, array=np.zeros_like(m.vertebrae.array))
    ),
    "levels-in-order": lambda m: replace(m, vertebrae=_swapped(m.vertebrae)),
    "bodies-meet-vertebrae": lambda m: replace(
        m, bodies=replace(m.bodies, array=m.bodies.array[:, ::-1])
    ),
    "provenance": lambda m: replace(
        m, provenance=m.provenance.model_copy(update={"weights": {"a": "not a hash"}})
    ),
}


class Spoiled:
    """The good segmenter with its result changed."""

    name = "nearest-hu"

    def __init__(self, good, spoil):
        self._good, self._spoil, self.runs = good, spoil, 0

    def describe(self):
        return self._good.describe()

    def check(self):
        self._good.check()

    def segment(self, ct):
        self.runs += 1
        return self._spoil(self, ct, self._good.segment(ct))


def _broken_rule(segmenter, ct, **options):
    with pytest.raises(ConformanceError) as caught:
        check_segmenter(segmenter, ct, **options)
    return caught.value.rule


@pytest.mark.parametrize("rule", SPOILED)
def test_a_spoiled_result_breaks_its_rule(good, coarse_spine, rule):
    """Each rule fires, and it is that rule which fires."""
    spoiled = Spoiled(good, lambda _, __, made: SPOILED[rule](made))
    assert _broken_rule(spoiled, coarse_spine.ct) == rule


def test_one_level_under_two_labels_is_found(good, coarse_spine):
    """Two labels of one level would be measured as one of them."""
    spoiled = Spoiled(good, lambda _, __, made: replace(made, vertebrae=_doubled(made.vertebrae)))
    assert _broken_rule(spoiled, coarse_spine.ct) == "levels-named"


def test_a_second_run_that_differs_is_found(good, coarse_spine):
    """A result that cannot be made again cannot be checked."""

    def drop(segmenter, _, made):
        array = made.vertebrae.array.copy()
        array[array == 31] = 31 if segmenter.runs == 1 else 0
        return replace(made, vertebrae=replace(made.vertebrae, array=array))

    assert _broken_rule(Spoiled(good, drop), coarse_spine.ct) == "deterministic"


def test_a_segmenter_that_counts_array_axes_is_found(good, coarse_spine):
    """Arrays arrive in any orientation; "the first axis is left–right" is true of most only."""

    def cut(_, __, made):
        array = made.vertebrae.array.copy()
        array[: array.shape[0] // 2] = 0
        return replace(made, vertebrae=replace(made.vertebrae, array=array))

    assert _broken_rule(Spoiled(good, cut), coarse_spine.ct) == "equivariant"


def test_masks_of_air_are_found(good, coarse_spine):
    """Empty masks instead of an error become a result without numbers, or worse."""

    class Eager(Spoiled):
        def segment(self, ct):
            return self._good.segment(ct if ct.array.max() > 0 else coarse_spine.ct)

    assert _broken_rule(Eager(good, None), coarse_spine.ct) == "refuses-nothing"


def test_a_changed_input_is_found(good, coarse_spine):
    """The same array is measured afterwards."""

    def clip(_, ct, made):
        ct.array[0, 0, 0] += 1
        return made

    ct = replace(coarse_spine.ct, array=coarse_spine.ct.array.copy())
    assert _broken_rule(Spoiled(good, clip), ct) == "input-unchanged"


def test_what_is_no_segmenter_is_found(coarse_spine):
    """Before anything is called on it."""
    assert _broken_rule(object(), coarse_spine.ct) == "is-a-segmenter"


def test_a_false_name_is_found(good, coarse_spine):
    """Users choose by the name, results are traced by it."""
    spoiled = Spoiled(good, None)
    spoiled.name = "another"
    assert _broken_rule(spoiled, coarse_spine.ct) == "describes-itself"


def test_skipped_rules_are_named_right(good, coarse_spine):
    """A rule that is skipped under a wrong name would not be skipped in silence."""
    assert {"deterministic", "equivariant", "refuses-nothing"} < set(RULES)
    with pytest.raises(ConfigError):
        check_segmenter(good, coarse_spine.ct, skip=["no-such-rule"])
