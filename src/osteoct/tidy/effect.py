"""What a mix-up that is not repaired does to the HU of its levels."""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.anatomy import Level
from osteoct.compartments.case import build_compartments
from osteoct.protocols import BODY_CORE_4, VERTEBRA_CORE_3_5, Region
from osteoct.tidy.moving import Masks
from osteoct.volume import CTVolume

PROTOCOLS = (VERTEBRA_CORE_3_5, BODY_CORE_4)

MOST_CHANGE_HU = 5.0
"""Change of a core's mean above which a level's numbers are not believed: 3.6 % of 140 HU."""

MOST_CHANGE_SHARE = 0.036
"""The same for other means: least significant change of a trabecular mean between kernels
(10.1186/s41747-024-00483-9: RMSCV 1.3 %, × 2.77)."""


def is_harmful(before_hu: float | None, after_hu: float | None) -> bool:
    """Whether a mean changes by more than either limit, or is there only before or only after.

    >>> is_harmful(200.0, 205.0), is_harmful(200.0, 205.1), is_harmful(103.7, 100.0)
    (False, True, True)
    """
    if before_hu is None or after_hu is None:
        return before_hu is not after_hu
    change = abs(after_hu - before_hu)
    return change > MOST_CHANGE_HU or change > MOST_CHANGE_SHARE * abs(after_hu)


def loses_core(ct: CTVolume, before: Masks, after: Masks, levels: Sequence[Level]) -> bool:
    """Whether a level that had a core has none afterwards: no repair does that."""
    return not _core_means(ct, before, levels).keys() <= _core_means(ct, after, levels).keys()


def moves_hu(ct: CTVolume, before: Masks, after: Masks, levels: Sequence[Level]) -> bool:
    """Whether the core of any level, of vertebra or body, changes its mean too much."""
    old, new = _core_means(ct, before, levels), _core_means(ct, after, levels)
    return any(is_harmful(old.get(key), new.get(key)) for key in {*old, *new})


def _core_means(
    ct: CTVolume, masks: Masks, levels: Sequence[Level]
) -> dict[tuple[Level, str], float]:
    """Mean HU per level and protocol, where there is a core."""
    means = {}
    for level in build_compartments(
        ct, masks.vertebrae, masks.bodies, levels=levels, protocols=PROTOCOLS
    ):
        for protocol in PROTOCOLS:
            mask = level.regions.get((protocol.id, Region.TRABECULAR))
            if mask is not None and (left := mask & ~level.excluded).any():
                means[level.level, protocol.id] = float(ct.hu(level.box)[left].mean(dtype="f8"))
    return means
