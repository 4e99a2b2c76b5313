"""Findings about the place and outline of the masks, in one call."""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.compartments.level import LevelCompartments
from osteoct.quality.body_masks import check_bodies
from osteoct.quality.border import check_borders
from osteoct.quality.coarseness import check_coarseness
from osteoct.quality.mask_position import check_position
from osteoct.quality.posterior import check_arches
from osteoct.records import Finding
from osteoct.volume import CTVolume, LabelVolume


def check_masks(
    ct: CTVolume, vertebrae: LabelVolume, levels: Sequence[LevelCompartments]
) -> tuple[Finding, ...]:
    """Check borders, place and outline, arches and bodies.

    Parameters
    ----------
    ct, vertebrae
        Volumes whose grid the levels' boxes index, in canonical orientation.
    """
    return (
        *check_borders(ct.geometry.shape, levels),
        *check_position(ct, vertebrae, levels),
        *check_coarseness(levels),
        *check_arches(levels),
        *check_bodies(levels),
    )
