"""A plane through the patient, as it is shown: what the pictures are drawn from.

Display convention (radiological): head up, the patient's right on the left of coronal and axial
pictures, anterior on the left of sagittal and at the top of axial ones. A canonical volume's axes
grow to R, A and S, so every picture is its two axes, vertical one first, both reversed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.errors import GeometryError
from osteoct.geometry import Box, Shape, grown
from osteoct.protocols import PROTOCOLS, VERTEBRA_CORE_3_5, Protocol, Region
from osteoct.protocols import Shape as CoreShape
from osteoct.volume import CTVolume, Mask


class Outline(StrEnum):
    """What a line on a picture goes around."""

    VERTEBRA = "vertebra"
    BODY = "body"
    CORE = "core"
    """Trabecular core below the body's surface; the shell lies between it and the body's line."""
    VERTEBRA_CORE = "vertebra-core"
    """Trabecular core below the whole vertebra's surface."""
    ROI = "roi"
    EXCLUDED = "excluded"
    SECOND = "second"
    """The vertebra of a second segmenter."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """The outlined areas of one level, each a mask of the section's shape."""

    level: Level
    areas: Mapping[Outline, Mask]


@dataclass(frozen=True, kw_only=True)
class Letters:
    """Anatomical directions at the four edges of a picture."""

    left: str
    right: str
    top: str
    bottom: str


SAGITTAL_LETTERS = Letters(left="A", right="P", top="H", bottom="F")
CORONAL_LETTERS = Letters(left="R", right="L", top="H", bottom="F")
AXIAL_LETTERS = Letters(left="R", right="L", top="A", bottom="P")


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """One plane in display order: row 0 is the top of the picture, column 0 its left edge.

    Parameters
    ----------
    hu
        HU, shape (rows, columns).
    spacing_mm
        Distance of neighbouring pixels along rows (downwards) and columns (rightwards).
    """

    hu: NDArray[np.float32] = field(repr=False)
    spacing_mm: tuple[float, float]
    letters: Letters
    layers: tuple[Layer, ...] = ()

    @property
    def size_mm(self) -> tuple[float, float]:
        """Height and width of the plane, whole pixels counted."""
        rows, columns = self.hu.shape
        return rows * self.spacing_mm[0], columns * self.spacing_mm[1]


def check_canonical(ct: CTVolume) -> None:
    """Refuse a volume whose axes do not grow to R, A and S: its pictures would be mirrored.

    Raises
    ------
    GeometryError
        The volume is not in canonical orientation.
    """
    if ct.geometry.axis_codes != "RAS":
        raise GeometryError(
            "the report needs a canonical volume",
            found=ct.geometry.axis_codes,
            wanted="RAS",
            hint='use volume.reoriented("RAS") before finding compartments',
        )


def as_displayed(sheet: NDArray[Any]) -> NDArray[Any]:
    """Turn a sheet of ascending (vertical, horizontal) indices into display order (a view)."""
    return sheet[::-1, ::-1]


def masks_of(level: LevelCompartments) -> dict[Outline, Mask]:
    """The masks of a level that pictures outline, on the level's box."""
    masks = {
        Outline.VERTEBRA: level.vertebra,
        Outline.BODY: level.body,
        Outline.CORE: _core(level, [p for p in _depth_protocols() if p.base is Region.BODY]),
        Outline.VERTEBRA_CORE: _core(level, [VERTEBRA_CORE_3_5]),
        Outline.ROI: _core(
            level, [p for p in PROTOCOLS.values() if p.shape is not CoreShape.DEPTH]
        ),
        Outline.EXCLUDED: level.excluded,
    }
    return {outline: mask for outline, mask in masks.items() if mask is not None and mask.any()}


def _depth_protocols() -> list[Protocol]:
    """Protocols whose core lies below a depth."""
    return [p for p in PROTOCOLS.values() if p.shape is CoreShape.DEPTH]


def _core(level: LevelCompartments, protocols: Sequence[Protocol]) -> Mask | None:
    """The trabecular region of the first of the protocols that the level has."""
    keys = [(p.id, Region.TRABECULAR) for p in protocols]
    return next((level.regions[key] for key in keys if key in level.regions), None)


def field_of(
    levels: Sequence[LevelCompartments],
    margin_mm: float,
    spacing_mm: tuple[float, float, float],
    shape: Shape,
) -> Box:
    """The smallest box around all levels, grown by a margin and kept inside the image."""
    start = np.min([[s.start for s in level.box] for level in levels], axis=0)
    stop = np.max([[s.stop for s in level.box] for level in levels], axis=0)
    a, b, c = (slice(int(first), int(last)) for first, last in zip(start, stop, strict=True))
    x, y, z = (int(np.ceil(margin_mm / step)) for step in spacing_mm)
    return grown((a, b, c), (x, y, z), shape)
