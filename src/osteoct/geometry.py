"""Where voxels lie: a grid in patient space.

Patient space is **RAS+ in millimetres** everywhere in osteoct: x grows to the patient's right-hand
side (R), y to the front (A), z to the head (S). DICOM's LPS is converted where files are read and
written, and nowhere else. The affine maps the index ``(i, j, k)`` of a voxel to its *centre*.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from osteoct.errors import GeometryError

Box: TypeAlias = tuple[slice, slice, slice]
Shape: TypeAlias = tuple[int, int, int]

SAME_GRID_MM = 0.05
"""Largest distance between equal corners of two grids that still count as one.

NIfTI keeps float32 affines and DICOM decimal strings of 16 characters, so the same grid differs by
up to about 0.001 mm between files; a tenth of the finest clinical voxel (0.5 mm) is far above that
and far below anything that would move a measurement.
"""

ORTHOGONAL_COSINE = 1e-3
"""Largest cosine between two voxel axes that still count as perpendicular (0.06 degrees)."""

DIMENSIONS = 3
"""Axes of a grid: a 4-D image is not one volume."""

LEAST_VOXEL_MM3 = 1e-9
"""Smallest volume of a voxel; below it the affine is singular but for rounding."""

_CODES = ("RL", "AP", "SI")


@dataclass(frozen=True, kw_only=True, eq=False)
class Geometry:
    """A regular grid of voxels in patient space (RAS+, mm).

    Parameters
    ----------
    shape
        Number of voxels along each array axis.
    affine
        4 × 4 float64, index of a voxel to the patient coordinates of its centre, in mm.

    Raises
    ------
    GeometryError
        Affine not 4 × 4, not finite, not invertible, or a shape that is not three positive numbers.
    """

    shape: Shape
    affine: NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if len(self.shape) != DIMENSIONS or min(self.shape) < 1:
            raise GeometryError("bad grid shape", found=self.shape, wanted="three positive numbers")
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError("bad affine", found=f"shape {affine.shape}", wanted="finite 4 x 4")
        if not np.array_equal(affine[3], (0, 0, 0, 1)):
            raise GeometryError("bad affine", found=f"last row {affine[3]}", wanted="0 0 0 1")
        if abs(np.linalg.det(affine[:3, :3])) < LEAST_VOXEL_MM3:
            raise GeometryError("bad affine", found="a voxel without volume", wanted="volume > 0")
        affine.setflags(write=False)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "affine", affine)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Geometry):
            return NotImplemented
        return self.shape == other.shape and np.array_equal(self.affine, other.affine)

    def __hash__(self) -> int:
        return hash((self.shape, self.affine.tobytes()))

    @classmethod
    def from_spacing(
        cls,
        shape: Shape,
        spacing_mm: tuple[float, float, float],
        origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> Geometry:
        """Make an axis-aligned RAS+ grid.

        >>> Geometry.from_spacing((2, 3, 4), (1.0, 1.0, 2.5)).spacing_mm
        (1.0, 1.0, 2.5)
        """
        affine = np.diag([*spacing_mm, 1.0])
        affine[:3, 3] = origin_mm
        return cls(shape=shape, affine=affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxel centres along each array axis."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def direction(self) -> NDArray[np.float64]:
        """Unit vectors of the array axes in patient space, one per column."""
        columns: NDArray[np.float64] = self.affine[:3, :3] / np.array(self.spacing_mm)
        return columns

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    @property
    def is_orthogonal(self) -> bool:
        """Whether the voxels are boxes (no gantry tilt, no shear)."""
        cosines = self.direction.T @ self.direction - np.eye(3)
        return bool(np.abs(cosines).max() <= ORTHOGONAL_COSINE)

    @property
    def axis_codes(self) -> str:
        """Anatomical direction in which each array axis grows, such as ``RAS`` or ``LPI``.

        Each array axis gets the patient axis it is closest to, no patient axis twice.
        """
        return "".join(
            _CODES[patient][0 if sign > 0 else 1] for patient, sign in self._closest_axes()
        )

    def _closest_axes(self) -> list[tuple[int, int]]:
        """For each array axis the closest patient axis and the sign along it."""
        direction = self.direction
        best = max(
            itertools.permutations(range(3)),
            key=lambda p: sum(abs(direction[p[a], a]) for a in range(3)),
        )
        return [(best[a], 1 if direction[best[a], a] > 0 else -1) for a in range(3)]

    @property
    def slice_axis(self) -> int:
        """The array axis that runs closest to head–feet."""
        return [patient for patient, _ in self._closest_axes()].index(2)

    def to_patient(self, index: NDArray[Any]) -> NDArray[np.float64]:
        """Patient coordinates (…, 3) in mm of (fractional) voxel indices (…, 3)."""
        points: NDArray[np.float64] = (
            np.asarray(index, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]
        )
        return points

    def to_index(self, points_mm: NDArray[Any]) -> NDArray[np.float64]:
        """Fractional voxel indices (…, 3) of patient coordinates (…, 3) in mm."""
        inverse = np.linalg.inv(self.affine)
        index: NDArray[np.float64] = (
            np.asarray(points_mm, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3]
        )
        return index

    def corners_mm(self) -> NDArray[np.float64]:
        """Patient coordinates (8, 3) of the centres of the eight corner voxels."""
        index = np.array(list(itertools.product(*((0, n - 1) for n in self.shape))))
        return self.to_patient(index)

    def corner_distance_mm(self, other: Geometry) -> float:
        """Largest distance between equal corners of two grids of one shape."""
        return float(np.linalg.norm(self.corners_mm() - other.corners_mm(), axis=1).max())

    def is_same_grid(self, other: Geometry, tolerance_mm: float = SAME_GRID_MM) -> bool:
        """Whether two grids have one shape and their corners coincide."""
        return self.shape == other.shape and self.corner_distance_mm(other) <= tolerance_mm

    def cropped(self, box: Box) -> Geometry:
        """Geometry of the part of the grid inside ``box`` (unit-step slices)."""
        bounds = [s.indices(n) for s, n in zip(box, self.shape, strict=True)]
        affine = self.affine.copy()
        affine[:3, 3] = self.to_patient(np.array([start for start, _, _ in bounds]))
        shape = tuple(max(stop - start, 0) for start, stop, _ in bounds)
        return Geometry(shape=shape, affine=affine)  # type: ignore[arg-type]

    def reorientation_to(self, codes: str) -> Reorientation:
        """The permutation and flips after which the axes point along ``codes``."""
        return reorientation(self.axis_codes, codes)

    def reorientation_onto(self, other: Geometry) -> Reorientation | None:
        """The permutation and flips that turn this grid into ``other``, if there are any."""
        for axes in itertools.permutations(range(3)):
            if tuple(self.shape[a] for a in axes) != other.shape:
                continue
            for flips in itertools.product((False, True), repeat=3):
                candidate = Reorientation(axes=axes, flips=flips)  # type: ignore[arg-type]
                if candidate.apply_to_geometry(self).is_same_grid(other):
                    return candidate
        return None


@dataclass(frozen=True, kw_only=True)
class Reorientation:
    """A permutation of array axes followed by flips: moves voxels, changes no value.

    ``axes[n]`` is the old axis that becomes new axis ``n``; ``flips[n]`` reverses new axis ``n``.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @property
    def inverse(self) -> Reorientation:
        """The reorientation that undoes this one."""
        axes = tuple(self.axes.index(a) for a in range(3))
        return Reorientation(
            axes=axes,  # type: ignore[arg-type]
            flips=tuple(self.flips[a] for a in axes),  # type: ignore[arg-type]
        )

    def apply_to_array(self, array: NDArray[Any]) -> NDArray[Any]:
        """A view of ``array`` with its axes permuted and flipped; nothing is copied."""
        steps = tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        return array.transpose(self.axes)[steps]

    def apply_to_geometry(self, geometry: Geometry) -> Geometry:
        """The geometry of a volume after :meth:`apply_to_array`."""
        affine = np.eye(4)
        shape = tuple(geometry.shape[a] for a in self.axes)
        start = np.zeros(3)
        for new, (old, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            affine[:3, new] = geometry.affine[:3, old] * (-1 if flip else 1)
            start[old] = geometry.shape[old] - 1 if flip else 0
        affine[:3, 3] = geometry.to_patient(start)
        return Geometry(shape=shape, affine=affine)  # type: ignore[arg-type]


def reorientation(from_codes: str, to_codes: str) -> Reorientation:
    """The permutation and flips between two orientations such as ``PIR`` and ``RAS``.

    >>> reorientation("LPS", "RAS").flips
    (True, True, False)
    """
    line_of = {code: n for n, pair in enumerate(_CODES) for code in pair}
    for codes in (from_codes, to_codes):
        if len(codes) != DIMENSIONS or {line_of.get(c) for c in codes} != {0, 1, 2}:
            raise GeometryError("bad orientation", found=codes, wanted="three letters such as RAS")
    lines = [line_of[c] for c in from_codes]
    axes = tuple(lines.index(line_of[c]) for c in to_codes)
    flips = tuple(from_codes[a] != c for a, c in zip(axes, to_codes, strict=True))
    return Reorientation(axes=axes, flips=flips)  # type: ignore[arg-type]


def grown(box: Box, margin_voxels: tuple[int, int, int], shape: Shape) -> Box:
    """``box`` grown by a margin on every side, kept inside a grid of ``shape``."""
    a, b, c = (
        slice(max(s.start - m, 0), min(s.stop + m, n))
        for s, m, n in zip(box, margin_voxels, shape, strict=True)
    )
    return a, b, c
