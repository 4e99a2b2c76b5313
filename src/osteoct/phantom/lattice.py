"""Where shapes stand, and the regular points they are evaluated at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from osteoct.geometry import Box, Shape

Vector: TypeAlias = tuple[float, float, float]
FloatArray: TypeAlias = NDArray[np.float32]

NEGLIGIBLE_MM = 1e-9
"""A step component below this does not move a point: the coordinate stays constant along it."""


def make_vector(values: NDArray[np.float64]) -> Vector:
    """Three numbers as a hashable tuple."""
    x, y, z = values
    return float(x), float(y), float(z)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A right-handed coordinate system in patient space (RAS+, mm); unit vectors, hashable."""

    origin_mm: Vector = (0.0, 0.0, 0.0)
    right: Vector = (1.0, 0.0, 0.0)
    anterior: Vector = (0.0, 1.0, 0.0)
    superior: Vector = (0.0, 0.0, 1.0)

    @classmethod
    def at(
        cls,
        origin_mm: Vector,
        *,
        tilt_deg: float = 0.0,
        lateral_deg: float = 0.0,
        yaw_deg: float = 0.0,
    ) -> Frame:
        """A frame whose superior axis leans forwards by ``tilt_deg``.

        Parameters
        ----------
        origin_mm
            Origin in the surrounding frame.
        tilt_deg
            Rotation about the right axis; positive leans the superior axis to the front, as L5.
        lateral_deg
            Rotation about the anterior axis; positive leans the superior axis to the right.
        yaw_deg
            Rotation about the superior axis; positive turns the right axis to the front.

        >>> Frame.at((0, 0, 0), tilt_deg=90.0).superior[1]
        1.0
        """
        tilt, lateral, yaw = np.radians([tilt_deg, lateral_deg, yaw_deg])
        about_x = np.array(
            [[1, 0, 0], [0, np.cos(tilt), np.sin(tilt)], [0, -np.sin(tilt), np.cos(tilt)]]
        )
        about_y = np.array(
            [
                [np.cos(lateral), 0, np.sin(lateral)],
                [0, 1, 0],
                [-np.sin(lateral), 0, np.cos(lateral)],
            ]
        )
        about_z = np.array(
            [[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]]
        )
        return cls._from_matrix(origin_mm, about_y @ about_x @ about_z)

    @classmethod
    def along(cls, start_mm: Vector, stop_mm: Vector) -> Frame:
        """A frame half-way between two points whose superior axis runs from one to the other."""
        start, stop = np.array(start_mm), np.array(stop_mm)
        superior = (stop - start) / np.linalg.norm(stop - start)
        spare = np.eye(3)[int(np.argmin(np.abs(superior)))]
        right = np.cross(spare, superior)
        right /= np.linalg.norm(right)
        matrix = np.column_stack([right, np.cross(superior, right), superior])
        return cls._from_matrix(make_vector((start + stop) / 2), matrix)

    @classmethod
    def _from_matrix(cls, origin_mm: Vector, matrix: NDArray[np.float64]) -> Frame:
        """A frame from a rotation matrix whose columns are its axes."""
        right, anterior, superior = (make_vector(column) for column in matrix.T)
        return cls(origin_mm=origin_mm, right=right, anterior=anterior, superior=superior)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The axes as columns, shape (3, 3)."""
        return np.column_stack([self.right, self.anterior, self.superior]).astype(np.float64)

    def to_patient(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Patient coordinates (…, 3) of points (…, 3) given in this frame."""
        placed: NDArray[np.float64] = points_mm @ self.matrix.T + np.array(self.origin_mm)
        return placed

    def placed(self, inner: Frame) -> Frame:
        """The frame ``inner``, given in this frame, as seen from outside."""
        origin = make_vector(self.to_patient(np.array(inner.origin_mm)))
        return Frame._from_matrix(origin, self.matrix @ inner.matrix)


UPRIGHT = Frame()
"""Patient space itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """Regular points in patient space, possibly sheared (gantry tilt).

    Parameters
    ----------
    shape
        Number of points along each index.
    origin_mm
        Patient coordinates of point (0, 0, 0), shape (3,).
    steps_mm
        Shape (3, 3); column ``n`` is the step along index ``n``.
    """

    shape: Shape
    origin_mm: NDArray[np.float64]
    steps_mm: NDArray[np.float64]

    @property
    def affine(self) -> NDArray[np.float64]:
        """Index to patient coordinates, 4 × 4."""
        affine = np.eye(4)
        affine[:3, :3] = self.steps_mm
        affine[:3, 3] = self.origin_mm
        return affine

    @property
    def mean_step_mm(self) -> float:
        """Mean distance of neighbours."""
        return float(np.linalg.norm(self.steps_mm, axis=0).mean())

    def to_index(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Fractional indices (n, 3) of patient coordinates (n, 3)."""
        index: NDArray[np.float64] = (points_mm - self.origin_mm) @ np.linalg.inv(self.steps_mm).T
        return index

    def coordinates(self, frame: Frame) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Coordinates of all points in ``frame``: three arrays that broadcast to ``shape``.

        A coordinate that does not change along an index has length 1 there, which is what makes
        upright phantoms cheap.
        """
        axes = frame.matrix
        start = (self.origin_mm - np.array(frame.origin_mm)) @ axes
        steps = self.steps_mm.T @ axes
        x, y, z = (self._ramp(float(start[c]), steps[:, c]) for c in range(3))
        return x, y, z

    def _ramp(self, start: float, steps: NDArray[np.float64]) -> FloatArray:
        """``start + i·steps[0] + j·steps[1] + k·steps[2]`` over the indices that matter."""
        ramp = np.full((1, 1, 1), start, dtype=np.float32)
        for axis, step in enumerate(steps):
            if abs(step) > NEGLIGIBLE_MM:
                along = [1, 1, 1]
                along[axis] = self.shape[axis]
                ramp = ramp + (np.arange(self.shape[axis]) * step).astype(np.float32).reshape(along)
        return ramp

    def box_around(self, points_mm: NDArray[np.float64], margin_mm: float) -> Box:
        """Index box around points with a margin; may reach beyond the lattice."""
        index = self.to_index(points_mm)
        margin = margin_mm * np.linalg.norm(np.linalg.inv(self.steps_mm), axis=1)
        low = np.floor(index.min(axis=0) - margin).astype(int)
        high = np.ceil(index.max(axis=0) + margin).astype(int) + 1
        a, b, c = (slice(int(lo), int(hi)) for lo, hi in zip(low, high, strict=True))
        return a, b, c

    def clipped(self, box: Box) -> Box | None:
        """The part of a box that lies on the lattice, or ``None``."""
        return intersected(box, tuple(slice(0, n) for n in self.shape))  # type: ignore[arg-type] # three axes

    def cropped(self, box: Box) -> Lattice:
        """The lattice inside a box, which may reach beyond this one."""
        start = np.array([s.start for s in box], dtype=np.float64)
        a, b, c = (s.stop - s.start for s in box)
        return Lattice(
            shape=(a, b, c),
            origin_mm=self.origin_mm + self.steps_mm @ start,
            steps_mm=self.steps_mm,
        )

    def refined(self, factors: tuple[int, int, int]) -> Lattice:
        """The centres of the ``factors`` sub-cells of every cell."""
        parts = np.array(factors, dtype=np.float64)
        steps = self.steps_mm / parts
        origin = self.origin_mm - self.steps_mm @ np.full(3, 0.5) + steps @ np.full(3, 0.5)
        a, b, c = (n * f for n, f in zip(self.shape, factors, strict=True))
        return Lattice(shape=(a, b, c), origin_mm=origin, steps_mm=steps)


def intersected(box: Box, other: Box) -> Box | None:
    """The common part of two boxes, or ``None``."""
    a, b, c = (
        slice(max(s.start, t.start), min(s.stop, t.stop)) for s, t in zip(box, other, strict=True)
    )
    return None if any(s.start >= s.stop for s in (a, b, c)) else (a, b, c)
