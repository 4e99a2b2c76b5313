"""Phantoms of the lumbar spine: one vertebra, or five in a lordosis between T12 and the sacrum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import LUMBAR, Level
from osteoct.errors import ConfigError
from osteoct.phantom.arch import SPINOUS_HALF_LENGTH_MM, make_arch
from osteoct.phantom.body import Body, CrossSection
from osteoct.phantom.description import Inclusion, Phantom, Solid, Vertebra, make_discs
from osteoct.phantom.lattice import Frame, Vector, make_vector
from osteoct.phantom.sacrum import make_sacrum
from osteoct.phantom.shapes import Capsule, Carved, Placed, Union
from osteoct.phantom.surroundings import ABDOMEN
from osteoct.phantom.tissue import DISC, THECAL_SAC, VEIN, Tissue, TissueKind

SECTION_EXPONENT = 2.8
"""Between an ellipse and a box, as lumbar bodies are seen from above."""

SECTION_BEND_MM = 4.5
"""Makes the back wall slightly hollow."""

BODY_SIZE_MM: Mapping[Level, tuple[float, float, float, float]] = {
    Level.T12: (43.0, 31.0, 25.5, 27.0),
    Level.L1: (45.0, 32.5, 26.0, 27.5),
    Level.L2: (46.0, 33.0, 27.0, 27.5),
    Level.L3: (47.5, 34.0, 27.5, 27.5),
    Level.L4: (49.0, 34.5, 28.0, 27.0),
    Level.L5: (50.0, 35.0, 28.5, 25.0),
    Level.S1: (50.0, 33.0, 29.0, 27.0),
}
"""Width, depth, anterior and posterior height of each body: ordinary adult sizes, chosen."""

LORDOSIS_DEG: Mapping[Level, float] = {
    Level.T12: -13.0,
    Level.L1: -11.0,
    Level.L2: -7.0,
    Level.L3: -1.0,
    Level.L4: 6.0,
    Level.L5: 17.0,
    Level.S1: 35.0,
}
"""Forward lean of each vertebra's superior axis: a supine lumbar lordosis, chosen."""

DISC_MM: Mapping[Level, float] = {
    Level.T12: 7.0,
    Level.L1: 8.0,
    Level.L2: 9.0,
    Level.L3: 10.0,
    Level.L4: 11.0,
    Level.L5: 11.0,
}
"""Distance of the end plates' middles below each level, chosen."""

SPINOUS_HALF_MM: Mapping[Level, float] = {Level.L5: 11.0}
"""The last spinous process is short."""

SAC_RADIUS_MM = 5.5
"""Radius of the thecal sac: inside the foramen with 2 mm to spare."""


@dataclass(frozen=True, kw_only=True)
class BoneMake:
    """What the vertebrae of a phantom are made of.

    Parameters
    ----------
    shell_mm, shell_hu
        Cortical shell, the same all over the vertebra.
    trabecular_hu
        Core per level; ``other_trabecular_hu`` for levels not listed.
    dish_mm
        Hollow of each end plate.
    has_vein
        Whether each body has a basivertebral vein channel.
    """

    shell_mm: float = 1.0
    shell_hu: float = 700.0
    trabecular_hu: Mapping[Level, float] = field(default_factory=dict)
    other_trabecular_hu: float = 150.0
    dish_mm: float = 0.0
    has_vein: bool = False

    @property
    def shell(self) -> Tissue:
        """The shell's tissue."""
        return Tissue(name="cortical bone", hu=self.shell_hu, kind=TissueKind.CORTICAL)

    def core(self, level: Level) -> Tissue:
        """The core's tissue at a level."""
        hu = self.trabecular_hu.get(level, self.other_trabecular_hu)
        return Tissue(name="trabecular bone", hu=hu, kind=TissueKind.TRABECULAR)


def make_body(level: Level, *, dish_mm: float = 0.0) -> Body:
    """A body of the level's size.

    Raises
    ------
    ConfigError
        The level has no size in :data:`BODY_SIZE_MM`.
    """
    if level not in BODY_SIZE_MM:
        raise ConfigError(
            "no phantom of this level", found=level, wanted="one of " + ", ".join(BODY_SIZE_MM)
        )
    width, depth, anterior, posterior = BODY_SIZE_MM[level]
    section = CrossSection(
        width_mm=width, depth_mm=depth, exponent=SECTION_EXPONENT, bend_mm=SECTION_BEND_MM
    )
    return Body(
        section=section,
        height_anterior_mm=anterior,
        height_posterior_mm=posterior,
        dish_mm=dish_mm,
    )


def make_vertebra(level: Level, frame: Frame, bone: BoneMake) -> Vertebra:
    """One vertebra of ordinary size, standing in ``frame``."""
    body = make_body(level, dish_mm=bone.dish_mm)
    return Vertebra(
        level=level,
        frame=frame,
        body=body,
        arch=fit_arch(level, body),
        shell_mm=bone.shell_mm,
        shell=bone.shell,
        core=bone.core(level),
        inclusions=(_make_vein(body),) if bone.has_vein else (),
    )


def fit_arch(level: Level, body: Body) -> Carved:
    """The posterior elements of a level, fitted to a body."""
    spinous = SPINOUS_HALF_MM.get(level, SPINOUS_HALF_LENGTH_MM)
    return make_arch(body, spinous_half_length_mm=spinous)


def _make_vein(body: Body) -> Inclusion:
    """A channel from the middle of the back wall into the body."""
    back, middle = body.section.back_mm, body.section.middle_mm
    channel = Placed(
        primitive=Capsule(half_length_mm=(middle - back) / 2, radius_mm=2.0),
        frame=Frame.along((0.0, back, 0.0), (0.0, middle, 0.0)),
    )
    return Inclusion(shape=channel, tissue=VEIN)


def single_vertebra(
    level: Level = Level.L3,
    tilt_deg: float = 0.0,
    shell_mm: float = 1.0,
    shell_hu: float = 700.0,
    trabecular_hu: float = 150.0,
    *,
    lateral_tilt_deg: float = 0.0,
    dish_mm: float = 0.0,
) -> Phantom:
    """One vertebra in muscle, its body's centre at the origin of patient space.

    The field of view suggested to a scanner holds all of it with a small margin.

    Parameters
    ----------
    tilt_deg, lateral_tilt_deg
        Lean of the superior axis to the front and to the right.
    dish_mm
        Hollow of each end plate.

    >>> single_vertebra(Level.L1, tilt_deg=20.0).vertebrae[0].level
    <Level.L1: 'L1'>
    """
    bone = BoneMake(
        shell_mm=shell_mm, shell_hu=shell_hu, other_trabecular_hu=trabecular_hu, dish_mm=dish_mm
    )
    frame = Frame.at((0.0, 0.0, 0.0), tilt_deg=tilt_deg, lateral_deg=lateral_tilt_deg)
    vertebra = make_vertebra(level, frame, bone)
    low, high = _bounds(vertebra)
    size, centre = high - low + 2 * FIELD_MARGIN_MM, (low + high) / 2
    return Phantom(
        name="single vertebra",
        vertebrae=(vertebra,),
        field_mm=make_vector(size),
        field_centre_mm=make_vector(centre),
    )


FIELD_MARGIN_MM = 6.0
"""Space left around a single vertebra in its field of view."""


def _bounds(vertebra: Vertebra) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest patient coordinates of a vertebra."""
    outline = vertebra.outline_mm()
    return outline.min(axis=0), outline.max(axis=0)


def lumbar_spine(
    bone: BoneMake | None = None,
    *,
    levels: Sequence[Level] = LUMBAR,
    tilt_deg: float | None = None,
    lordosis: float = 1.0,
    lateral_deg: float = 0.0,
    has_t12: bool = True,
    has_sacrum: bool = True,
) -> Phantom:
    """The lumbar spine in an abdomen, L3's centre at the origin of patient space.

    Parameters
    ----------
    bone
        What the vertebrae are made of; by default 1 mm of 700 HU around 150 HU.
    levels
        Lumbar levels, head to feet, without gaps.
    tilt_deg
        One tilt for all levels instead of the lordosis.
    lordosis
        Factor on the tilts of the lordosis.
    lateral_deg
        Lean of every superior axis to the right.
    has_t12, has_sacrum
        Whether the neighbours are there.

    >>> [str(v.level) for v in lumbar_spine().vertebrae]
    ['T12', 'L1', 'L2', 'L3', 'L4', 'L5']
    """
    bone = bone or BoneMake(dish_mm=1.0)
    present = (*((Level.T12,) if has_t12 else ()), *levels, *((Level.S1,) if has_sacrum else ()))
    tilts = {
        level: lordosis * LORDOSIS_DEG[level] if tilt_deg is None else tilt_deg for level in present
    }
    frames = _stack(tilts, bone, lateral_deg)
    vertebrae = tuple(make_vertebra(lv, f, bone) for lv, f in frames.items() if lv is not Level.S1)
    sacrum = (
        make_sacrum(
            frames[Level.S1],
            make_body(Level.S1, dish_mm=bone.dish_mm),
            shell_mm=bone.shell_mm,
            shell=bone.shell,
            core=bone.core(Level.S1),
        )
        if has_sacrum
        else None
    )
    return Phantom(
        name="lumbar spine",
        vertebrae=vertebrae,
        discs=make_discs(vertebrae, sacrum),
        sacrum=sacrum,
        soft=(_make_sac(vertebrae),),
        columns=ABDOMEN,
        disc_tissue=DISC,
        field_mm=LUMBAR_FIELD_MM,
        field_centre_mm=LUMBAR_FIELD_CENTRE_MM,
    )


LUMBAR_FIELD_MM: Vector = (240.0, 240.0, 220.0)
"""Reconstructed field of a spine CT: L1 to L5 whole, T12 and the sacrum in part."""

LUMBAR_FIELD_CENTRE_MM: Vector = (0.0, 5.0, -4.0)
"""Shows the skin of the back and the table."""


def _stack(
    tilts_deg: Mapping[Level, float], bone: BoneMake, lateral_deg: float
) -> dict[Level, Frame]:
    """Frames of the levels, each disc as high as ordered between the middles of the end plates."""
    levels = tuple(tilts_deg)
    frames: dict[Level, Frame] = {}
    joint = np.zeros(3)
    for level, tilt in tilts_deg.items():
        body = make_body(level, dish_mm=bone.dish_mm)
        frame = Frame.at((0.0, 0.0, 0.0), tilt_deg=tilt, lateral_deg=lateral_deg)
        half = np.array([0.0, 0.0, body.height_centroid_mm / 2])
        if frames:
            last = next(reversed(frames.values()))
            down = np.array(last.superior) + np.array(frame.superior)
            joint = joint - down / np.linalg.norm(down) * DISC_MM[_above(levels, level)]
            centre = joint - frame.to_patient(half)
        else:
            centre = np.zeros(3)
        frames[level] = replace(frame, origin_mm=make_vector(centre))
        joint = centre - frame.to_patient(half)
    anchor = np.array(frames.get(Level.L3, next(iter(frames.values()))).origin_mm)
    return {
        level: replace(f, origin_mm=make_vector(np.array(f.origin_mm) - anchor))
        for level, f in frames.items()
    }


def _above(levels: Sequence[Level], level: Level) -> Level:
    """The level before another one."""
    return levels[levels.index(level) - 1]


def _make_sac(vertebrae: Sequence[Vertebra]) -> Solid:
    """The thecal sac: a tube through the middles of the foramina and a little beyond."""
    centres = [np.array(v.canal_centre_mm) for v in vertebrae]
    ends = (vertebrae[0].frame.superior, vertebrae[-1].frame.superior)
    chain = [centres[0] + 18 * np.array(ends[0]), *centres, centres[-1] - 18 * np.array(ends[1])]
    parts = tuple(
        Placed(
            primitive=Capsule(
                half_length_mm=float(np.linalg.norm(b - a)) / 2, radius_mm=SAC_RADIUS_MM
            ),
            frame=Frame.along(make_vector(a), make_vector(b)),
        )
        for a, b in pairwise(chain)
    )
    return Solid(shape=Union(parts=parts), core=THECAL_SAC)


__all__ = [
    "BODY_SIZE_MM",
    "LORDOSIS_DEG",
    "BoneMake",
    "fit_arch",
    "lumbar_spine",
    "make_body",
    "make_vertebra",
    "single_vertebra",
]
