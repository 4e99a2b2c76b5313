"""Where the frames of a new object lie: the planes of the series, as its files have them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteoct.io.dicom.grid import LPS_TO_RAS
from osteoct.io.dicom.source import SourceSeries


@dataclass(frozen=True, kw_only=True)
class FramePlanes:
    """Planes of a grid in DICOM's terms: LPS, mm.

    Parameters
    ----------
    positions
        Of the first pixel of each plane, in the order of the CT's slices.
    orientation
        Directions of rows and of columns.
    pixel_spacing
        Distance of rows, distance of columns.
    distance_mm
        Of neighbouring planes along their normal. A voxel of the segmentation is that thick,
        whatever slice thickness the scanner states.
    """

    positions: tuple[tuple[float, ...], ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    distance_mm: float
    rows: int
    columns: int


def find_planes(source: SourceSeries) -> FramePlanes:
    """The planes of the grid that was measured on.

    They are the series' own, to the last digit. Where the gantry was tilted the grid is not that
    of the files: then the planes are the same and their first pixels are other ones.
    """
    positions = tuple(plane.position for plane in source.planes)
    if source.is_resampled:
        index = np.zeros((len(positions), 3))
        index[:, 2] = np.arange(len(positions))
        points = source.geometry.to_patient(index) @ LPS_TO_RAS[:3, :3]
        positions = tuple(tuple(float(v) for v in point) for point in points)
    columns, rows, _ = source.geometry.shape
    return FramePlanes(
        positions=positions,
        orientation=source.orientation,
        pixel_spacing=source.pixel_spacing,
        distance_mm=round(source.geometry.spacing_mm[2], 6),
        rows=rows,
        columns=columns,
    )
