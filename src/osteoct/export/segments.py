"""The regions of a case that become segments: which voxels, under which name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osteoct.anatomy import Level, Part
from osteoct.export.case_folder import CompartmentMap
from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import CaseResult, LevelResult


@dataclass(frozen=True, kw_only=True)
class RegionSegment:
    """One region of one level.

    Parameters
    ----------
    number
        From 1, in the order of the list.
    protocol
        Id of the protocol of a core or shell; ``None`` for a vertebra or body, which every protocol
        measures alike.
    labels
        Labels of the compartment map whose voxels belong to it.
    """

    number: int
    level: Level
    region: Region
    protocol: str | None
    labels: frozenset[int]

    @property
    def name(self) -> str:
        """Such as ``L1 vertebra`` or ``L1 trabecular core, body-core-4``."""
        return name_region(self.level, self.region, self.protocol)


def name_region(level: Level, region: Region, protocol: str | None) -> str:
    """Name a region of a level, in words that masks are read by.

    >>> name_region(Level.L1, Region.TRABECULAR, "axial-roi")
    'L1 trabecular core, axial-roi'
    """
    name = f"{level} {_WORDS[region]}"
    return name if protocol is None else f"{name}, {protocol}"


_WORDS = {
    Region.VERTEBRA: "vertebra",
    Region.BODY: "vertebral body",
    Region.TRABECULAR: "trabecular core",
    Region.CORTICAL: "cortical shell",
}


def list_segments(
    result: CaseResult, compartments: CompartmentMap, *, from_feet: bool = False
) -> tuple[RegionSegment, ...]:
    """List the regions of a case, head to feet unless told otherwise.

    Vertebra and body are there where they have voxels, measured or not: a level that the border
    cuts is shown. Cores and shells are there where they have numbers.
    """
    levels = tuple(reversed(result.levels)) if from_feet else result.levels
    parts = (part for level in levels for part in _parts_of(level, compartments))
    return tuple(
        RegionSegment(number=n, level=level, region=region, protocol=protocol, labels=labels)
        for n, (level, region, protocol, labels) in enumerate(parts, start=1)
    )


def segment_of(
    segments: Sequence[RegionSegment], level: Level, region: Region, protocol: str
) -> RegionSegment | None:
    """The segment of a measured region, or ``None``."""
    return next(
        (
            s
            for s in segments
            if (s.level, s.region) == (level, region) and s.protocol in {None, protocol}
        ),
        None,
    )


def _parts_of(
    level: LevelResult, compartments: CompartmentMap
) -> Iterator[tuple[Level, Region, str | None, frozenset[int]]]:
    """Region, protocol and labels of the segments of one level."""
    own = {n: label for n, label in compartments.labels.items() if label.level is level.level}
    if own:
        yield level.level, Region.VERTEBRA, None, frozenset(own)
    body = frozenset(n for n, label in own.items() if label.part is Part.BODY)
    if body:
        yield level.level, Region.BODY, None, body
    for measure in level.regions:
        if measure.region in {Region.VERTEBRA, Region.BODY} or measure.hu is None:
            continue
        recipe = PROTOCOLS.get(measure.protocol)
        labels = frozenset(
            n for n, label in own.items() if recipe and label.is_in(measure.region, recipe)
        )
        if labels:
            yield level.level, measure.region, measure.protocol, labels
