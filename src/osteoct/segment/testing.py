"""Does a segmenter keep the rules? One call in the tests of whoever brings one.

Each rule has a name; :class:`ConformanceError` carries it. A segmenter that takes minutes may skip
rules that run it again, by name and in plain sight.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from scipy import ndimage

from osteoct.anatomy import Level, Part
from osteoct.errors import ConfigError, SegmentationError
from osteoct.segment.interface import Segmentation, Segmenter, SegmenterState
from osteoct.volume import CTVolume, LabelVolume

SAME_DICE: Final = 0.95
"""Least Dice per level between a CT and the same CT with its axes turned: networks are not exactly
equivariant where an image's edges fall elsewhere in their patches."""

BODIES_INSIDE: Final = 0.5
"""Least share of the body masks inside the vertebrae: two models differ at the surface, while masks
with an axis flipped hardly meet."""

EMPTY_HU: Final = -1000
"""Air."""

TURNED: Final = "PIR"
"""Another order and other directions of the axes than any scanner's usual ones."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ConformanceError(AssertionError):
    """A segmenter breaks a rule.

    Parameters
    ----------
    rule
        Name of the rule, a key of :data:`RULES`.
    """

    def __init__(self, rule: str, what: str) -> None:
        self.rule = rule
        super().__init__(f"{rule}: {what}")


def check_segmenter(segmenter: Segmenter, ct: CTVolume, *, skip: Collection[str] = ()) -> None:
    """Run a segmenter and check every rule of :data:`RULES`.

    Parameters
    ----------
    segmenter
        Made with the options it is to be tested with.
    ct
        An image in which it finds vertebrae.
    skip
        Names of rules left out. ``deterministic``, ``equivariant`` and ``refuses-nothing`` run the
        segmenter once more each.

    Raises
    ------
    ConformanceError
        The first rule that is broken.
    ConfigError
        A name in ``skip`` is no rule.
    """
    unknown = sorted(set(skip) - set(RULES))
    if unknown:
        raise ConfigError("unknown rule", found=unknown[0], wanted="one of " + ", ".join(RULES))
    _check_shape_of(segmenter)
    before = ct.array.copy()
    made = segmenter.segment(ct)
    if not np.array_equal(before, ct.array):
        raise ConformanceError("input-unchanged", "the CT's array was changed")
    for rule, check in RULES.items():
        if rule not in skip:
            check(segmenter, ct, made)


def dice_by_level(a: LabelVolume, b: LabelVolume) -> dict[Level, float]:
    """Dice of each level that either of two label volumes on one grid holds, 0 … 1."""
    names = ({s.level: n for n, s in v.structures.items() if s.level} for v in (a, b))
    in_a, in_b = names
    out: dict[Level, float] = {}
    for level in Level:
        one = a.array == in_a.get(level, -1) if level in in_a else np.zeros(a.array.shape, bool)
        two = b.array == in_b.get(level, -1) if level in in_b else np.zeros(b.array.shape, bool)
        total = int(one.sum()) + int(two.sum())
        if total:
            out[level] = 2 * int((one & two).sum()) / total
    return out


def _check_shape_of(segmenter: Segmenter) -> None:
    if not isinstance(segmenter, Segmenter):
        raise ConformanceError("is-a-segmenter", "name, describe, check or segment is missing")
    state = segmenter.describe()
    if not isinstance(state, SegmenterState) or state.name != segmenter.name or not state.name:
        raise ConformanceError("describes-itself", f"describe() names {getattr(state, 'name', 0)}")
    segmenter.check()


def _is_on_the_grid(_: Segmenter, ct: CTVolume, made: Segmentation) -> None:
    for role, labels in _volumes(made):
        if not labels.geometry.is_same_grid(ct.geometry):
            raise ConformanceError("same-grid", f"{role} do not lie on the CT's grid")


def _has_unsigned_labels(_: Segmenter, __: CTVolume, made: Segmentation) -> None:
    for role, labels in _volumes(made):
        if labels.array.dtype.kind != "u":
            raise ConformanceError("unsigned-labels", f"{role} are {labels.array.dtype}")


def _has_vertebrae(_: Segmenter, __: CTVolume, made: Segmentation) -> None:
    present = _present(made.vertebrae)
    if not any(_part(made.vertebrae, n) is Part.VERTEBRA for n in present):
        raise ConformanceError("has-vertebrae", f"labels present: {sorted(present)}")


def _names_levels(_: Segmenter, __: CTVolume, made: Segmentation) -> None:
    for role, labels in _volumes(made):
        unknown = sorted(n for n in _present(labels) if n not in labels.structures)
        if unknown:
            raise ConformanceError("levels-named", f"label {unknown[0]} of the {role} has no name")
    nameless = [
        s.name
        for s in made.vertebrae.structures.values()
        if s.part is Part.VERTEBRA and s.level is None
    ]
    levels = [s.level for s in made.vertebrae.structures.values() if s.level is not None]
    if nameless or len(set(levels)) != len(levels):
        raise ConformanceError("levels-named", "a vertebra without a level, or a level twice")


def _has_levels_in_order(_: Segmenter, __: CTVolume, made: Segmentation) -> None:
    labels = made.vertebrae
    present = _present(labels)
    known = [(n, s.level) for n, s in labels.structures.items() if n in present and s.level]
    known.sort(key=lambda item: item[1].order)
    numbers = [n for n, _ in known]
    centres = np.array(ndimage.center_of_mass(labels.array > 0, labels.array, numbers))
    heights = labels.geometry.to_patient(centres.reshape(-1, 3))[:, 2]
    if (np.diff(heights) >= 0).any():
        raise ConformanceError("levels-in-order", "levels do not run from head to feet")


def _has_bodies_in_vertebrae(_: Segmenter, __: CTVolume, made: Segmentation) -> None:
    if made.bodies is None:
        return
    body = _mask(made.bodies, Part.BODY)
    if not body.any():
        raise ConformanceError("bodies-meet-vertebrae", "body masks without a body")
    share = float((body & _mask(made.vertebrae, Part.VERTEBRA)).sum() / body.sum())
    if share < BODIES_INSIDE:
        raise ConformanceError("bodies-meet-vertebrae", f"{share:.0%} of the bodies are inside")


def _tells_what_made_it(segmenter: Segmenter, _: CTVolume, made: Segmentation) -> None:
    told = made.provenance
    wrong = [name for name, value in told.weights.items() if not _SHA256.fullmatch(value)]
    if (
        told.name != segmenter.name
        or not told.version
        or wrong
        or told.seconds.get("total") is None
    ):
        raise ConformanceError("provenance", "name, version, weights' SHA-256 or seconds['total']")


def _is_deterministic(segmenter: Segmenter, ct: CTVolume, made: Segmentation) -> None:
    again = segmenter.segment(ct)
    pairs = zip(_volumes(made), _volumes(again), strict=True)
    for (role, one), (_, two) in pairs:
        if not np.array_equal(one.array, two.array):
            raise ConformanceError("deterministic", f"the {role} differ in a second run")


def _is_equivariant(segmenter: Segmenter, ct: CTVolume, made: Segmentation) -> None:
    turned = ct.reoriented(TURNED)
    again = segmenter.segment(replace(turned, array=np.ascontiguousarray(turned.array)))
    back = again.vertebrae.geometry.reorientation_onto(ct.geometry)
    if back is None:
        raise ConformanceError("equivariant", "turned masks do not lie on the turned grid")
    worst = min(dice_by_level(made.vertebrae, again.vertebrae.apply(back)).items(), key=_by_dice)
    if worst[1] < SAME_DICE:
        raise ConformanceError("equivariant", f"Dice {worst[1]:.2f} at {worst[0]} when turned")


def _refuses_nothing(segmenter: Segmenter, ct: CTVolume, _: Segmentation) -> None:
    empty = replace(ct, array=np.full_like(ct.array, EMPTY_HU))
    try:
        segmenter.segment(empty)
    except SegmentationError:
        return
    raise ConformanceError("refuses-nothing", "air gave masks instead of a SegmentationError")


def _by_dice(item: tuple[Level, float]) -> float:
    return item[1]


def _volumes(made: Segmentation) -> list[tuple[str, LabelVolume]]:
    bodies = [] if made.bodies is None else [("bodies", made.bodies)]
    return [("vertebrae", made.vertebrae), *bodies]


def _present(labels: LabelVolume) -> set[int]:
    return set(np.unique(labels.array).tolist()) - {0}


def _part(labels: LabelVolume, number: int) -> Part | None:
    structure = labels.structures.get(number)
    return None if structure is None else structure.part


def _mask(labels: LabelVolume, part: Part) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    numbers = [n for n, s in labels.structures.items() if s.part is part]
    return np.isin(labels.array, numbers)


RULES: Final[Mapping[str, Callable[[Segmenter, CTVolume, Segmentation], None]]] = {
    "same-grid": _is_on_the_grid,
    "unsigned-labels": _has_unsigned_labels,
    "levels-named": _names_levels,
    "has-vertebrae": _has_vertebrae,
    "levels-in-order": _has_levels_in_order,
    "bodies-meet-vertebrae": _has_bodies_in_vertebrae,
    "provenance": _tells_what_made_it,
    "deterministic": _is_deterministic,
    "equivariant": _is_equivariant,
    "refuses-nothing": _refuses_nothing,
}
"""Every rule that can be skipped, by name. Never skipped: ``is-a-segmenter``, ``describes-itself``
and ``input-unchanged``."""
