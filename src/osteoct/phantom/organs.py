"""Organs around a spine and their labels: what contrast, HU scale and flips are checked by.

Places and sizes are rough and chosen: right, left, above and in front are right, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from osteoct.anatomy import TISSUES, Part, Structure
from osteoct.geometry import Geometry
from osteoct.phantom.acquisition import PhantomScan
from osteoct.phantom.description import Phantom, Solid
from osteoct.phantom.lattice import Frame, Lattice, Vector
from osteoct.phantom.shapes import Ellipsoid, EllipticCylinder, Placed
from osteoct.phantom.tissue import Tissue
from osteoct.volume import LabelVolume

LIVER, SPLEEN = Tissue(name="liver", hu=58.0), Tissue(name="spleen", hu=48.0)


def _ball(at: Vector, semi: Vector) -> Placed:
    """An organ as an ellipsoid."""
    return Placed(primitive=Ellipsoid(semi_mm=semi), frame=Frame(origin_mm=at))


def _tube(x: float, y: float, semi: tuple[float, float], low_mm: float, high_mm: float) -> Placed:
    """A vessel or muscle as an upright column between two heights."""
    half = (high_mm - low_mm) / 2
    cylinder = EllipticCylinder(semi_mm=semi, half_height_mm=half)
    return Placed(primitive=cylinder, frame=Frame(origin_mm=(x, y, low_mm + half)))


SOLID_ORGANS: Mapping[str, tuple[Placed, Tissue]] = {
    "liver": (_ball((84.0, 34.0, 75.0), (32.0, 34.0, 50.0)), LIVER),
    "spleen": (_ball((-84.0, 4.0, 72.0), (20.0, 28.0, 34.0)), SPLEEN),
}
"""Organs that a phantom gains: they stand in fat and touch no bone."""

PLACES: Mapping[str, Placed] = {
    **{name: placed for name, (placed, _) in SOLID_ORGANS.items()},
    "aorta": _tube(-8.0, 42.0, (9.0, 9.0), -70.0, 110.0),
    "inferior_vena_cava": _tube(16.0, 41.0, (11.0, 8.0), -70.0, 110.0),
    "autochthon_right": _tube(40.0, -46.0, (24.0, 16.0), -90.0, 110.0),
    "autochthon_left": _tube(-40.0, -46.0, (24.0, 16.0), -90.0, 110.0),
    "iliopsoas_right": _tube(41.0, 4.0, (10.0, 11.0), -100.0, 15.0),
    "iliopsoas_left": _tube(-41.0, 4.0, (10.0, 11.0), -100.0, 15.0),
}
"""Where each labelled structure is; vessels and muscles lie in the columns of the abdomen."""


def with_organs(phantom: Phantom) -> Phantom:
    """Add a liver and a spleen to a phantom in an abdomen."""
    solids = tuple(Solid(shape=placed, core=tissue) for placed, tissue in SOLID_ORGANS.values())
    return replace(phantom, soft=(*phantom.soft, *solids))


def label_organs(scan: PhantomScan) -> LabelVolume:
    """Label organs, vessels and muscles of a scan of :func:`with_organs`, in canonical layout."""
    vertebrae = scan.vertebrae.reoriented("RAS")
    geometry = vertebrae.geometry
    lattice = _lattice_of(geometry)
    labels = np.zeros(geometry.shape, dtype=np.uint8)
    structures = {n: Structure(name=t, part=Part.OTHER) for n, t in enumerate(TISSUES, start=1)}
    for number, structure in structures.items():
        if structure.name in PLACES:
            placed = PLACES[structure.name]
            box = lattice.clipped(lattice.box_around(placed.corners_mm(), 0.0))
            if box is not None:
                labels[box][placed.depth_over(lattice.cropped(box)) > 0] = number
    labels[vertebrae.array > 0] = 0
    return LabelVolume(array=labels, geometry=geometry, structures=structures)


def _lattice_of(geometry: Geometry) -> Lattice:
    """The voxel centres of a grid."""
    return Lattice(
        shape=geometry.shape, origin_mm=geometry.affine[:3, 3], steps_mm=geometry.affine[:3, :3]
    )
