"""What the bodies say about the labels: which label lies in whose body, and whose arch is whose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level
from osteoct.compartments.column import Bone
from osteoct.tidy.bodies import Lump, Lumps, find_lumps
from osteoct.tidy.naming import Naming, name_bodies
from osteoct.tidy.sampled import Sampled

FOREIGN_SHARE = 0.05
"""Share of a body under another body's name above which something is wrong with the labels.

Clean bodies of the project's real example, of expert masks and of phantoms have at most 0.01.
"""

ARCH_RATIO = 1.8
"""Ratio of the posterior elements of neighbours above which the one bears parts of the other's.

Clean neighbours differ by up to 1.5 (L3 and L4 of an expert mask), and by 2 where an eighth of a
vertebra bears its neighbour's name.
"""

ARCH_MEAN_RANGE = (0.6, 1.7)
"""Mean of the two, in medians of all levels: outside it something is missing, not misnamed."""

MERGED_SHARE = 0.6
"""Share of a body under a neighbour's name from which on it is no leak: the label
holds two levels."""

SMALL_SHARE = 0.15
"""A foreign part of a body up to this share may be the root of a misnamed arch."""


class Kind(StrEnum):
    """What is wrong with the labels of two levels."""

    SWAPPED = "swapped"
    MERGED = "merged"
    LEAK = "leak"
    SPLIT = "split"
    ARCH = "arch"


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixup:
    """One thing that is wrong with two labels.

    Parameters
    ----------
    name
        What the voxels are called.
    owner
        Whose they are.
    share
        Share of the owner's body (for an arch: of both posterior elements) under the other name.
    place_mm
        The middle of what is misnamed, patient space.
    """

    kind: Kind
    name: Level
    owner: Level
    share: float
    place_mm: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """A column as its bodies show it.

    Parameters
    ----------
    naming
        ``None`` where there are more bodies than names, or bodies could not be told apart.
    posterior_cm3
        Volume of the posterior elements by label.
    """

    sampled: Sampled
    bones: tuple[Bone, ...]
    lumps: Lumps
    naming: Naming | None
    mixups: tuple[Mixup, ...]
    posterior_cm3: dict[Level, float]

    @property
    def label_of(self) -> dict[Level, int]:
        """The label of each level that has one."""
        return {bone.level: bone.label for bone in self.bones if bone.level is not None}

    @property
    def level_of(self) -> dict[int, Level]:
        """The level of each label."""
        return {label: level for level, label in self.label_of.items()}


def read_column(sampled: Sampled, bones: tuple[Bone, ...]) -> Reading:
    """Find the bodies, name them, and tell what does not fit."""
    lumps = find_lumps(sampled)
    level_of = {b.label: b.level for b in bones if b.level is not None}
    votes = [{level_of[la]: v for la, v in lump.votes.items()} for lump in lumps.lumps]
    naming = name_bodies(votes) if lumps.are_apart else None
    posterior = measure_posterior(sampled.array, lumps.array, sampled, bones)
    mixups: list[Mixup] = []
    if lumps.are_apart:
        mixups = _find_merged(lumps, votes) if naming is None else []
        if naming is not None:
            mixups = _find_mixups(lumps, votes, naming, sampled, bones)
    if lumps.are_apart and naming is not None:
        mixups = _join(mixups, _find_arches(lumps, naming, posterior, sampled, bones))
    return Reading(
        sampled=sampled,
        bones=bones,
        lumps=lumps,
        naming=naming,
        mixups=tuple(mixups),
        posterior_cm3=posterior,
    )


def _join(mixups: list[Mixup], arches: list[Mixup]) -> list[Mixup]:
    """What is wrong with bodies and with arches, each level once.

    A misnamed arch may take the back wall of its body with it.
    """
    roots = {(m.name, m.owner) for m in mixups if m.share <= SMALL_SHARE}
    arches = sorted(arches, key=lambda m: -m.share)
    taken = {lv for m in mixups if (m.name, m.owner) not in roots for lv in (m.name, m.owner)}
    joined = []
    for arch in arches:
        if taken.isdisjoint((arch.name, arch.owner)):
            joined.append(arch)
            taken |= {arch.name, arch.owner}
    told = {(m.name, m.owner) for m in joined}
    return [m for m in mixups if (m.name, m.owner) not in told] + joined


def measure_posterior(
    array: NDArray[np.generic],
    lumps: NDArray[np.int32],
    sampled: Sampled,
    bones: tuple[Bone, ...],
) -> dict[Level, float]:
    """Volume (cm³) of what each label has outside all bodies."""
    labels = array[lumps == 0].astype(np.int64)
    counts = np.bincount(labels, minlength=max((b.label for b in bones), default=0) + 1)
    voxel = sampled.geometry.voxel_volume_mm3 / 1000
    return {b.level: float(counts[b.label] * voxel) for b in bones if b.level is not None}


def _find_merged(lumps: Lumps, votes: list[dict[Level, float]]) -> list[Mixup]:
    """Labels that are in more than one body, where the bodies cannot be named."""
    main = [max(body, key=lambda level: body[level]) for body in votes]
    pairs = zip(pairwise(lumps.lumps), pairwise(main), strict=True)
    return [
        Mixup(kind=Kind.MERGED, name=a, owner=a, share=1.0, place_mm=upper.centre_mm)
        for (upper, lower), (a, b) in pairs
        if a is b and _is_above(upper.centre_mm - lower.centre_mm)
    ]


def _is_above(offset_mm: NDArray[np.float64]) -> bool:
    """Whether an offset leads along the spine: a lump behind a body is a thick arch."""
    return bool(abs(offset_mm[2]) > max(abs(offset_mm[0]), abs(offset_mm[1])))


def _find_mixups(
    lumps: Lumps,
    votes: list[dict[Level, float]],
    naming: Naming,
    sampled: Sampled,
    bones: tuple[Bone, ...],
) -> list[Mixup]:
    """Names that bodies bear beside their own."""
    label_of = {b.level: b.label for b in bones}
    foreign = {
        (name, owner): share
        for body, owner in zip(votes, naming.levels, strict=True)
        for name, share in body.items()
        if name is not owner and share > FOREIGN_SHARE
    }
    main = {
        owner: max(body, key=lambda level, body=body: body[level])  # type: ignore[misc]
        for body, owner in zip(votes, naming.levels, strict=True)
    }
    mixups = []
    for lump, owner in zip(lumps.lumps, naming.levels, strict=True):
        for name in sorted((n for n, o in foreign if o is owner), key=lambda lv: lv.order):
            index = np.argwhere((lumps.array == lump.number) & (sampled.array == label_of[name]))
            place = sampled.geometry.to_patient(index.mean(axis=0))
            kind = _tell_kind(name, owner, foreign, main, place - lump.centre_mm)
            mixups.append(
                Mixup(kind=kind, name=name, owner=owner, share=foreign[name, owner], place_mm=place)
            )
    return mixups


def _tell_kind(
    name: Level,
    owner: Level,
    foreign: dict[tuple[Level, Level], float],
    main: dict[Level, Level],
    offset_mm: NDArray[np.float64],
) -> Kind:
    """What a foreign name in a body amounts to."""
    if (owner, name) in foreign:
        return Kind.SWAPPED
    if foreign[name, owner] >= MERGED_SHARE and main.get(name) is name:
        return Kind.MERGED
    # right half and left half, or upper part and lower part
    return Kind.SPLIT if abs(offset_mm[0]) > abs(offset_mm[2]) else Kind.LEAK


def _find_arches(
    lumps: Lumps,
    naming: Naming,
    posterior: dict[Level, float],
    sampled: Sampled,
    bones: tuple[Bone, ...],
) -> list[Mixup]:
    """Neighbours of which one has the arch of both."""
    flat = {lv for lv, lu in zip(naming.levels, lumps.lumps, strict=True) if lu.is_flat}
    whole = {b.level: b for b in bones if b.is_whole and b.level not in flat}
    sizes = [posterior[lv] for lv in naming.levels if lv in whole]
    mixups = []
    for upper, lower in pairwise(naming.levels):
        if upper not in whole or lower not in whole or lower.order - upper.order > 1:
            continue
        large, small = sorted((upper, lower), key=lambda lv: -posterior[lv])
        mean = (posterior[large] + posterior[small]) / 2 / float(np.median(sizes))
        low, high = ARCH_MEAN_RANGE
        if posterior[large] < ARCH_RATIO * posterior[small] or not low <= mean <= high:
            continue
        lump = lumps.lumps[naming.levels.index(small)]
        share = (posterior[large] - posterior[small]) / (posterior[large] + posterior[small])
        index = np.argwhere((sampled.array == whole[large].label) & (lumps.array == 0))
        points = sampled.geometry.to_patient(index)
        near = points[
            np.argsort(np.abs(points[:, 2] - lump.centre_mm[2]))[: max(len(points) // 4, 1)]
        ]
        mixups.append(
            Mixup(kind=Kind.ARCH, name=large, owner=small, share=share, place_mm=near.mean(axis=0))
        )
    return mixups


def lump_of(reading: Reading, level: Level) -> Lump | None:
    """The body that bears a name."""
    if reading.naming is None or level not in reading.naming.levels:
        return None
    return reading.lumps.lumps[reading.naming.levels.index(level)]
