"""What was repaired in the masks: a sentence and two pictures per repair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osteoct.anatomy import Level, name_levels
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Box, grown
from osteoct.records import CaseResult, HuChange, Repair, RepairRule
from osteoct.report.figures.drawing import draw_section
from osteoct.report.figures.section import (
    CORONAL_LETTERS,
    SAGITTAL_LETTERS,
    Layer,
    Letters,
    Outline,
    Section,
    as_displayed,
)
from osteoct.report.pictures import Picture, make_picture
from osteoct.report.wording import format_number
from osteoct.volume import CTVolume, Mask

MARGIN_MM = 12.0
"""Room around the levels on a picture."""

SIDE_RULES = (RepairRule.JOIN_SPLIT, RepairRule.RENAME_SWAPPED, RepairRule.REMOVE_STRAY)
"""What is seen best from the front: parts at one side."""

WORDS: Mapping[RepairRule, str] = {
    RepairRule.RENAME_SWAPPED: "bore each other's names, whole or in parts; each got its own",
    RepairRule.SPLIT_MERGED: "were one label; each body got its own name",
    RepairRule.CUT_LEAK: "were divided at the disc, over which one label ran",
    RepairRule.JOIN_SPLIT: "were divided anew: one body bore both names",
    RepairRule.RETURN_ARCH: "were divided anew: posterior elements bore the neighbour's name",
    RepairRule.GIVE_STRAY: "were divided anew: a loose piece went to the level it touches",
    RepairRule.REMOVE_STRAY: "lost a loose piece far from the vertebra",
    RepairRule.FILL_HOLE: "had a hole, which was filled",
}


@dataclass(frozen=True, kw_only=True)
class RepairView:
    """One repair as the page shows it; without pictures where its levels were not asked for."""

    rule: str
    sentence: str
    pictures: tuple[Picture, ...]


def draw_repairs(
    result: CaseResult,
    ct: CTVolume,
    before: Sequence[LevelCompartments],
    after: Sequence[LevelCompartments],
) -> tuple[RepairView, ...]:
    """Say and draw every repair of a case.

    Parameters
    ----------
    before, after
        Compartments of the repaired levels as the masks came, and of all levels as measured.
    """
    return tuple(
        RepairView(
            rule=repair.rule, sentence=_say(repair), pictures=_draw(repair, ct, before, after)
        )
        for repair in result.repairs
    )


def _say(repair: Repair) -> str:
    """One repair in words, with what it did to the HU."""
    changes = "; ".join(text for change in repair.hu if (text := _say_change(change)))
    what = f"{name_levels(repair.levels)} {WORDS[repair.rule]} ({repair.volume_cm3:.1f} cm³)."
    return f"{what} Mean HU of the body's core, before → after: {changes}." if changes else what


def _say_change(change: HuChange) -> str:
    """The mean of one level, or nothing where it was never measured."""
    if change.before_hu is None and change.after_hu is None:
        return ""
    old, new = format_number(change.before_hu), format_number(change.after_hu)
    return f"{change.level} {old} → {new}"


def _draw(
    repair: Repair,
    ct: CTVolume,
    before: Sequence[LevelCompartments],
    after: Sequence[LevelCompartments],
) -> tuple[Picture, ...]:
    """The plane through the middle of what changed, with the masks before and after."""
    old = [level for level in before if level.level in repair.levels]
    new = [level for level in after if level.level in repair.levels]
    if not new:
        return ()
    is_frontal = repair.rule in SIDE_RULES
    axis, letters = (1, CORONAL_LETTERS) if is_frontal else (0, SAGITTAL_LETTERS)
    box = _box_of([*old, *new], ct)
    index = ct.geometry.to_index(np.array(repair.place_mm))[axis]
    at = int(np.clip(round(float(index)), box[axis].start, box[axis].stop - 1))
    plane = "Coronal" if is_frontal else "Sagittal"
    return tuple(
        make_picture(
            draw_section(_cut(ct, levels, box, axis, at, letters)),
            alt=f"{plane} CT picture of {name_levels(repair.levels)} with the masks {when}.",
            caption=f"{plane}, masks {when}",
        )
        for levels, when in ((old, "as they were"), (new, "as repaired"))
    )


def _box_of(levels: Sequence[LevelCompartments], ct: CTVolume) -> Box:
    """A box around levels with a margin."""
    a, b, c = (
        slice(min(lv.box[n].start for lv in levels), max(lv.box[n].stop for lv in levels))
        for n in range(3)
    )
    x, y, z = (int(np.ceil(MARGIN_MM / s)) for s in ct.geometry.spacing_mm)
    return grown((a, b, c), (x, y, z), ct.geometry.shape)


def _cut(
    ct: CTVolume,
    levels: Sequence[LevelCompartments],
    box: Box,
    axis: int,
    at: int,
    letters: Letters,
) -> Section:
    """One plane of the box, head up, with the outlines of the levels' vertebrae."""
    sheet = np.take(ct.array[box], at - box[axis].start, axis=axis).astype(np.float32)
    spacing = [s for n, s in enumerate(ct.geometry.spacing_mm) if n != axis]
    return Section(
        hu=as_displayed(sheet.T),
        spacing_mm=(spacing[1], spacing[0]),
        letters=letters,
        layers=tuple(
            _outline(level.level, level.vertebra, level.box, box, axis, at) for level in levels
        ),
    )


def _outline(level: Level, mask: Mask, own: Box, box: Box, axis: int, at: int) -> Layer:
    """The vertebra of one level on the plane."""
    whole = np.zeros([s.stop - s.start for s in box], dtype=bool)
    a, b, c = (slice(o.start - s.start, o.stop - s.start) for o, s in zip(own, box, strict=True))
    whole[a, b, c] = mask
    area = np.take(whole, at - box[axis].start, axis=axis)
    return Layer(level=level, areas={Outline.VERTEBRA: as_displayed(area.T)})
