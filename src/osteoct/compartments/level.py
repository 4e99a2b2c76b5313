"""The compartments of one level, as arrays on a crop of the CT's grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level
from osteoct.geometry import Box, Geometry
from osteoct.protocols import Region
from osteoct.records import BodySource, Reason
from osteoct.volume import Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class VertebraAxes:
    """The vertebra's own coordinate system, as unit vectors in patient space (RAS+).

    Parameters
    ----------
    origin_mm
        Centre of the vertebral body in patient coordinates, shape (3,).
    right, anterior, superior
        Perpendicular unit vectors, shape (3,), right-handed: right × anterior = superior.
    """

    origin_mm: NDArray[np.float64]
    right: NDArray[np.float64]
    anterior: NDArray[np.float64]
    superior: NDArray[np.float64]

    @property
    def rotation(self) -> NDArray[np.float64]:
        """The axes as columns (3, 3): patient coordinates from right, anterior, superior."""
        return np.column_stack([self.right, self.anterior, self.superior])

    @property
    def tilt_deg(self) -> float:
        """Angle between the vertebra's own superior axis and the patient's head–feet axis."""
        return float(np.degrees(np.arccos(np.clip(self.superior[2], -1, 1))))


@dataclass(frozen=True, kw_only=True, eq=False)
class LevelCompartments:
    """Vertebra, body and the protocols' regions of one level.

    All masks have the shape of ``box`` on the CT's grid (canonical orientation, close to RAS),
    whose geometry is ``geometry``.

    Parameters
    ----------
    regions
        Mask per (protocol id, region); none of them is empty.
    reasons
        Why a (protocol id, region) is not in ``regions``.
    excluded
        Voxels that are measured nowhere: metal with its streak margin, padding.
    """

    level: Level
    box: Box
    geometry: Geometry
    vertebra: Mask
    body: Mask | None = None
    body_source: BodySource | None = None
    body_certainty: float | None = None
    axes: VertebraAxes | None = None
    excluded: Mask
    regions: Mapping[tuple[str, Region], Mask] = field(default_factory=dict)
    reasons: Mapping[tuple[str, Region], Reason] = field(default_factory=dict)
