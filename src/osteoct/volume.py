"""Arrays that know where they lie.

A volume's array never travels without its :class:`~osteoct.geometry.Geometry`; operations return
new volumes and never resample silently. Reorienting and cropping return *views*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from osteoct.anatomy import Structure
from osteoct.errors import GeometryError
from osteoct.geometry import Box, Geometry, Reorientation
from osteoct.records import Acquisition, Finding, GridRecord

HuArray: TypeAlias = NDArray[np.int16] | NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """An array on a grid in patient space."""

    array: NDArray[Any] = field(repr=False)
    geometry: Geometry

    def __post_init__(self) -> None:
        if self.array.shape != self.geometry.shape:
            raise GeometryError(
                "array and grid differ", found=self.array.shape, wanted=self.geometry.shape
            )

    def apply(self, step: Reorientation) -> Self:
        """The same voxels with their array axes permuted and flipped (a view)."""
        return replace(
            self,
            array=step.apply_to_array(self.array),
            geometry=step.apply_to_geometry(self.geometry),
        )

    def reoriented(self, codes: str) -> Self:
        """The same voxels with array axes as close to ``codes`` as whole axes go (a view)."""
        return self.apply(self.geometry.reorientation_to(codes))

    def cropped(self, box: Box) -> Self:
        """The part inside ``box`` (a view)."""
        return replace(self, array=self.array[box], geometry=self.geometry.cropped(box))


@dataclass(frozen=True, kw_only=True, eq=False)
class CTVolume(Volume):
    """A CT image in Hounsfield units.

    Parameters
    ----------
    array
        HU. int16 where every value is a whole number that int16 holds exactly, float32 otherwise:
        an archive's CT is int16, and half the memory is worth the two types. :meth:`hu` always
        gives float32.
    acquisition
        What the header tells about the scan; absent facts are ``None``.
    padding_hu
        Value that marks voxels outside the reconstructed circle, if the file declares one.
        Such voxels were never measured.
    findings
        What reading noticed: resampled slices, a series chosen among several, and so on.
    """

    acquisition: Acquisition = field(default_factory=Acquisition)
    padding_hu: float | None = None
    findings: tuple[Finding, ...] = ()

    def hu(self, box: Box | None = None) -> NDArray[np.float32]:
        """HU as float32 inside ``box`` (the whole volume without one)."""
        part = self.array if box is None else self.array[box]
        return part.astype(np.float32, copy=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelVolume(Volume):
    """Whole-number labels on a grid, and what each of them means.

    Parameters
    ----------
    array
        Labels, an unsigned integer type wide enough for every label; 0 is background.
    structures
        What each label stands for; labels without an entry are present but not understood.
    scheme_id
        Scheme of :data:`osteoct.anatomy.SCHEMES` the labels were read under; ``None`` where the
        file's own names fit no scheme as a whole.
    findings
        What reading or aligning noticed.
    """

    structures: Mapping[int, Structure]
    scheme_id: str | None = None
    findings: tuple[Finding, ...] = ()


def describe_grid(geometry: Geometry) -> GridRecord:
    """Describe a grid without its position, which no result needs."""
    return GridRecord(
        shape=geometry.shape, spacing_mm=geometry.spacing_mm, axis_codes=geometry.axis_codes
    )
