"""End plates much denser than those of the other levels, as degeneration makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from scipy import ndimage as ndi

from osteoct.compartments.endplates import sample_endplates
from osteoct.compartments.extent import extent_mm
from osteoct.compartments.level import VertebraAxes
from osteoct.measure.core import Core
from osteoct.quality.foci import DENSE_ABOVE_HU
from osteoct.records import Finding, Severity

DEPARTURE_LIMIT_HU = DENSE_ABOVE_HU
"""How far an end plate lies above the median of the others: as a dense focus above its core."""

LEAST_OTHERS = 3
"""End plates needed to compare one with."""

BAND_MM = (2.0, 6.0)
"""Chosen: depth below an end plate's surface that is looked at. Nearer than 2 mm the plate itself
and the blur of slices decide; deeper than 6 mm lies the core."""

BAND_STEP_MM = 1.0

PART = 0.6
"""Share of the width and depth of the body over which it is looked at: rims are denser."""

COLUMNS = 13
LEAST_FOUND = 0.7
"""Share of the columns that must meet the body."""


@dataclass(frozen=True, kw_only=True)
class Plate:
    """Mean HU below one end plate, and where its densest column lies."""

    core: Core
    side: str
    mean_hu: float
    place_mm: tuple[float, float, float]


def check_plates(cores: Sequence[Core]) -> tuple[Finding, ...]:
    """Find end plates under which bone is much denser than under the others."""
    plates = [plate for core in cores for plate in measure_plates(core)]
    findings = []
    for plate in plates:
        others = [other.mean_hu for other in plates if other is not plate]
        if len(others) >= LEAST_OTHERS:
            findings.append(_compare(plate, median(others)))
    return tuple(finding for finding in findings if finding is not None)


def measure_plates(core: Core) -> tuple[Plate, ...]:
    """Measure the bone below both end plates of a body; nothing without axes, or beside metal."""
    level = core.level
    if level.body is None or level.axes is None or (level.excluded & level.body).any():
        return ()
    low, high = extent_mm(level.body, level.geometry, level.axes, percent=1)
    right, front = (np.linspace(-PART * h, PART * h, COLUMNS) for h in (high - low)[:2] / 2)
    plates = sample_endplates(
        level.body, level.geometry, level.axes, right_mm=right, anterior_mm=front
    )
    found = np.isfinite(plates.top_mm) & np.isfinite(plates.bottom_mm)
    if found.mean() < LEAST_FOUND:
        return ()
    r, a = (grid[found] for grid in np.meshgrid(right, front, indexing="ij"))
    return tuple(
        _measure_plate(core, level.axes, np.column_stack([r, a, face[found]]), side, down)
        for side, face, down in (
            ("upper", plates.top_mm, -1.0),
            ("lower", plates.bottom_mm, 1.0),
        )
    )


def _measure_plate(
    core: Core,
    axes: VertebraAxes,
    surface: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    side: str,
    inwards: float,
) -> Plate:
    """Mean HU of a band below a surface given in the vertebra's own axes."""
    depths = np.arange(BAND_MM[0], BAND_MM[1] + BAND_STEP_MM / 2, BAND_STEP_MM)
    local = surface[:, None, :] + inwards * depths[None, :, None] * np.array([0.0, 0.0, 1.0])
    points = local @ axes.rotation.T + axes.origin_mm
    index = np.moveaxis(core.level.geometry.to_index(points), -1, 0)
    hu = ndi.map_coordinates(core.hu, index, order=1, mode="nearest", prefilter=False)
    densest = int(hu.mean(axis=1).argmax())
    x, y, z = (float(c) for c in points[densest].mean(axis=0))
    return Plate(core=core, side=side, mean_hu=float(hu.mean()), place_mm=(x, y, z))


def _compare(plate: Plate, expected_hu: float) -> Finding | None:
    """Compare an end plate with the median of the others."""
    departure = plate.mean_hu - expected_hu
    if departure <= DEPARTURE_LIMIT_HU:
        return None
    level = plate.core.level.level
    return Finding(
        code="dense-endplate",
        severity=Severity.WARNING,
        level=level,
        message=(
            f"Bone below the {plate.side} end plate of {level} has {plate.mean_hu:.0f} HU, "
            f"{departure:.0f} more than below the others ({expected_hu:.0f} HU)."
        ),
        certainty=0.7,
        place_mm=plate.place_mm,
        evidence={
            "side": plate.side,
            "mean_hu": plate.mean_hu,
            "others_hu": expected_hu,
            "limit_hu": DEPARTURE_LIMIT_HU,
        },
    )
