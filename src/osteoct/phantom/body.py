"""The vertebral body: a bent superellipse between two end plates, with closed-form volume."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import gamma, pi

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from osteoct.errors import ConfigError
from osteoct.phantom.lattice import FloatArray, Vector

TABLE_STEP_MM = 0.25
"""Step of the table of wall distances: bilinear interpolation is then within 0.001 mm."""

TABLE_MARGIN_MM = 5.0
"""How far the table reaches beyond the wall; more than any depth that is ever asked for outside."""

WALL_POINTS = 4000
"""Points on the wall from which distances are taken, about 0.04 mm apart."""


@dataclass(frozen=True, kw_only=True)
class CrossSection:
    """A superellipse ``|x/a|ⁿ + |y/b|ⁿ ≤ 1`` bent towards the front, centred on its centroid.

    Bending shifts every sagittal line along y by ``bend·(⟨x²⟩/a² − x²/a²)``: the front bulges, the
    back wall becomes flat or hollow, and the area stays that of the superellipse.

    Parameters
    ----------
    width_mm, depth_mm
        Full size across and, in the mid-sagittal plane, front to back.
    exponent
        2 is an ellipse; larger is more box-like.
    bend_mm
        How far the side walls lag behind the middle.
    """

    width_mm: float
    depth_mm: float
    exponent: float = 2.0
    bend_mm: float = 0.0

    @property
    def mean_square(self) -> float:
        """Mean of (x/a)² over the section, from Dirichlet's integral."""
        n = self.exponent
        return (gamma(3 / n) * gamma(1 + 2 / n)) / (gamma(1 / n) * gamma(1 + 4 / n))

    @property
    def area_mm2(self) -> float:
        """Area, ``4ab·Γ(1+1/n)²/Γ(1+2/n)``.

        >>> round(CrossSection(width_mm=2.0, depth_mm=2.0).area_mm2, 6)
        3.141593
        """
        n = self.exponent
        return self.width_mm * self.depth_mm * gamma(1 + 1 / n) ** 2 / gamma(1 + 2 / n)

    @property
    def middle_mm(self) -> float:
        """Where, along y, the midpoint of the mid-sagittal line lies."""
        return self.bend_mm * self.mean_square

    @property
    def front_mm(self) -> float:
        """Where, along y, the front wall lies in the mid-sagittal plane."""
        return self.middle_mm + self.depth_mm / 2

    @property
    def back_mm(self) -> float:
        """Where, along y, the back wall lies in the mid-sagittal plane."""
        return self.middle_mm - self.depth_mm / 2

    @property
    def half_extent_mm(self) -> tuple[float, float]:
        """Half size of a box around the centroid that holds the section."""
        return self.width_mm / 2, self.depth_mm / 2 + abs(self.bend_mm)

    def depth_below_wall_mm(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Signed distance to the wall, positive inside; exact within the table's step."""
        _, half_y = self.half_extent_mm
        x, y = np.broadcast_arrays(np.abs(x), y + np.float32(half_y + TABLE_MARGIN_MM))
        index = np.stack([x, y]) * np.float32(1 / TABLE_STEP_MM)
        depth: FloatArray = map_coordinates(
            _wall_table(self), index, order=1, mode="nearest", output=np.float32
        )
        return depth


@lru_cache(maxsize=64)
def _wall_table(section: CrossSection) -> FloatArray:
    """Signed distances to the wall over the right half of the section; the left mirrors it."""
    half_x, half_y = section.half_extent_mm
    x, y = np.meshgrid(
        np.arange(0, half_x + TABLE_MARGIN_MM, TABLE_STEP_MM),
        np.arange(-half_y - TABLE_MARGIN_MM, half_y + TABLE_MARGIN_MM, TABLE_STEP_MM),
        indexing="ij",
    )
    wall, normal = _trace_wall(section)
    points = np.column_stack([x.ravel(), y.ravel()])
    nearest = np.asarray(cKDTree(wall).query(points)[1])
    # along the normal: the nearest of the traced points lies up to half their distance beside
    distance = np.abs(((points - wall[nearest]) * normal[nearest]).sum(axis=1)).reshape(x.shape)
    a, b, n = section.width_mm / 2, section.depth_mm / 2, section.exponent
    inside = (x / a) ** n + np.abs((y - _bent(section, x)) / b) ** n <= 1
    table: FloatArray = np.where(inside, distance, -distance).astype(np.float32)
    return table


def _trace_wall(section: CrossSection) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points on the wall and unit normals there, each (n, 2)."""
    a, b, n = section.width_mm / 2, section.depth_mm / 2, section.exponent
    t = np.linspace(0, 1, WALL_POINTS // 8)
    u = np.concatenate([t, (1 - t**n) ** (1 / n)])
    v = np.concatenate([(1 - t**n) ** (1 / n), t])
    u, v = np.concatenate([u, -u, u, -u]), np.concatenate([v, v, -v, -v])
    steep_u, steep_v = (np.sign(w) * np.abs(w) ** (n - 1) for w in (u, v))
    bend_slope = -2 * section.bend_mm * u / a
    normal = np.column_stack([steep_u / a - steep_v / b * bend_slope, steep_v / b])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return np.column_stack([a * u, b * v + _bent(section, a * u)]), normal


def _bent(section: CrossSection, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift of the sagittal line at ``x`` along y."""
    return section.bend_mm * (section.mean_square - (2 * x / section.width_mm) ** 2)


@dataclass(frozen=True, kw_only=True)
class Body:
    """A vertebral body in its own frame: x right, y anterior, z superior, origin in its middle.

    The end plates are planes, symmetric to the axial plane, that meet the front and back wall of
    the mid-sagittal plane at the heights given; each may be hollowed by an elliptic dish (a
    paraboloid).

    Parameters
    ----------
    height_anterior_mm, height_posterior_mm
        Distance of the end plates at the front and at the back wall in the mid-sagittal plane.
    dish_mm
        Depth of each end plate's dish at its centre, half-way between front and back wall.
    dish_fraction
        Semi-axes of the dish as a fraction of those of the section.
    """

    section: CrossSection
    height_anterior_mm: float
    height_posterior_mm: float
    dish_mm: float = 0.0
    dish_fraction: float = 0.72

    def __post_init__(self) -> None:
        if (
            self.height_middle_mm <= 0
            or min(self.height_anterior_mm, self.height_posterior_mm) <= 0
        ):
            raise ConfigError(
                "a vertebral body needs height",
                found=(self.height_anterior_mm, self.height_middle_mm, self.height_posterior_mm),
                wanted="anterior, middle and posterior heights above 0 mm",
            )

    @property
    def height_middle_mm(self) -> float:
        """Distance of the end plates half-way between front and back wall."""
        return (self.height_anterior_mm + self.height_posterior_mm) / 2 - 2 * self.dish_mm

    @property
    def slope(self) -> float:
        """Rise of the upper end plate per mm towards the front; the lower one falls as much."""
        return (self.height_anterior_mm - self.height_posterior_mm) / (2 * self.section.depth_mm)

    @property
    def height_centroid_mm(self) -> float:
        """Distance of the end-plate planes at the centroid of the section."""
        return self.height_anterior_mm - 2 * self.slope * self.section.front_mm

    @property
    def _dish_semi_mm(self) -> tuple[float, float]:
        """Semi-axes of the dishes."""
        return (
            self.dish_fraction * self.section.width_mm / 2,
            self.dish_fraction * self.section.depth_mm / 2,
        )

    @property
    def volume_mm3(self) -> float:
        """Closed form: area × height at the centroid, less two paraboloids ``π·p·q·dish/2``."""
        p, q = self._dish_semi_mm
        return self.section.area_mm2 * self.height_centroid_mm - pi * p * q * self.dish_mm

    @property
    def half_extent_mm(self) -> Vector:
        """Half size of a box around the origin that holds the body."""
        return (
            *self.section.half_extent_mm,
            max(self.height_anterior_mm, self.height_posterior_mm, self.height_centroid_mm) / 2,
        )

    def depth_below_upper_mm(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Distance below the upper end plate, which goes on beyond the wall."""
        return self._depth_below_plate(x, y, z)

    def depth_above_lower_mm(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Distance above the lower end plate, which goes on beyond the wall."""
        return self._depth_below_plate(x, y, -z)

    def _depth_below_plate(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """First-order distance to the upper plate (the lower one is its mirror image)."""
        plane = np.float32(self.height_centroid_mm / 2) + np.float32(self.slope) * y
        steepness = np.float32(1 + self.slope**2)
        if self.dish_mm == 0:
            depth: FloatArray = (plane - z) / np.sqrt(steepness)
            return depth
        p, q = (np.float32(s) for s in self._dish_semi_mm)
        away = y - np.float32(self.section.middle_mm)
        hollow = np.maximum(1 - (x / p) ** 2 - (away / q) ** 2, 0)
        rim = hollow > 0
        dish = np.float32(2 * self.dish_mm)
        gradient = np.where(
            rim,
            (dish * x / p**2) ** 2 + (np.float32(self.slope) + dish * away / q**2) ** 2,
            np.float32(self.slope**2),
        )
        hollowed: FloatArray = (plane - dish / 2 * hollow - z) / np.sqrt(1 + gradient)
        return hollowed

    def depth_mm(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Distance to the nearest of wall and end plates."""
        wall = self.section.depth_below_wall_mm(x, y)
        plates = np.minimum(self.depth_below_upper_mm(x, y, z), self.depth_above_lower_mm(x, y, z))
        depth: FloatArray = np.minimum(wall, plates)
        return depth

    def with_heights(
        self, anterior_mm: float, posterior_mm: float, *, dish_mm: float | None = None
    ) -> Body:
        """The same body with other heights, about the same centre."""
        return replace(
            self,
            height_anterior_mm=anterior_mm,
            height_posterior_mm=posterior_mm,
            dish_mm=self.dish_mm if dish_mm is None else dish_mm,
        )
