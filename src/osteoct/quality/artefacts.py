"""Findings about what lies in the image where bone should: metal, air, padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from osteoct.compartments.exclusions import METAL_HU, STREAK_MARGIN_MM
from osteoct.compartments.level import LevelCompartments
from osteoct.records import Finding, Severity
from osteoct.volume import CTVolume

AIR_HU = -300.0
"""HU below which a voxel holds mostly air: marrow fat ends near -120 HU."""

AIR_SHARE = 0.05
"""Share of air in a vertebra mask above which the mask does not lie on the vertebra."""


def check_artefacts(ct: CTVolume, levels: Sequence[LevelCompartments]) -> tuple[Finding, ...]:
    """Check every level for metal, padding and air."""
    findings = []
    for level in levels:
        hu = ct.hu(level.box)[level.vertebra]
        padded = np.zeros(hu.shape, dtype=bool) if ct.padding_hu is None else hu == ct.padding_hu
        beside_metal = level.excluded[level.vertebra] & ~padded
        findings += [
            check_metal(level, hu, beside_metal),
            check_padding(level, padded),
            check_air(level, hu[~padded]),
        ]
    return tuple(finding for finding in findings if finding is not None)


def check_metal(
    level: LevelCompartments, hu: NDArray[np.float32], beside_metal: NDArray[np.bool_]
) -> Finding | None:
    """Find metal in a level (blocking) or so near that part of it was left out (warning).

    Parameters
    ----------
    hu, beside_metal
        HU (n,) of the voxels of the vertebra mask, and which of them lie at or near metal.
    """
    metal, near = int((hu > METAL_HU).sum()), int(beside_metal.sum())
    if near == 0 and metal == 0:
        return None
    share = near / hu.size
    where = "in" if metal else "beside"
    return Finding(
        code="metal",
        severity=Severity.BLOCKING if metal else Severity.WARNING,
        level=level.level,
        message=(
            f"Metal {where} {level.level} (above {METAL_HU:g} HU): {share:.0%} of its voxels, "
            f"within {STREAK_MARGIN_MM:g} mm of it, were not measured."
        ),
        evidence={"metal_voxels": metal, "excluded_share": share, "limit_hu": METAL_HU},
    )


def check_padding(level: LevelCompartments, padding: NDArray[np.bool_]) -> Finding | None:
    """Find a level that reaches beyond what the scanner reconstructed."""
    padded = int(padding.sum())
    if padded == 0:
        return None
    return Finding(
        code="padding-in-mask",
        severity=Severity.BLOCKING,
        level=level.level,
        message=f"{padded} voxels of {level.level} were never measured (padding).",
        evidence={"padding_voxels": padded},
    )


def check_air(level: LevelCompartments, hu: NDArray[np.float32]) -> Finding | None:
    """Find a mask that covers air, as a mask of another scan does."""
    share = float((hu < AIR_HU).mean()) if hu.size else 0.0
    if share <= AIR_SHARE:
        return None
    return Finding(
        code="mask-over-air",
        severity=Severity.BLOCKING,
        level=level.level,
        message=f"{share:.0%} of the mask of {level.level} lie over air (below {AIR_HU:g} HU).",
        evidence={"air_share": share, "limit_share": AIR_SHARE},
    )
