"""What was measured, as one label map on the CT's grid.

Protocols overlap: a voxel may lie in the core of the vertebra and in the core of the body. So every
combination of regions that occurs at a level is a label of its own, with a name that says which
regions its voxels belong to. The integers are the same in every case: ``level × 32 + bits``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level, Part, Structure
from osteoct.compartments.level import LevelCompartments
from osteoct.errors import LabelsError
from osteoct.geometry import Geometry
from osteoct.protocols import PROTOCOLS, Protocol, Region
from osteoct.volume import LabelVolume

BODY_BIT = 1
EXCLUDED_BIT = 2
CORE_BITS = {protocol_id: 4 << n for n, protocol_id in enumerate(PROTOCOLS)}
"""Bit of each protocol's trabecular region, in the order the protocols are listed."""

STRIDE = 4 << len(PROTOCOLS)
"""Labels per level."""


_NAME = re.compile(r"(?P<level>\w+) (?P<part>\w+): (?P<notes>.+)")
_NO_CORE = "no core"
_EXCLUDED = "excluded"


@dataclass(frozen=True, kw_only=True)
class CompartmentLabel:
    """What one label of the map says of its voxels.

    Parameters
    ----------
    part
        ``BODY``; ``POSTERIOR``, or ``VERTEBRA`` where the level has no body.
    cores
        Ids of the protocols whose trabecular region holds the voxels.
    """

    level: Level
    part: Part
    cores: tuple[str, ...] = ()
    is_excluded: bool = False

    @property
    def name(self) -> str:
        """The label's name, such as ``L1 body: body-core-4 trabecular, excluded``."""
        notes = [f"{protocol_id} {Region.TRABECULAR}" for protocol_id in self.cores]
        notes += [_EXCLUDED] if self.is_excluded else []
        return f"{self.level} {self.part.value}: {', '.join(notes) or _NO_CORE}"

    def is_in(self, region: Region, protocol: Protocol) -> bool:
        """Whether its voxels belong to a region of a protocol; the shell is what is no core."""
        if region is Region.VERTEBRA:
            return True
        if region is Region.BODY:
            return self.part is Part.BODY
        is_core = protocol.id in self.cores
        return is_core if region is Region.TRABECULAR else self._is_shell(protocol, is_core=is_core)

    def _is_shell(self, protocol: Protocol, *, is_core: bool) -> bool:
        return self.is_in(protocol.base, protocol) and not is_core


def parse_compartments(names: Mapping[int, str]) -> dict[int, CompartmentLabel]:
    """Read the names of a map back; the integers of another version's map may be others.

    Raises
    ------
    LabelsError
        A name that no such map holds.

    Examples
    --------
    >>> parse_compartments({641: "L1 body: axial-roi trabecular"})[641].cores
    ('axial-roi',)
    """
    return {number: _parse(name) for number, name in names.items()}


def _parse(name: str) -> CompartmentLabel:
    match = _NAME.fullmatch(name)
    if not match or match["level"] not in Level.__members__ or match["part"] not in _PARTS:
        raise LabelsError(
            "is no compartment", found=repr(name[:60]), wanted="a name such as 'L1 body: no core'"
        )
    notes = match["notes"].split(", ")
    suffix = f" {Region.TRABECULAR}"
    return CompartmentLabel(
        level=Level[match["level"]],
        part=Part(match["part"]),
        cores=tuple(n.removesuffix(suffix) for n in notes if n.endswith(suffix)),
        is_excluded=_EXCLUDED in notes,
    )


_PARTS = {Part.VERTEBRA.value, Part.BODY.value, Part.POSTERIOR.value}


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
    label = CompartmentLabel(
        level=Level(level.level),
        part=Part.BODY if code & BODY_BIT else rest,
        cores=tuple(protocol_id for protocol_id, bit in CORE_BITS.items() if code & bit),
        is_excluded=bool(code & EXCLUDED_BIT),
    )
    return Structure(name=label.name, part=label.part, level=label.level)
