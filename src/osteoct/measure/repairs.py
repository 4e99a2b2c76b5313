"""What a repair of the masks did to the HU of each level."""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.anatomy import Level
from osteoct.compartments.case import build_compartments
from osteoct.compartments.level import LevelCompartments
from osteoct.measure.core import core_of_level
from osteoct.protocols import BODY_CORE_4
from osteoct.records import LevelResult
from osteoct.repair_records import HuChange, MasksUsed, Repair
from osteoct.volume import CTVolume, LabelVolume


def divide_original(
    ct: CTVolume, vertebrae: LabelVolume, bodies: LabelVolume | None, levels: Sequence[Level]
) -> tuple[LevelCompartments, ...]:
    """Divide the levels that were repaired as their masks were before."""
    return build_compartments(ct, vertebrae, bodies, levels=levels, protocols=(BODY_CORE_4,))


def note_changes(
    ct: CTVolume,
    before: Sequence[LevelCompartments],
    after: Sequence[LevelCompartments],
    repairs: Sequence[Repair],
) -> tuple[Repair, ...]:
    """Add to each repair the mean HU of the cores of its levels, before and after all repairs."""
    old = {level.level: _mean_hu(ct, level) for level in before}
    new = {level.level: _mean_hu(ct, level) for level in after}
    return tuple(
        repair.model_copy(
            update={
                "hu": tuple(
                    HuChange(level=lv, before_hu=old.get(lv), after_hu=new.get(lv))
                    for lv in repair.levels
                )
            }
        )
        for repair in repairs
    )


def _mean_hu(ct: CTVolume, level: LevelCompartments) -> float | None:
    """Mean HU of the body's core."""
    core = core_of_level(ct, level)
    return None if core is None else float(core.values_hu.mean(dtype="float64"))


def mark_levels(
    levels: Sequence[LevelResult], repaired: Sequence[Level]
) -> tuple[LevelResult, ...]:
    """Say of each level which masks its numbers come from."""
    return tuple(
        level.model_copy(update={"masks_used": MasksUsed.REPAIRED})
        if level.level in repaired
        else level
        for level in levels
    )
