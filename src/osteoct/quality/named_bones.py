"""What findings say of a vertebra: its name and where it lies."""

from __future__ import annotations

from osteoct.anatomy import Level
from osteoct.compartments.column import Bone


def level_of(bone: Bone) -> Level:
    """Name of a vertebra; the sacrum as a whole has none and is none."""
    assert bone.level is not None  # noqa: S101 -- only vertebrae come here
    return bone.level


def place_of(bone: Bone) -> tuple[float, float, float]:
    """Where a vertebra lies, in patient space."""
    x, y, z = (float(c) for c in bone.centre_mm)
    return x, y, z
