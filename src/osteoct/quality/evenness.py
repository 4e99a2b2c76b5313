"""A core whose HU differ more from place to place than those of its neighbours.

Foci of moderate contrast, and many small ones, move a mean as much as one that stands out, and no
single part of them does. So the width of a core's HU, smoothed until noise is nearly gone, is
compared with the widths of the neighbours: what all cores of a patient have in common, as coarse
bone or a vein, is no doubt about one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, prod, sqrt
from statistics import median

import numpy as np

from osteoct.measure.core import Core, place_of, smooth_core
from osteoct.measure.tissues import MAD_TO_SD
from osteoct.quality.foci import YOUNG_SD_HU
from osteoct.quality.noise import CELL_MM3
from osteoct.quality.outliers import LEAST_NEIGHBOURS, NEIGHBOURS
from osteoct.records import Finding, Severity

SCALE_MM = 2.5
"""Chosen: SD of the Gaussian; of 25 HU noise about 2 stay (3 under slices of 5 mm), and most of a
ball of 10 mm."""

TAIL_PERCENT = 5.0
"""Chosen: a twentieth of a core on either side may be anything; a focus that matters is larger."""

WIDER_BY_HU = YOUNG_SD_HU
"""How much wider than its neighbours a core may be: one SD of young adults (derived). Cores of a
real CT without a focus had widths of 12 to 35 HU; those of clean phantoms 0 to 10, with a vein 27
to 35."""

WIDTH_OF_SD = 3.290
"""From the 5th to the 95th percentile of a normal distribution in SDs."""

LEAST_VOXELS = 100
"""Chosen: five voxels beyond each percentile."""

TOLD_BY = frozenset({"dense-focus", "lucent-focus", "dense-material"})
"""Findings that say already what makes a core uneven."""


def check_evenness(cores: Sequence[Core], told: Sequence[Finding]) -> tuple[Finding, ...]:
    """Find cores that are less even than their neighbours, where no focus says why.

    Parameters
    ----------
    told
        Findings about foci of the same cores.
    """
    known = {f.level for f in told if f.code in TOLD_BY}
    widths = {core: w for core in cores if (w := width_hu(core)) is not None}
    findings = []
    for core, width in widths.items():
        order = core.level.level.order
        near = sorted(
            (other for other in widths if other is not core),
            key=lambda other: abs(other.level.level.order - order),
        )[:NEIGHBOURS]
        if len(near) < LEAST_NEIGHBOURS or core.level.level in known:
            continue
        usual = median(widths[other] for other in near)
        if width - usual > WIDER_BY_HU:
            findings.append(_tell(core, width, usual, len(near)))
    return tuple(findings)


def width_hu(core: Core) -> float | None:
    """How far the HU of a core spread from place to place, without noise.

    The 5th to the 95th percentile of the smoothed HU, less in quadrature what noise leaves of it.
    ``None`` for a core of too few voxels.
    """
    values = smooth_core(core, SCALE_MM)[core.inside]
    if values.size < LEAST_VOXELS:
        return None
    low, high = np.percentile(values, (TAIL_PERCENT, 100 - TAIL_PERCENT))
    left = float(high - low) ** 2 - (WIDTH_OF_SD * smoothed_noise_hu(core)) ** 2
    return sqrt(max(left, 0.0))


def smoothed_noise_hu(core: Core) -> float:
    """SD of the noise that smoothing leaves, from voxels two apart within slices of the core.

    What differs over two voxels counts as noise, so structure as fine as that does too.
    """
    steps = []
    for axis in range(3):
        if axis == core.geometry.slice_axis:
            continue
        hu, inside = np.moveaxis(core.hu[core.box], axis, 0), np.moveaxis(core.inside, axis, 0)
        steps.append((hu[2:] - hu[:-2])[inside[2:] & inside[:-2]])
    found = np.concatenate(steps)
    if not found.size:
        return 0.0
    sd = float(np.median(np.abs(found - np.median(found)))) * MAD_TO_SD / sqrt(2)
    spacing = core.geometry.spacing_mm
    kernel_mm3 = prod(max(2 * sqrt(pi) * SCALE_MM, step) for step in spacing)
    cell_mm3 = max(CELL_MM3, core.geometry.voxel_volume_mm3)
    return sd * sqrt(cell_mm3 / kernel_mm3)


def _tell(core: Core, width: float, usual: float, neighbours: int) -> Finding:
    """The finding of an uneven core, at the place that departs most from its median."""
    level = core.level.level
    values = smooth_core(core, SCALE_MM)
    away = np.where(core.inside, np.abs(values - np.median(values[core.inside])), -1)
    most = away == away.max()
    return Finding(
        code="uneven-core",
        severity=Severity.WARNING,
        level=level,
        message=(
            f"The core of {level} is uneven: from place to place its HU spread over {width:.0f}, "
            f"its neighbours' over {usual:.0f} HU. Part of it is unlike the rest."
        ),
        certainty=0.8,
        place_mm=place_of(most, core.geometry),
        evidence={
            "width_hu": width,
            "neighbours_width_hu": usual,
            "limit_difference_hu": WIDER_BY_HU,
            "noise_hu": smoothed_noise_hu(core),
            "neighbours": neighbours,
        },
    )
