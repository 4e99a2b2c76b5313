"""Records of what was repaired in masks before they were measured."""

from __future__ import annotations

from enum import StrEnum

from osteoct.anatomy import Level
from osteoct.record import Record


class MasksUsed(StrEnum):
    """Which masks numbers come from."""

    ORIGINAL = "original"
    """As they were read or made."""
    REPAIRED = "repaired"
    """Changed by a rule; see :class:`Repair`."""


class RepairRule(StrEnum):
    """What is done to masks, and nothing else is."""

    RENAME_SWAPPED = "rename-swapped"
    """Two levels bear each other's names, whole or in parts: each gets its own."""
    SPLIT_MERGED = "split-merged"
    """One label holds two bodies and the name of one of them is free."""
    CUT_LEAK = "cut-leak"
    """A label runs over the disc into its neighbour: it ends at the disc."""
    JOIN_SPLIT = "join-split"
    """One body bears two names: it gets one."""
    RETURN_ARCH = "return-arch"
    """Posterior elements bear a neighbour's name: they go to the body they hang on."""
    GIVE_STRAY = "give-stray"
    """A loose piece that touches another level alone goes to it."""
    REMOVE_STRAY = "remove-stray"
    """A loose piece far from its vertebra is no bone of the spine."""
    FILL_HOLE = "fill-hole"
    """A cavity that the mask encloses and that looks like the bone around it."""


class HuChange(Record):
    """Mean HU of the body's core (4 mm) in the masks as they were and as repaired.

    ``None`` where one of them has no such core.
    """

    level: Level
    before_hu: float | None
    after_hu: float | None


class Repair(Record):
    """One change of the masks.

    Parameters
    ----------
    levels
        The levels it concerns.
    voxels, volume_cm3
        How much changed its name, came or went.
    place_mm
        The middle of what changed, patient space (RAS+).
    hu
        What that did to each level.
    """

    rule: RepairRule
    levels: tuple[Level, ...]
    voxels: int
    volume_cm3: float
    place_mm: tuple[float, float, float]
    hu: tuple[HuChange, ...] = ()
