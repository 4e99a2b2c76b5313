"""What was measured, as one label map on the CT's grid.

Protocols overlap: a voxel may lie in the core of the vertebra and in the core of the body. So every
combination of regions that occurs at a level is a label of its own, with a name that says which
regions its voxels belong to. The integers are the same in every case: ``level × 32 + bits``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level, Part, Structure
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.protocols import PROTOCOLS, Region
from osteoct.volume import LabelVolume

BODY_BIT = 1
EXCLUDED_BIT = 2
CORE_BITS = {protocol_id: 4 << n for n, protocol_id in enumerate(PROTOCOLS)}
"""Bit of each protocol's trabecular region, in the order the protocols are listed."""

STRIDE = 4 << len(PROTOCOLS)
"""Labels per level."""


def label_compartments(levels: Sequence[LevelCompartments], grid: Geometry) -> LabelVolume:
    """Draw the compartments of all levels into one label volume on ``grid``.

    Where the masks of two levels overlap in a box only the voxels of each level's own vertebra are
    written. The shell of a protocol is its base region without its core and needs no bit.
    """
    array = np.zeros(grid.shape, dtype=np.uint16)
    structures: dict[int, Structure] = {}
    for level in levels:
        codes = _codes(level)
        inside = level.vertebra
        array[level.box][inside] = codes[inside]
        for code in np.unique(codes[inside]):
            structures[int(code)] = _structure(level, int(code))
    return LabelVolume(array=array, geometry=grid, structures=structures)


def _codes(level: LevelCompartments) -> NDArray[np.uint16]:
    """The label of every voxel of a level's box, whether inside the vertebra or not."""
    codes = np.full(level.vertebra.shape, (level.level.order + 1) * STRIDE, dtype=np.uint16)
    if level.body is not None:
        codes[level.body] |= BODY_BIT
    codes[level.excluded] |= EXCLUDED_BIT
    for protocol_id, bit in CORE_BITS.items():
        core = level.regions.get((protocol_id, Region.TRABECULAR))
        if core is not None:
            codes[core] |= bit
    return codes


def _structure(level: LevelCompartments, code: int) -> Structure:
    """Name and part of a label, such as ``L1 body: body-core-4 trabecular``."""
    rest = Part.VERTEBRA if level.body is None else Part.POSTERIOR
    part = Part.BODY if code & BODY_BIT else rest
    cores = [f"{protocol_id} trabecular" for protocol_id, bit in CORE_BITS.items() if code & bit]
    notes = [*cores, *(["excluded"] if code & EXCLUDED_BIT else [])]
    name = f"{level.level} {part.value}: {', '.join(notes) or 'no core'}"
    return Structure(name=name, part=part, level=Level(level.level))
