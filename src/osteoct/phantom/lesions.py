"""Disease in and beside a vertebra: lysis, coarse bone, dense spots, end plates, osteophytes."""

from __future__ import annotations

from dataclasses import replace

from osteoct.anatomy import Level
from osteoct.phantom.defects import with_inclusion
from osteoct.phantom.description import Inclusion, Phantom
from osteoct.phantom.lattice import Frame, Vector
from osteoct.phantom.shapes import Capsule, Ellipsoid, EllipticCylinder, Placed, Union
from osteoct.phantom.tissue import Tissue, TissueKind

LYSIS = Tissue(name="lytic focus", hu=30.0)
PALE = Tissue(name="pale bone", hu=85.0)
MARROW_FAT = Tissue(name="fatty marrow", hu=-20.0)
STRUT = Tissue(name="coarse trabecula", hu=350.0, kind=TissueKind.CORTICAL)
DENSE_BONE = Tissue(name="bone island", hu=900.0, kind=TissueKind.CORTICAL)
SCLEROTIC_PLATE = Tissue(name="sclerotic end plate", hu=450.0, kind=TissueKind.TRABECULAR)
SPUR = Tissue(name="osteophyte", hu=500.0, kind=TissueKind.CORTICAL)

STRUT_STEP_MM = 5.0
"""Distance of the coarse trabeculae of a haemangioma: dots seen from above."""


def lysis(phantom: Phantom, level: Level, *, radius_mm: float = 8.0) -> Phantom:
    """Replace a ball of a body's core by soft tissue."""
    return _with_ball(phantom, level, LYSIS, radius_mm, (-6.0, 3.0, 0.0), "lysis")


def pale_focus(phantom: Phantom, level: Level, *, radius_mm: float = 9.0) -> Phantom:
    """Replace a ball of a body's core by bone of little mineral: less contrast than lysis has."""
    return _with_ball(phantom, level, PALE, radius_mm, (-6.0, 3.0, 0.0), "pale focus")


def bone_island(phantom: Phantom, level: Level, *, radius_mm: float = 5.0) -> Phantom:
    """Put a ball of dense bone into a body's core."""
    return _with_ball(phantom, level, DENSE_BONE, radius_mm, (7.0, 2.0, -1.0), "bone island")


def _with_ball(
    phantom: Phantom, level: Level, tissue: Tissue, radius_mm: float, at_mm: Vector, name: str
) -> Phantom:
    """A ball beside the middle of a body."""
    vertebra = phantom.vertebra(level)
    x, y, z = at_mm
    middle = vertebra.body.section.middle_mm
    ball = Placed(
        primitive=Ellipsoid(semi_mm=(radius_mm, radius_mm, radius_mm)),
        frame=Frame(origin_mm=(x, middle + y, z)),
    )
    inclusion = Inclusion(shape=ball, tissue=tissue)
    return with_inclusion(phantom, vertebra, inclusion, f"{name} {level}, {radius_mm:g} mm")


def haemangioma(phantom: Phantom, level: Level, *, radius_mm: float = 9.0) -> Phantom:
    """Replace part of a core by fatty marrow between coarse upright trabeculae."""
    vertebra = phantom.vertebra(level)
    middle = vertebra.body.section.middle_mm
    origin = (-4.0, middle + 2.0, 0.0)
    region = Placed(
        primitive=EllipticCylinder(semi_mm=(radius_mm, radius_mm), half_height_mm=9.0),
        frame=Frame(origin_mm=origin),
    )
    fat = Inclusion(shape=region, tissue=MARROW_FAT)
    struts = Inclusion(shape=_make_struts(origin, radius_mm), tissue=STRUT)
    changed = replace(vertebra, inclusions=(*vertebra.inclusions, fat, struts))
    return phantom.with_vertebra(changed, defect=f"haemangioma {level}, {radius_mm:g} mm")


def _make_struts(origin_mm: Vector, radius_mm: float) -> Union:
    """Upright rods on a square grid inside a circle."""
    x, y, z = origin_mm
    reach = int(radius_mm // STRUT_STEP_MM)
    places = [
        (x + i * STRUT_STEP_MM, y + j * STRUT_STEP_MM, z)
        for i in range(-reach, reach + 1)
        for j in range(-reach, reach + 1)
        if (i * i + j * j) * STRUT_STEP_MM**2 <= radius_mm**2
    ]
    rod = Capsule(half_length_mm=8.0, radius_mm=0.8)
    return Union(parts=tuple(Placed(primitive=rod, frame=Frame(origin_mm=at)) for at in places))


def dense_plate(phantom: Phantom, level: Level, *, thickness_mm: float = 5.0) -> Phantom:
    """Make the bone below the upper end plate sclerotic, as beside a worn disc."""
    vertebra = phantom.vertebra(level)
    body = vertebra.body
    a, b = body.section.width_mm * 0.42, body.section.depth_mm * 0.42
    slab = Placed(
        primitive=EllipticCylinder(semi_mm=(a, b), half_height_mm=thickness_mm),
        frame=Frame(origin_mm=(0.0, body.section.middle_mm, body.height_centroid_mm / 2)),
    )
    inclusion = Inclusion(shape=slab, tissue=SCLEROTIC_PLATE)
    defect = f"dense end plate {level}, {thickness_mm:g} mm"
    return with_inclusion(phantom, vertebra, inclusion, defect)


def osteophyte(phantom: Phantom, level: Level, *, radius_mm: float = 4.0) -> Phantom:
    """Put a spur of dense bone on the upper front rim of a body, outside its mask."""
    vertebra = phantom.vertebra(level)
    body = vertebra.body
    start = (-14.0, body.section.front_mm, body.height_anterior_mm / 2 - radius_mm)
    stop = (14.0, body.section.front_mm, body.height_anterior_mm / 2 - radius_mm)
    spur = Placed(
        primitive=Capsule(half_length_mm=14.0, radius_mm=radius_mm), frame=Frame.along(start, stop)
    )
    inclusion = Inclusion(shape=spur, tissue=SPUR, inside_core=False)
    return with_inclusion(phantom, vertebra, inclusion, f"osteophyte {level}, {radius_mm:g} mm")


def dense_discs(phantom: Phantom, *, hu: float = 400.0) -> Phantom:
    """Fill the discs with something dense: lime, gas turned to bone, cement that leaked."""
    dense = Tissue(name="dense disc", hu=hu)
    return replace(
        phantom, disc_tissue=dense, defects=(*phantom.defects, f"dense discs, {hu:g} HU")
    )


def other_core(phantom: Phantom, level: Level, *, difference_hu: float) -> Phantom:
    """Give one level's whole core another density than its neighbours."""
    vertebra = phantom.vertebra(level)
    core = replace(vertebra.core, hu=vertebra.core.hu + difference_hu)
    return phantom.with_vertebra(
        replace(vertebra, core=core), defect=f"core of {level} by {difference_hu:+g} HU"
    )
