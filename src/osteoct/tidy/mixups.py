"""Mixed-up labels put right, where the column leaves no doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from osteoct.anatomy import Level
from osteoct.tidy.column import Kind, Reading, lump_of, read_column
from osteoct.tidy.owners import Owners, find_owners

LEAST_BODIES = 4
"""Bodies that a column must have: of two that stand in the wrong order either may be right."""

MOST_RENAMED = 2
"""Bodies that may change their names: with more, the column may be
upside down or counted wrongly."""

MOST_LEVELS = 4
"""Levels that may be mixed up at once."""

LEAST_REPAIRED_SHARE = 0.10
"""Share of a body under another name from which on it is repaired: less may be the border between
two vertebrae that touch, drawn a little differently."""

UNLIKE = "the levels would not look alike afterwards"
"""Why not: what was thought to be wrong explains the labels no better than what they say."""

MAIN_SHARE = 0.5
"""Share of a body under its own name from which on it keeps its name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What is done about mixed-up labels: owners of all cells, or why nothing is done."""

    owners: Owners | None
    why_not: str = ""


def answer_mixups(reading: Reading) -> Answer:
    """Find whose everything is, or refuse."""
    why_not = _doubt(reading)
    if reading.naming is None or (why_not and not has_arches_alone(reading)):
        return Answer(owners=None, why_not=why_not)
    owners = find_owners(reading)
    why_not = _doubt_outcome(reading, owners) or why_not
    return Answer(owners=None if why_not else owners, why_not=why_not)


def has_arches_alone(reading: Reading) -> bool:
    """Whether nothing but volumes of posterior elements speaks for a mix-up."""
    return all(m.kind is Kind.ARCH for m in reading.mixups)


def _doubt(reading: Reading) -> str:  # noqa: PLR0911 - one reason each
    """What speaks against any repair of the names."""
    naming = reading.naming
    if naming is None:
        return "there are more bodies than names"
    if not naming.is_sure:
        return "the column can be read in two ways"
    if len(naming.levels) < LEAST_BODIES:
        return f"with fewer than {LEAST_BODIES} bodies the order is not sure"
    involved = {lv for m in reading.mixups for lv in (m.name, m.owner)}
    if max(m.share for m in reading.mixups) < LEAST_REPAIRED_SHARE:
        return "it is too little to be sure"
    if len(involved) > MOST_LEVELS or _count_renamed(reading) > MOST_RENAMED:
        return "too many levels are mixed up"
    if any(b.level in involved and not b.is_whole for b in reading.bones):
        return "the border of the image cuts one of the levels"
    if any((lump := lump_of(reading, lv)) is None or lump.is_flat for lv in involved):
        return "the body of one of the levels could not be told"
    return ""


def _count_renamed(reading: Reading) -> int:
    """Bodies most of whose voxels bear another name than theirs."""
    if reading.naming is None:
        return 0
    own = [
        lump.votes.get(reading.label_of.get(level, -1), 0.0)
        for lump, level in zip(reading.lumps.lumps, reading.naming.levels, strict=True)
    ]
    return sum(share < MAIN_SHARE for share in own)


def _doubt_outcome(reading: Reading, owners: Owners) -> str:
    """What is wrong with the labels as they would be: read again, they must be in order."""
    levels = {lv.order: lv for lv in Level}
    label_of = dict(reading.label_of)
    free = max(label_of.values()) + 1
    for order in np.unique(owners.levels[owners.levels >= 0]).tolist():
        if levels[order] not in label_of:
            label_of[levels[order]], free = free, free + 1
    table = np.zeros(max(levels) + 2, dtype=np.int64)
    for level, label in label_of.items():
        table[level.order] = label
    array = np.where(owners.levels >= 0, table[owners.levels], 0)
    sampled = replace(reading.sampled, array=array)
    whole = reading.bones[0]
    known = {b.level for b in reading.bones}
    added = tuple(
        replace(whole, level=lv, label=label, faces=())
        for lv, label in label_of.items()
        if lv not in known
    )
    again = read_column(sampled, (*reading.bones, *added))
    if again.naming is None or again.mixups:
        return UNLIKE
    return ""
