"""Cases with chosen HU, so that each verdict and each doubt can be brought about one at a time."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import (
    Acquisition,
    HuStatistics,
    LevelResult,
    Reason,
    RegionMeasure,
    Summary,
)


def _statistics(value: float) -> HuStatistics:
    """Mean at ``value``; the median differs, so that taking the wrong one shows."""
    return HuStatistics(
        mean_hu=value,
        median_hu=value - 50,
        sd_hu=30,
        p05_hu=value - 90,
        p25_hu=value - 60,
        p75_hu=value + 20,
        p95_hu=value + 60,
    )


@pytest.fixture
def measured() -> Callable[..., RegionMeasure]:
    """Make a region measure with a mean, or with the reason why there is none."""

    def make(protocol: str, region: Region, value: float | Reason) -> RegionMeasure:
        if isinstance(value, Reason):
            return RegionMeasure(protocol=protocol, region=region, reason=value)
        return RegionMeasure(
            protocol=protocol, region=region, volume_cm3=9.0, voxels=900, hu=_statistics(value)
        )

    return make


@pytest.fixture
def case(measured) -> Callable[..., dict[str, Any]]:
    """Make the arguments of ``form_opinions``: one HU for all, others for single levels or regions.

    ``asked`` are the levels asked for; ``usable`` overrides single levels.
    """

    def make(
        value: float | Reason = 200.0,
        *,
        at: Mapping[Level, float | Reason] | None = None,
        regions: Mapping[Region, float | Reason] | None = None,
        asked: tuple[Level, ...] = LUMBAR,
        absent: tuple[Level, ...] = (),
        unusable: tuple[Level, ...] = (),
        protocols: tuple[str, ...] = tuple(PROTOCOLS),
        acquisition: Acquisition | None = None,
        findings: tuple = (),
    ) -> dict[str, Any]:
        at, regions = at or {}, regions or {}
        pairs = [(p, r) for p in protocols for r in PROTOCOLS[p].regions]
        levels = [
            LevelResult(
                level=level,
                usable=level not in unusable,
                regions=tuple(
                    measured(p, r, at.get(level, regions.get(r, value))) for p, r in pairs
                ),
            )
            for level in asked
            if level not in absent
        ]
        summaries = [
            Summary(
                protocol=p,
                region=r,
                statistic="mean",
                value_hu=None,
                levels_used=(),
                levels_asked=asked,
            )
            for p, r in pairs
        ]
        return {
            "levels": levels,
            "summaries": summaries,
            "acquisition": acquisition or Acquisition(kvp=120, phase="native"),
            "findings": findings,
        }

    return make
