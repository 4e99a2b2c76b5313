"""Volume and HU of every region of one level."""

from __future__ import annotations

import numpy as np

from osteoct.anatomy import Level
from osteoct.compartments.level import LevelCompartments
from osteoct.measure.heights import measure_heights
from osteoct.measure.statistics import describe_hu
from osteoct.protocols import Protocol, Region
from osteoct.records import Heights, LevelResult, Reason, RegionMeasure
from osteoct.volume import CTVolume, Mask

MM3_PER_CM3 = 1000.0


def measure_level(
    ct: CTVolume, level: LevelCompartments, protocols: tuple[Protocol, ...]
) -> LevelResult:
    """Measure one level under every protocol.

    Volume is the region's voxel count times the volume of a voxel, excluded voxels included: metal
    takes up space. HU come from the voxels that are left.

    Parameters
    ----------
    ct
        The CT whose grid ``level.box`` indexes.
    """
    hu = ct.hu(level.box)
    regions = tuple(
        _measure_region(hu, level, protocol.id, region)
        for protocol in protocols
        for region in protocol.regions
    )
    cut = Reason.CUT_BY_BORDER in level.reasons.values()
    return LevelResult(
        level=level.level,
        vertebra_voxels=int(level.vertebra.sum()),
        usable=any(r.hu is not None for r in regions),
        body_source=level.body_source,
        body_certainty=level.body_certainty,
        tilt_deg=None if level.axes is None else level.axes.tilt_deg,
        regions=regions,
        heights=Heights(reason=Reason.CUT_BY_BORDER) if cut else measure_heights(level, ct),
    )


def absent_level(level: Level, protocols: tuple[Protocol, ...]) -> LevelResult:
    """The result of a level that the masks do not hold: reasons, no numbers."""
    return LevelResult(
        level=level,
        usable=False,
        regions=tuple(
            RegionMeasure(protocol=p.id, region=r, reason=Reason.LEVEL_ABSENT)
            for p in protocols
            for r in p.regions
        ),
        heights=Heights(reason=Reason.LEVEL_ABSENT),
    )


def _measure_region(
    hu: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    level: LevelCompartments,
    protocol: str,
    region: Region,
) -> RegionMeasure:
    """Measure one region, or say why not."""
    mask = level.regions.get((protocol, region))
    if mask is None:
        return RegionMeasure(
            protocol=protocol, region=region, reason=level.reasons[protocol, region]
        )
    measured: Mask = mask & ~level.excluded
    total, counted = int(np.count_nonzero(mask)), int(np.count_nonzero(measured))
    if counted == 0:
        return RegionMeasure(
            protocol=protocol,
            region=region,
            excluded_voxels=total,
            reason=Reason.ALL_EXCLUDED,
        )
    return RegionMeasure(
        protocol=protocol,
        region=region,
        volume_cm3=total * level.geometry.voxel_volume_mm3 / MM3_PER_CM3,
        voxels=counted,
        excluded_voxels=total - counted,
        hu=describe_hu(hu[measured]),
    )
