"""What a decision is about: the numbers and doubts of a result, as one hash."""

from __future__ import annotations

import json
from hashlib import sha256

from osteoct.records import CaseResult, LevelResult, RegionMeasure

_DECIMALS = 3
"""Of HU, mm and cm³: another machine's last digits are not another result."""


def fingerprint_of(result: CaseResult) -> str:
    """Return the SHA-256 of what a reviewer judges: numbers, usable levels, findings.

    The numbers stand for the masks: no voxel can change hands without moving one of them. Versions,
    times and words do not count, so that an update which changes nothing outdates no decision.
    """
    content = {
        "case_id": result.case_id,
        "levels": [_level(level) for level in result.levels],
        "findings": sorted([f.code, f.severity, f.level or ""] for f in result.findings),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def _level(level: LevelResult) -> dict[str, object]:
    heights = level.heights
    sides = (heights.height_anterior_mm, heights.height_middle_mm, heights.height_posterior_mm)
    return {
        "level": level.level,
        "usable": level.usable,
        "voxels": level.vertebra_voxels,
        "regions": [_region(measure) for measure in level.regions],
        "heights": [_number(side) for side in sides],
    }


def _region(measure: RegionMeasure) -> list[str | int | None]:
    hu = measure.hu
    numbers = [] if hu is None else [_number(value) for value in hu.model_dump().values()]
    return [
        measure.protocol,
        measure.region,
        measure.voxels,
        _number(measure.volume_cm3),
        measure.reason,
        *numbers,
    ]


def _number(value: float | None) -> str:
    """Fixed decimals; a zero has no sign."""
    return "" if value is None else f"{round(value, _DECIMALS) + 0.0:.{_DECIMALS}f}"
