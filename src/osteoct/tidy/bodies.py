"""Vertebral bodies as lumps of bone, whatever name their voxels bear.

Discs keep the bodies of a label map apart, and nothing else of a vertebra is as thick as its body:
more than 6 mm below the surface of all labels together there is one lump per body. Grown back by
as much, a lump is the body it came from, and its voxels should bear one name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.compartments.depth import ROUNDING, is_far
from osteoct.geometry import Geometry, grown
from osteoct.tidy.sampled import Sampled
from osteoct.volume import Mask

CORE_DEPTH_MM = 6.0
"""Depth at which lumps are looked for: laminae and pedicles are thinner than twice as much, the
lowest bodies, a crushed one apart, are higher."""

REGROWN_MM = 7.5
"""Distance that a lump is grown back: its depth and about half a cell."""

LEAST_LUMP_CM3 = 1.0
"""Lumps below it are no bodies: what is left of a thick pedicle or of a spinous process's root."""

LEAST_FLAT_CM3 = 10.0
"""A label below it may have no body in the image at all."""

FLAT_SHARE = 0.6
"""Share of the depth of a flat body that its own lump is looked for at."""

LEAST_OF_MEDIAN = 0.3
"""A lump below this share of the median one is no body either."""

MOST_OF_LABEL = 1.1
"""Volume of a lump, in median labels, above which it is two bodies whose masks meet across the
disc: a body has 0.5 to 0.7 of its own vertebra."""

MOST_OF_LONG_COLUMN = 1.2
"""The same for a lump no larger than those beside it: of a column from T9 to L5, two of whose
labels are mixed up, the median label is small for L5."""

MOST_OF_NEIGHBOUR = 1.3
"""Volume of a lump, in lumps beside it, up to which it is no larger: clean ones differ by 1.26."""

DEEPER_MM = 9.0
"""Depth at which a swollen lump is looked for again: arches of masks drawn 2 mm too wide that touch
each other are up to twice as thick as others, and still thinner than twice this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lump:
    """One body.

    Parameters
    ----------
    number
        Its number in :attr:`Lumps.array`.
    centre_mm
        Mean position (3,), patient space.
    volume_cm3
        Grown back.
    votes
        Share of its voxels per label; they add up to 1.
    is_flat
        Whether it lies nowhere as deep as bodies do, as a crushed one.
    """

    number: int
    centre_mm: NDArray[np.float64]
    volume_cm3: float
    votes: dict[int, float]
    is_flat: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Lumps:
    """All bodies of a column, head to feet, and where they are (0 elsewhere)."""

    array: NDArray[np.int32]
    lumps: tuple[Lump, ...]
    label_cm3: float = 0.0
    """Median volume of a label."""

    @property
    def are_apart(self) -> bool:
        """Whether none of them is two bodies in one."""
        sizes = [lump.volume_cm3 for lump in self.lumps if not lump.is_flat]
        if not sizes or max(sizes) > MOST_OF_LONG_COLUMN * self.label_cm3:
            return False
        return len(sizes) > 1 and not any(
            size > MOST_OF_LABEL * self.label_cm3
            and size > MOST_OF_NEIGHBOUR * min(sizes[max(n - 1, 0) : n + 2])
            for n, size in enumerate(sizes)
        )


def find_lumps(sampled: Sampled) -> Lumps:
    """Find the bodies of a column."""
    geometry = sampled.geometry
    bone = sampled.array > 0
    parts, count = ndi.label(_deeper_than(CORE_DEPTH_MM, bone, geometry))
    least = LEAST_LUMP_CM3 * 1000 / geometry.voxel_volume_mm3
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    keep = sizes >= least
    keep[0] = False
    parts = np.where(keep[parts], parts, 0)
    if not keep.any():
        return Lumps(array=parts.astype(np.int32), lumps=())
    regrown = _regrow(parts, bone, geometry)
    sizes = np.bincount(regrown.ravel(), minlength=count + 1)[1:]
    is_small = np.append(False, sizes < LEAST_OF_MEDIAN * np.median(sizes[sizes > 0]))
    regrown[is_small[regrown]] = 0
    _trim_swollen(regrown, bone, geometry)
    _add_flat(regrown, sampled, free=count + 1)
    cells = _cells_of(regrown)
    lumps = [replace(_describe(n, index, sampled), is_flat=n > count) for n, index in cells.items()]
    in_order = tuple(sorted(lumps, key=lambda lump: -lump.centre_mm[2]))
    counts = np.unique(sampled.array[bone], return_counts=True)[1]
    median = float(np.median(counts)) * geometry.voxel_volume_mm3 / 1000
    return Lumps(array=regrown, lumps=in_order, label_cm3=median)


def _deeper_than(depth_mm: float, bone: Mask, geometry: Geometry) -> Mask:
    """Cells (I, J, K) deeper in the bone than a depth; beyond the array there is none."""
    far = is_far(np.pad(bone, 1), geometry.spacing_mm, depth_mm + ROUNDING)
    deep: Mask = far[1:-1, 1:-1, 1:-1]
    return deep


def _cells_of(numbered: NDArray[np.int32]) -> dict[int, NDArray[np.int64]]:
    """Indices (n, 3) of the cells of each number, looked for in the number's own box."""
    found: dict[int, NDArray[np.int64]] = {}
    for number, box in enumerate(ndi.find_objects(numbered), start=1):
        if box is not None:
            corner = np.array([side.start for side in box])
            found[number] = np.argwhere(numbered[box] == number) + corner
    return found


def _regrow(parts: NDArray[Any], bone: Mask, geometry: Geometry) -> NDArray[np.int32]:
    """Grow each part back within the bone, box by box; a cell goes to the nearest part."""
    near = np.full(parts.shape, np.inf, dtype=np.float32)
    regrown = np.zeros(parts.shape, dtype=np.int32)
    x, y, z = (int(REGROWN_MM / s) + 1 for s in geometry.spacing_mm)
    boxes = ndi.find_objects(parts)
    for number in np.unique(parts[parts > 0]).tolist():
        a, b, c = boxes[number - 1]
        box = grown((a, b, c), (x, y, z), geometry.shape)
        away = ndi.distance_transform_edt(parts[box] != number, sampling=geometry.spacing_mm)
        mine = bone[box] & (away <= REGROWN_MM) & (away < near[box])
        near[box][mine] = away[mine]
        regrown[box][mine] = number
    return regrown


def _trim_swollen(grown: NDArray[np.int32], bone: Mask, geometry: Geometry) -> None:
    """Take arches off a lump that is much larger than those beside it and than most.

    Where masks are drawn too wide the arches of neighbours touch, and together they may be as deep
    as bodies: they then hang on one of them. A deeper cut leaves the body. A lump that falls into
    parts of like size is two bodies, and stays.
    """
    cells = _cells_of(grown)
    middles = {n: geometry.to_patient(index.mean(axis=0)) for n, index in cells.items()}
    numbers = sorted(cells, key=lambda n: -middles[n][2])
    for place in _find_swollen([len(cells[n]) for n in numbers]):
        mine = grown == numbers[place]
        parts, _ = ndi.label(mine & _deeper_than(DEEPER_MM, bone, geometry))
        deep = np.bincount(parts.ravel())[1:]
        if not deep.size or np.count_nonzero(deep > LEAST_OF_MEDIAN * deep.max()) > 1:
            continue
        main = parts == int(deep.argmax()) + 1
        away = ndi.distance_transform_edt(~main, sampling=geometry.spacing_mm)
        grown[mine & (away > REGROWN_MM + DEEPER_MM - CORE_DEPTH_MM)] = 0


def _find_swollen(sizes: list[int]) -> list[int]:
    """Places of lumps larger than clean bodies are beside their neighbours, and than most."""
    found = []
    for place, size in enumerate(sizes):
        beside = sizes[max(place - 1, 0) : place] + sizes[place + 1 : place + 2]
        others = sizes[:place] + sizes[place + 1 :]
        if beside and size > MOST_OF_NEIGHBOUR * max(*beside, float(np.median(others))):
            found.append(place)
    return found


def _add_flat(grown: NDArray[np.int32], sampled: Sampled, *, free: int) -> None:
    """Add the body of a label that is in no lump: one so flat that no voxel lies deep enough."""
    spacing, voxel = sampled.geometry.spacing_mm, sampled.geometry.voxel_volume_mm3 / 1000
    labels, counts = np.unique(sampled.array[sampled.array > 0], return_counts=True)
    in_lumps = np.bincount(sampled.array[grown > 0].astype(np.int64), minlength=labels.max() + 1)
    for label, count in zip(labels.tolist(), counts.tolist(), strict=True):
        if in_lumps[label] * voxel >= LEAST_LUMP_CM3 or count * voxel < LEAST_FLAT_CM3:
            continue
        mine = (sampled.array == label) & (grown == 0)
        depth = ndi.distance_transform_edt(mine, sampling=spacing)
        parts, _ = ndi.label(depth >= FLAT_SHARE * depth.max())
        middle = parts == parts[np.unravel_index(int(depth.argmax()), depth.shape)]
        reach = FLAT_SHARE * float(depth.max()) + REGROWN_MM - CORE_DEPTH_MM
        away = ndi.distance_transform_edt(~middle, sampling=spacing)
        grown[mine & (away <= reach)] = free
        free += 1


def _describe(number: int, index: NDArray[np.int64], sampled: Sampled) -> Lump:
    """Place, size and votes of the lump of some cells (n, 3)."""
    geometry = sampled.geometry
    labels, counts = np.unique(sampled.array[tuple(index.T)], return_counts=True)
    return Lump(
        number=number,
        centre_mm=geometry.to_patient(index.mean(axis=0)),
        volume_cm3=len(index) * geometry.voxel_volume_mm3 / 1000,
        votes={int(la): float(c) / len(index) for la, c in zip(labels, counts, strict=True)},
    )
