"""Two segmentations of one CT, level by level: overlap, names, volumes, HU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osteoct.anatomy import Level, Part
from osteoct.compartments.boxes import label_boxes
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Box
from osteoct.records import LevelAgreement, LevelResult, OneSided, RegionAgreement
from osteoct.volume import LabelVolume, Mask

MM3_PER_CM3 = 1000.0

_BONES = (Part.VERTEBRA, Part.SACRUM)


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """One segmentation and what was measured with it, all on one grid.

    Parameters
    ----------
    vertebrae
        Every label, also of levels that were not asked for.
    compartments, levels
        Of the levels that were asked for.
    """

    vertebrae: LabelVolume
    compartments: tuple[LevelCompartments, ...]
    levels: tuple[LevelResult, ...]


def compare_readings(first: Reading, second: Reading) -> tuple[LevelAgreement, ...]:
    """Compare two segmentations at every level that was asked for and that one of them holds."""
    bones = _Bones(second.vertebrae)
    mine = {c.level: c for c in first.compartments}
    theirs = {c.level: c for c in second.compartments}
    results = {r.level: r for r in second.levels}
    return tuple(
        _compare_level(result, results[result.level], mine, theirs, bones)
        for result in first.levels
        if result.level in mine or result.level in theirs
    )


class _Bones:
    """The vertebrae and the sacrum of a label volume: their boxes and sizes."""

    def __init__(self, labels: LabelVolume) -> None:
        self.labels = labels
        self.boxes: Mapping[int, Box] = label_boxes(labels)
        self.names = {
            number: s.level.value if s.level is not None else s.name
            for number, s in labels.structures.items()
            if s.part in _BONES
        }

    def most_of(self, box: Box, mask: Mask) -> tuple[str, float] | None:
        """Name and Dice of the bone that covers most of a mask; ``None`` if none touches it."""
        inside = np.bincount(self.labels.array[box][mask].ravel())
        covers = {n: int(inside[n]) for n in self.names if n < inside.size and inside[n]}
        if not covers:
            return None
        number = max(covers, key=lambda n: (covers[n], -n))
        size = int(np.count_nonzero(self.labels.array[self.boxes[number]] == number))
        return self.names[number], 2 * covers[number] / (size + int(mask.sum()))


def _compare_level(
    result: LevelResult,
    other: LevelResult,
    mine: Mapping[Level, LevelCompartments],
    theirs: Mapping[Level, LevelCompartments],
    bones: _Bones,
) -> LevelAgreement:
    """One level; numbers are absent where only one segmentation holds it."""
    level = result.level
    one, two = mine.get(level), theirs.get(level)
    same = None if one is None else bones.most_of(one.box, one.vertebra)
    is_in_both = one is not None and two is not None
    reason = OneSided.ONLY_FIRST if two is None else OneSided.ONLY_SECOND
    return LevelAgreement(
        level=level,
        dice=_dice(one, two, of_body=False),
        body_dice=_dice(one, two, of_body=True),
        first_volume_cm3=_volume_cm3(one),
        second_volume_cm3=_volume_cm3(two),
        same_place=None if same is None else same[0],
        same_place_dice=None if same is None else same[1],
        hu=_compare_regions(result, other),
        reason=None if is_in_both else reason,
    )


def _compare_regions(first: LevelResult, second: LevelResult) -> tuple[RegionAgreement, ...]:
    """Mean HU of every region that was measured in both."""
    pairs = ((r, second.region(r.protocol, r.region)) for r in first.regions)
    return tuple(
        RegionAgreement(
            protocol=one.protocol,
            region=one.region,
            first_hu=one.hu.mean_hu,
            second_hu=two.hu.mean_hu,
            difference_hu=two.hu.mean_hu - one.hu.mean_hu,
        )
        for one, two in pairs
        if one.hu is not None and two is not None and two.hu is not None
    )


def _volume_cm3(level: LevelCompartments | None) -> float | None:
    """Volume of the whole vertebra; ``None`` where there is none."""
    if level is None:
        return None
    return int(level.vertebra.sum()) * level.geometry.voxel_volume_mm3 / MM3_PER_CM3


def _dice(
    one: LevelCompartments | None, two: LevelCompartments | None, *, of_body: bool
) -> float | None:
    """Dice of two masks on boxes of one grid; ``None`` where one is missing."""
    if one is None or two is None:
        return None
    a, b = (level.body if of_body else level.vertebra for level in (one, two))
    if a is None or b is None:
        return None
    common = _common(one.box, two.box)
    shared = 0
    if common is not None:
        parts = (m[_within(common, lv.box)] for m, lv in ((a, one), (b, two)))
        shared = int(np.logical_and(*parts).sum())
    return 2 * shared / int(a.sum() + b.sum())


def _common(one: Box, two: Box) -> Box | None:
    """Where two boxes overlap."""
    x, y, z = (
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, two, strict=True)
    )
    return None if any(s.stop <= s.start for s in (x, y, z)) else (x, y, z)


def _within(inner: Box, outer: Sequence[slice]) -> Box:
    """A box as indices of the box that holds it."""
    x, y, z = (
        slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True)
    )
    return x, y, z
