"""A digital European Spine Phantom.

Known: inserts of 50, 100 and 200 mg hydroxyapatite per cm³ as L1, L2, L3; outer radius 18 mm; walls
of 0.5, 1.0 and 1.5 mm (derived from the mid-cortex radii in Reinhold 2018). Everything else is not
published in a form we could use and is *assumed*: each such value is a parameter here and listed in
the phantom's ``assumed``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from osteoct.anatomy import Level
from osteoct.phantom.arch import make_arch
from osteoct.phantom.body import Body, CrossSection
from osteoct.phantom.description import Phantom, Vertebra
from osteoct.phantom.lattice import Frame
from osteoct.phantom.surroundings import WATER_BATH
from osteoct.phantom.tissue import WATER, Tissue, TissueKind

RADIUS_MM = 18.0
"""Outer radius of the bodies."""

INSERTS: tuple[tuple[Level, float, float], ...] = (
    (Level.L1, 50.0, 0.5),
    (Level.L2, 100.0, 1.0),
    (Level.L3, 200.0, 1.5),
)
"""Level, mineral of the core in mg HA/cm³, and wall in mm."""


@dataclass(frozen=True, kw_only=True)
class AssumedEsp:
    """What no source at hand gives.

    Parameters
    ----------
    body_height_mm
        Height of the bodies with their end plates; the end plates are as thick as the wall.
    gap_mm
        Distance between the bodies, filled with the surrounding plastic.
    shell_mg_cm3
        Mineral of the wall and of the arch's shell.
    hu_per_mg_cm3
        HU per mg HA/cm³ at 120 kVp: the ideal mixture at 70 keV.
    spinous_half_length_mm
        Half length of the spinous process; the arch as a whole is the lumbar one.
    """

    body_height_mm: float = 25.0
    gap_mm: float = 15.0
    shell_mg_cm3: float = 800.0
    hu_per_mg_cm3: float = 1.33
    spinous_half_length_mm: float = 11.0


ASSUMED = AssumedEsp()
"""The assumptions of the phantom as shipped."""


def european_spine_phantom(assumed: AssumedEsp = ASSUMED) -> Phantom:
    """Three upright cylinders with arches in water-equivalent plastic, L2 at the origin.

    >>> [v.mineral_mg_cm3 for v in european_spine_phantom().vertebrae]
    [50.0, 100.0, 200.0]
    """
    pitch = assumed.body_height_mm + assumed.gap_mm
    vertebrae = tuple(
        _make_vertebra(assumed, level, mineral, wall_mm=wall, z_mm=(1 - n) * pitch)
        for n, (level, mineral, wall) in enumerate(INSERTS)
    )
    return Phantom(
        name="European Spine Phantom",
        vertebrae=vertebrae,
        surroundings=WATER,
        columns=WATER_BATH,
        disc_tissue=WATER,
        field_mm=(150.0, 150.0, 140.0),
        field_centre_mm=(0.0, -15.0, 0.0),
        assumed=asdict(assumed),
    )


def _make_vertebra(
    assumed: AssumedEsp, level: Level, mineral_mg_cm3: float, *, wall_mm: float, z_mm: float
) -> Vertebra:
    """One insert."""
    section = CrossSection(width_mm=2 * RADIUS_MM, depth_mm=2 * RADIUS_MM)
    height = assumed.body_height_mm
    body = Body(section=section, height_anterior_mm=height, height_posterior_mm=height)
    return Vertebra(
        level=level,
        frame=Frame(origin_mm=(0.0, 0.0, z_mm)),
        body=body,
        arch=make_arch(body, spinous_half_length_mm=assumed.spinous_half_length_mm),
        shell_mm=wall_mm,
        shell=Tissue(
            name="hydroxyapatite shell",
            hu=assumed.shell_mg_cm3 * assumed.hu_per_mg_cm3,
            kind=TissueKind.CORTICAL,
        ),
        core=Tissue(
            name="hydroxyapatite insert",
            hu=mineral_mg_cm3 * assumed.hu_per_mg_cm3,
            kind=TissueKind.TRABECULAR,
        ),
        mineral_mg_cm3=mineral_mg_cm3,
    )
