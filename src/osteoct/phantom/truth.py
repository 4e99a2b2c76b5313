"""What is true of a phantom scan, by construction."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from osteoct.anatomy import Level
from osteoct.geometry import Geometry
from osteoct.phantom.arch import CANAL_SEMI_MM
from osteoct.phantom.description import VOLUME_RELATIVE_ERROR, Phantom, Vertebra
from osteoct.phantom.lattice import Vector
from osteoct.phantom.scanner import Scanner
from osteoct.records import Phase, Record

MM3_PER_CM3 = 1000.0


class LevelTruth(Record):
    """Truth of one level.

    Parameters
    ----------
    trabecular_hu, cortical_hu
        HU of core and shell in this scan, at its tube voltage and phase.
    trabecular_native_hu, cortical_native_hu
        The same at 120 kVp without contrast.
    body_volume_cm3
        Closed form.
    vertebra_volume_cm3
        By quadrature, within ``vertebra_volume_relative_error``.
    height_anterior_mm, height_middle_mm, height_posterior_mm
        Distance of the end plates along the superior axis in the body's mid-sagittal plane: at the
        front wall, half-way, and at the back wall.
    tilt_deg
        Angle between the superior axis and the patient's head–feet axis.
    centre_mm
        Centre of the body, where its axes meet; patient space (RAS+).
    canal_width_mm, canal_depth_mm
        Axes of the elliptic vertebral foramen across the superior axis.
    is_whole
        Whether all of the vertebra lies in the field of view.
    """

    level: Level
    trabecular_hu: float
    cortical_hu: float
    trabecular_native_hu: float
    cortical_native_hu: float
    mineral_mg_cm3: float | None = None
    shell_mm: float
    body_volume_cm3: float
    vertebra_volume_cm3: float
    vertebra_volume_relative_error: float = VOLUME_RELATIVE_ERROR
    height_anterior_mm: float
    height_middle_mm: float
    height_posterior_mm: float
    width_mm: float
    depth_mm: float
    tilt_deg: float
    centre_mm: Vector
    right: Vector
    anterior: Vector
    superior: Vector
    canal_centre_mm: Vector
    canal_width_mm: float = 2 * CANAL_SEMI_MM[0]
    canal_depth_mm: float = 2 * CANAL_SEMI_MM[1]
    is_whole: bool


class PhantomTruth(Record):
    """Truth of a phantom scan, as written to ``truth.json``.

    Parameters
    ----------
    mask_offset_mm
        How far the labels' surfaces lie outside the true ones.
    defects
        What was done to the phantom, its image or its masks, in words.
    assumed
        Parameters that no source gives, with the value taken.
    """

    schema_id: Literal["osteoct.phantom-truth/1"] = Field(
        default="osteoct.phantom-truth/1", alias="schema"
    )
    phantom: str
    levels: tuple[LevelTruth, ...]
    kvp: float
    phase: Phase | None
    pixel_mm: float
    slice_mm: float
    slice_thickness_mm: float
    noise_sd_hu: float
    seed: int
    mask_offset_mm: float = 0.0
    defects: tuple[str, ...] = ()
    assumed: dict[str, float] = Field(default_factory=dict)

    def level(self, level: Level) -> LevelTruth | None:
        """Truth of one level, or ``None`` if the phantom has no such level."""
        return next((truth for truth in self.levels if truth.level == level), None)


def tell_truth(
    phantom: Phantom, scanner: Scanner, geometry: Geometry, *, mask_offset_mm: float = 0.0
) -> PhantomTruth:
    """Everything known of a scan of ``phantom`` on the grid ``geometry``."""
    return PhantomTruth(
        phantom=phantom.name,
        levels=tuple(_tell_level(v, scanner, geometry) for v in phantom.vertebrae),
        kvp=scanner.kvp,
        phase=scanner.phase,
        pixel_mm=scanner.pixel_mm,
        slice_mm=scanner.slice_mm,
        slice_thickness_mm=scanner.thickness_mm,
        noise_sd_hu=scanner.noise_sd_hu,
        seed=scanner.seed,
        mask_offset_mm=mask_offset_mm,
        defects=phantom.defects,
        assumed=dict(phantom.assumed or {}),
    )


def is_inside(vertebra: Vertebra, geometry: Geometry) -> bool:
    """Whether a vertebra lies in a grid, its outermost voxels included."""
    index = geometry.to_index(vertebra.outline_mm())
    limit = np.array(geometry.shape) - 0.5
    return bool((index >= -0.5).all() and (index <= limit).all())  # noqa: PLR2004 - half a voxel


def _tell_level(vertebra: Vertebra, scanner: Scanner, geometry: Geometry) -> LevelTruth:
    """Truth of one vertebra."""
    body, frame = vertebra.body, vertebra.frame
    up = float(np.clip(frame.superior[2], -1, 1))
    return LevelTruth(
        level=vertebra.level,
        trabecular_hu=scanner.hu_of(vertebra.core),
        cortical_hu=scanner.hu_of(vertebra.shell),
        trabecular_native_hu=vertebra.core.hu,
        cortical_native_hu=vertebra.shell.hu,
        mineral_mg_cm3=vertebra.mineral_mg_cm3,
        shell_mm=vertebra.shell_mm,
        body_volume_cm3=body.volume_mm3 / MM3_PER_CM3,
        vertebra_volume_cm3=vertebra.volume_mm3 / MM3_PER_CM3,
        height_anterior_mm=body.height_anterior_mm,
        height_middle_mm=body.height_middle_mm,
        height_posterior_mm=body.height_posterior_mm,
        width_mm=body.section.width_mm,
        depth_mm=body.section.depth_mm,
        tilt_deg=float(np.degrees(np.arccos(up))),
        centre_mm=frame.origin_mm,
        right=frame.right,
        anterior=frame.anterior,
        superior=frame.superior,
        canal_centre_mm=vertebra.canal_centre_mm,
        is_whole=is_inside(vertebra, geometry),
    )
