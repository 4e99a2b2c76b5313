"""Faults of labels that bear the wrong name: swapped, merged, split, numbered wrongly, missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from osteoct.anatomy import LUMBAR, Level, Part
from osteoct.phantom.faults.subject import Subject, assigned, farthest_share, label_in, with_level
from osteoct.volume import LabelVolume, Mask

RIGHT, FRONT = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])


def swap_parts(subject: Subject, first: Level, second: Level, *, share: float) -> Subject:
    """Exchange the labels of the right-hand share of two levels; 1 exchanges them whole."""
    of_first = farthest_share(subject, subject.mask(first), RIGHT, share)
    of_second = farthest_share(subject, subject.mask(second), RIGHT, share)
    return assigned(assigned(subject, of_first, second), of_second, first)


def merge(subject: Subject, level: Level, *, into: Level, share: float) -> Subject:
    """Give the share of a level that faces another one to that one: two levels in one label."""
    return assigned(subject, facing_share(subject, level, into, share), into)


def leak(subject: Subject, level: Level, *, into: Level, share: float) -> Subject:
    """Let a level's label run over the share of its neighbour that faces it."""
    return assigned(subject, facing_share(subject, into, level, share), level)


def facing_share(subject: Subject, level: Level, other: Level, share: float) -> Mask:
    """The share of a level's voxels that lies nearest to another level, along the line between."""
    towards = subject.centre_mm(other) - subject.centre_mm(level)
    return farthest_share(subject, subject.mask(level), towards, share)


def split_sideways(subject: Subject, level: Level, *, named: Level, share: float) -> Subject:
    """Give the right-hand share of a level a neighbour's name: one level in two labels."""
    part = farthest_share(subject, subject.mask(level), RIGHT, share)
    return assigned(subject, part, named)


def misname_arch(subject: Subject, level: Level, *, named: Level, share: float) -> Subject:
    """Give the hindmost share of a level a neighbour's name, as where arches are mixed up."""
    part = farthest_share(subject, subject.mask(level), -FRONT, share)
    return assigned(subject, part, named)


def drop_levels(subject: Subject, levels: Sequence[Level]) -> Subject:
    """Leave levels out of the masks."""
    for level in levels:
        subject = assigned(subject, subject.mask(level), None)
    return subject


def drop_bodies(subject: Subject, levels: Sequence[Level]) -> Subject:
    """Leave levels out of the body masks; without any level left there is no body mask."""
    if subject.bodies is None:
        return subject
    gone = [label_in(subject.bodies, level) for level in levels]
    array = np.where(np.isin(subject.bodies.array, gone), 0, subject.bodies.array)
    bodies = replace(subject.bodies, array=array.astype(subject.bodies.array.dtype))
    return replace(subject, bodies=bodies if array.any() else None)


def renumber(subject: Subject, names: Mapping[Level, Level | None]) -> Subject:
    """Give levels other names, all at once; ``None`` leaves a level out."""
    vertebrae = _renumbered(subject.vertebrae, names, Part.VERTEBRA)
    bodies = None if subject.bodies is None else _renumbered(subject.bodies, names, Part.BODY)
    return replace(subject, vertebrae=vertebrae, bodies=bodies)


def _renumbered(
    labels: LabelVolume, names: Mapping[Level, Level | None], part: Part
) -> LabelVolume:
    """One label volume with its levels renamed."""
    for level in (*names, *names.values()):
        labels = labels if level is None else with_level(labels, level, part=part)
    table = np.arange(max(labels.structures) + 1, dtype=labels.array.dtype)
    for old, new in names.items():
        table[label_in(labels, old)] = 0 if new is None else label_in(labels, new)
    return replace(labels, array=table[labels.array])


def number_along(subject: Subject, steps: int) -> Subject:
    """Name every vertebra of a column ``steps`` levels further down (up where negative)."""
    order: list[Level] = [level for level in Level if level not in (Level.T13, Level.L6)]
    names: dict[Level, Level | None] = {}
    for level in subject.levels:
        if level is not Level.S1:
            # at the end of the column the sacrum's first body keeps its name
            names[level] = order[min(order.index(level) + steps, order.index(Level.S1))]
    return renumber(subject, names)


def lumbar_only(subject: Subject) -> Subject:
    """Leave every label out but L1 to L5: nothing is left to count from."""
    wanted = [subject.label(level) for level in LUMBAR]
    keep = np.isin(subject.vertebrae.array, wanted)
    return assigned(subject, ~keep & (subject.vertebrae.array > 0), None)


def sacrum_mask(subject: Subject) -> Mask:
    """Where the sacrum is labelled, its first segment included."""
    structures = subject.vertebrae.structures
    numbers = [n for n, s in structures.items() if s.part is Part.SACRUM or s.level is Level.S1]
    found: Mask = np.isin(subject.vertebrae.array, numbers)
    return found


def sacrum_label(subject: Subject) -> int:
    """The integer of the sacrum or, in a scheme without one, of its first segment."""
    structures = subject.vertebrae.structures
    sacra = [n for n, s in structures.items() if s.part is Part.SACRUM]
    return sacra[0] if sacra else subject.label(Level.S1)


def name_sacrum_l5(subject: Subject, *, share: float) -> Subject:
    """Name the upper share of the sacrum L5, and every level above it one level up."""
    up = subject.centre_mm(Level.L5) - subject.centre_mm(Level.L4)
    part = farthest_share(subject, sacrum_mask(subject), -up, share)
    return assigned(number_along(subject, -1), part, Level.L5)


def give_to_sacrum(subject: Subject, level: Level, *, share: float) -> Subject:
    """Label the share of a level nearest the sacrum as sacrum; the rest stays as it is, or goes."""
    down = subject.centre_mm(Level.L5) - subject.centre_mm(Level.L4)
    part = farthest_share(subject, subject.mask(level), down, share)
    without = assigned(subject, part, None)
    array = np.where(part, sacrum_label(subject), without.vertebrae.array)
    array = array.astype(without.vertebrae.array.dtype)
    return replace(without, vertebrae=replace(without.vertebrae, array=array))
