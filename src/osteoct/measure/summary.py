"""The case's summary over levels: an unweighted mean, and which levels it used."""

from __future__ import annotations

from collections.abc import Sequence

from osteoct.anatomy import Level
from osteoct.protocols import Protocol, Region
from osteoct.records import LevelResult, Summary


def summarise(levels: Sequence[LevelResult], protocols: Sequence[Protocol]) -> tuple[Summary, ...]:
    """Average each region over the usable levels, under every protocol and for mean and median.

    A level counts once, however large it is. Without a usable level the value is ``None``.
    """
    return tuple(
        _summarise_region(levels, protocol.id, region, statistic)
        for protocol in protocols
        for region in protocol.regions
        for statistic in ("mean", "median")
    )


def _summarise_region(
    levels: Sequence[LevelResult], protocol: str, region: Region, statistic: str
) -> Summary:
    """Average one statistic of one region over the usable levels."""
    values: dict[Level, float] = {}
    sure: dict[Level, float] = {}
    for level in levels:
        measure = level.region(protocol, region)
        if level.usable and measure is not None and measure.hu is not None:
            hu = measure.hu
            values[level.level] = hu.mean_hu if statistic == "mean" else hu.median_hu
            if level.numbering_certainty is not None:
                sure[level.level] = level.numbering_certainty
    least = min(sure.values(), default=None)
    less_sure = tuple(lv for lv, certainty in sure.items() if certainty == least)
    return Summary.model_validate(
        {
            "protocol": protocol,
            "region": region,
            "statistic": statistic,
            "value_hu": sum(values.values()) / len(values) if values else None,
            "levels_used": tuple(values),
            "levels_asked": tuple(level.level for level in levels),
            "numbering_certainty": least,
            "levels_less_sure": () if len(less_sure) == len(sure) else less_sure,
        }
    )
