"""A phantom: shapes and tissues, independent of voxels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level
from osteoct.errors import ConfigError
from osteoct.phantom.body import Body
from osteoct.phantom.lattice import FloatArray, Frame, Lattice, Vector
from osteoct.phantom.shapes import (
    Carved,
    EllipticCylinder,
    Joined,
    Placed,
    Shape,
    Union,
    lattice_around,
    measure_volume_mm3,
)
from osteoct.phantom.tissue import MUSCLE, Tissue

VOLUME_STEP_MM = 0.4
"""Cell of the quadrature for the volume of a whole vertebra."""

VOLUME_RELATIVE_ERROR = 0.001
"""Stated error of that quadrature; halving the cell moves the volume by less (tested)."""

OUTLINE_STEP_MM = 1.0
"""Distance of the points by which a vertebra is found to lie inside the field of view."""


@dataclass(frozen=True, kw_only=True)
class Inclusion:
    """Something embedded later: a vein, cement, sclerosis, a screw.

    Parameters
    ----------
    inside_core
        True where the shell stays as it is and only the core is replaced.
    """

    shape: Placed | Union
    tissue: Tissue
    inside_core: bool = True


@dataclass(frozen=True, kw_only=True)
class Solid:
    """A shape of one tissue, or a shell of given thickness around a core."""

    shape: Shape
    core: Tissue
    shell: Tissue | None = None
    shell_mm: float = 0.0
    inclusions: tuple[Inclusion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Vertebra:
    """One vertebra in its own frame, and where that frame stands.

    Parameters
    ----------
    arch
        Posterior elements with the canal carved out, in the vertebra's own frame.
    shell_mm
        Thickness of the cortical shell everywhere on the vertebra's surface.
    mineral_mg_cm3
        Mineral of the core where the phantom is defined by it (mg hydroxyapatite per cm³).
    """

    level: Level
    frame: Frame
    body: Body
    arch: Carved
    shell_mm: float
    shell: Tissue
    core: Tissue
    mineral_mg_cm3: float | None = None
    inclusions: tuple[Inclusion, ...] = ()
    """In the vertebra's own frame before :meth:`solid` places them."""

    @property
    def placed_body(self) -> Placed:
        """The body in patient space."""
        return Placed(primitive=self.body, frame=self.frame)

    @property
    def shape(self) -> Joined:
        """The whole vertebra in patient space."""
        return Joined(solid=self.placed_body, carved=self.arch.moved(self.frame))

    @property
    def solid(self) -> Solid:
        """The whole vertebra with its tissues, in patient space."""
        inclusions = tuple(replace(i, shape=i.shape.moved(self.frame)) for i in self.inclusions)
        return Solid(
            shape=self.shape,
            core=self.core,
            shell=self.shell,
            shell_mm=self.shell_mm,
            inclusions=inclusions,
        )

    @property
    def canal_centre_mm(self) -> Vector:
        """Centre of the vertebral foramen in patient space."""
        return self.frame.placed(self.arch.hole.frame).origin_mm

    @property
    def volume_mm3(self) -> float:
        """Volume of the whole vertebra by quadrature, within ``VOLUME_RELATIVE_ERROR``."""
        return _measure_local(self.body, self.arch)[0]

    def outline_mm(self) -> NDArray[np.float64]:
        """Points (n, 3) in patient space just inside the surface, about 1 mm apart."""
        return self.frame.to_patient(_measure_local(self.body, self.arch)[1])


@lru_cache(maxsize=64)
def _measure_local(body: Body, arch: Carved) -> tuple[float, NDArray[np.float64]]:
    """Volume and outline points of a vertebra in its own frame."""
    shape = Joined(solid=Placed(primitive=body), carved=arch)
    lattice = lattice_around(shape, OUTLINE_STEP_MM)
    depth = shape.depth_over(lattice)
    skin = (depth >= 0) & (depth < OUTLINE_STEP_MM)
    points = np.argwhere(skin) @ lattice.steps_mm.T + lattice.origin_mm
    return measure_volume_mm3(shape, VOLUME_STEP_MM), points


@dataclass(frozen=True, kw_only=True)
class Disc:
    """An intervertebral disc: a column between the end plates of two bodies, which it fills."""

    column: Placed
    above: Placed
    below: Placed

    def corners_mm(self) -> NDArray[np.float64]:
        """The corners of the column."""
        return self.column.corners_mm()

    def depth_over(self, lattice: Lattice) -> FloatArray:
        """Depth below the column's wall and the two end plates."""
        depth = self.column.depth_over(lattice)
        box = lattice.clipped(lattice.box_around(self.corners_mm(), 0.0))
        if box is None:
            return depth
        part = lattice.cropped(box)
        for neighbour, is_above in ((self.above, True), (self.below, False)):
            body = neighbour.primitive
            if isinstance(body, Body):
                at = part.coordinates(neighbour.frame)
                plate = (
                    body.depth_above_lower_mm(*at) if is_above else body.depth_below_upper_mm(*at)
                )
                np.minimum(depth[box], -plate, out=depth[box])
        return depth


@dataclass(frozen=True, kw_only=True)
class Sacrum:
    """The sacrum; its first segment is a body of its own, to which the last disc fits."""

    frame: Frame
    body: Body
    wings: Carved
    shell_mm: float
    shell: Tissue
    core: Tissue

    @property
    def placed_body(self) -> Placed:
        """The body of S1 in patient space."""
        return Placed(primitive=self.body, frame=self.frame)

    @property
    def solid(self) -> Solid:
        """The sacrum with its tissues, in patient space."""
        return Solid(
            shape=Joined(solid=self.placed_body, carved=self.wings.moved(self.frame)),
            core=self.core,
            shell=self.shell,
            shell_mm=self.shell_mm,
        )


@dataclass(frozen=True, kw_only=True)
class Column:
    """A soft-tissue column along z: the same in every slice."""

    centre_mm: tuple[float, float]
    semi_mm: tuple[float, float]
    tissue: Tissue

    @property
    def placed(self) -> Placed:
        """The column as a shape that reaches far beyond any scan."""
        x, y = self.centre_mm
        cylinder = EllipticCylinder(semi_mm=self.semi_mm, half_height_mm=5000.0)
        return Placed(primitive=cylinder, frame=Frame(origin_mm=(x, y, 0.0)))


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """What is scanned.

    Parameters
    ----------
    vertebrae
        Head to feet.
    discs
        Fill the gaps between neighbouring bodies.
    soft
        Solids that carry no label, such as the thecal sac; they touch no bone.
    surroundings
        Tissue everywhere else, and columns painted on it in this order.
    field_mm, field_centre_mm
        Field of view that shows the whole phantom: the default of a scan.
    assumed
        Names of parameters that no source gives, with the value taken.
    """

    name: str
    vertebrae: tuple[Vertebra, ...]
    discs: tuple[Disc, ...] = ()
    sacrum: Sacrum | None = None
    soft: tuple[Solid, ...] = ()
    surroundings: Tissue = MUSCLE
    columns: tuple[Column, ...] = ()
    disc_tissue: Tissue = MUSCLE
    field_mm: Vector
    field_centre_mm: Vector = (0.0, 0.0, 0.0)
    assumed: Mapping[str, float] | None = None
    defects: tuple[str, ...] = ()

    @property
    def solids(self) -> tuple[Solid, ...]:
        """Everything that is not the same in every slice; no two of them overlap."""
        sacrum = () if self.sacrum is None else (self.sacrum.solid,)
        discs = tuple(Solid(shape=disc, core=self.disc_tissue) for disc in self.discs)
        return (*(v.solid for v in self.vertebrae), *sacrum, *discs, *self.soft)

    def vertebra(self, level: Level) -> Vertebra:
        """The vertebra of a level.

        Raises
        ------
        ConfigError
            The phantom has no such level.
        """
        for vertebra in self.vertebrae:
            if vertebra.level == level:
                return vertebra
        raise ConfigError(
            "the phantom has no such level",
            where=self.name,
            found=level,
            wanted="one of " + ", ".join(v.level for v in self.vertebrae),
        )

    def with_vertebra(self, changed: Vertebra, *, defect: str) -> Phantom:
        """The phantom with one vertebra changed in place; discs fill the new gaps."""
        self.vertebra(changed.level)
        vertebrae = tuple(changed if v.level == changed.level else v for v in self.vertebrae)
        return replace(
            self,
            vertebrae=vertebrae,
            discs=make_discs(vertebrae, self.sacrum) if self.discs else (),
            defects=(*self.defects, defect),
        )


def make_discs(vertebrae: Sequence[Vertebra], sacrum: Sacrum | None) -> tuple[Disc, ...]:
    """The discs between neighbouring bodies, head to feet."""
    bodies = [v.placed_body for v in vertebrae] + ([sacrum.placed_body] if sacrum else [])
    return tuple(make_disc(a, b) for a, b in pairwise(bodies))


def make_column(body: Body, frame: Frame, half_height_mm: float) -> Placed:
    """A straight column over a body's section, for the disc beside it."""
    tall = body.with_heights(2 * half_height_mm, 2 * half_height_mm, dish_mm=0.0)
    return Placed(primitive=tall, frame=frame)


def make_disc(above: Placed, below: Placed) -> Disc:
    """The disc between two placed bodies; its width follows the upper one.

    Raises
    ------
    ConfigError
        One of the two is not a vertebral body.
    """
    upper, lower = above.primitive, below.primitive
    if not (isinstance(upper, Body) and isinstance(lower, Body)):
        raise ConfigError("a disc lies between two bodies", found=type(upper).__name__)
    floor = above.frame.to_patient(np.array([0.0, 0.0, -upper.height_centroid_mm / 2]))
    ceiling = below.frame.to_patient(np.array([0.0, 0.0, lower.height_centroid_mm / 2]))
    middle = (floor + ceiling) / 2
    tilt = (_tilt_of(above.frame) + _tilt_of(below.frame)) / 2
    frame = Frame.at((float(middle[0]), float(middle[1]), float(middle[2])), tilt_deg=tilt)
    # half the gap, what the dishes are deep, and what the wedge adds at the edge of the plates
    reach = float(np.linalg.norm(floor - ceiling)) / 2 + upper.dish_mm + lower.dish_mm + 6.0
    return Disc(column=make_column(upper, frame, reach), above=above, below=below)


def _tilt_of(frame: Frame) -> float:
    """Signed forward lean of a frame's superior axis in the sagittal plane."""
    _, forwards, up = frame.superior
    return float(np.degrees(np.arctan2(forwards, up)))
