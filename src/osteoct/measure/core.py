"""The core of a level's body and its HU, for checks that compare levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from osteoct.compartments.depth import core_of, tight_box
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Box, Geometry
from osteoct.protocols import BODY_CORE_4, Region
from osteoct.volume import CTVolume, Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class Core:
    """The core of one body.

    Parameters
    ----------
    level
        The level it belongs to.
    hu
        HU (I, J, K) in the level's box.
    mask
        The core under protocol ``body-core-4``, without excluded voxels; not empty.
    """

    level: LevelCompartments
    hu: NDArray[np.float32]
    mask: Mask

    @cached_property
    def box(self) -> Box:
        """The tightest box around the core, in the level's box: a third of it or less."""
        box = tight_box(self.mask)
        assert box is not None  # noqa: S101 -- a core is not empty
        return box

    @cached_property
    def geometry(self) -> Geometry:
        """The grid of the core's own box."""
        return self.level.geometry.cropped(self.box)

    @property
    def inside(self) -> Mask:
        """The core (A, B, C) in its own box."""
        return self.mask[self.box]

    @cached_property
    def values_hu(self) -> NDArray[np.float32]:
        """HU (n,) of the core's voxels."""
        return self.hu[self.box][self.inside]

    @property
    def centre_mm(self) -> tuple[float, float, float]:
        """Centre of the core in patient space."""
        return place_of(self.inside, self.geometry)


def core_of_level(ct: CTVolume, level: LevelCompartments) -> Core | None:
    """The core of a level's body, whichever protocols were run; ``None`` where there is none."""
    mask = level.regions.get((BODY_CORE_4.id, Region.TRABECULAR))
    if mask is None:
        if level.body is None:
            return None
        mask = core_of(
            level.body,
            level.geometry.spacing_mm,
            depth_mm=BODY_CORE_4.depth_mm,
            membership=BODY_CORE_4.membership,
        )
    left = mask & ~level.excluded
    return Core(level=level, hu=ct.hu(level.box), mask=left) if left.any() else None


def smooth_core(core: Core, sd_mm: float) -> NDArray[np.float32]:
    """HU (A, B, C) in the core's own box, smoothed within the core: the shell does not shine in.

    Parameters
    ----------
    sd_mm
        SD of the Gaussian. Outside the core there is 0.
    """
    inside, hu = core.inside, core.hu[core.box]
    sigma = [sd_mm / s for s in core.geometry.spacing_mm]
    weight = ndi.gaussian_filter(inside.astype(np.float32), sigma, mode="constant")
    total = ndi.gaussian_filter(np.where(inside, hu, np.float32(0)), sigma, mode="constant")
    smooth: NDArray[np.float32] = np.divide(total, weight, out=np.zeros_like(total), where=inside)
    return smooth


def place_of(mask: Mask, geometry: Geometry) -> tuple[float, float, float]:
    """Mean position in patient space of a mask's voxels."""
    x, y, z = (float(c) for c in geometry.to_patient(np.argwhere(mask).mean(axis=0)))
    return x, y, z
