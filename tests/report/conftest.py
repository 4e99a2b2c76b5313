"""A small spine of boxes whose every number is literal and told apart from every other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np
import pytest

from osteoct.anatomy import LUMBAR, Level
from osteoct.compartments.level import LevelCompartments
from osteoct.geometry import Geometry
from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import (
    Acquisition,
    BodySource,
    CaseResult,
    Finding,
    GridRecord,
    Heights,
    HuStatistics,
    InputRecord,
    LevelResult,
    Opinion,
    Provenance,
    Reason,
    RegionMeasure,
    Severity,
    Summary,
    Verdict,
)
from osteoct.volume import CTVolume

SPACING_MM = (2.0, 2.0, 5.0)
SHAPE = (60, 64, 46)
BODY = (20, 14, 5)
"""Voxels of a body along R, A, S: 40 × 28 × 25 mm."""


def box_of(n: int, *, shift: int = 0) -> tuple[slice, slice, slice]:
    """Box of the n-th level from the head: the body and 8 voxels of posterior part behind it."""
    top = SHAPE[2] - 6 - 7 * n
    x = 20 + shift
    return slice(x, x + BODY[0]), slice(20, 20 + BODY[1] + 8), slice(top - BODY[2], top)


def make_compartments(n: int, level: Level, *, shift: int = 0) -> LevelCompartments:
    """One level of boxes: a body in front, a smaller posterior part behind."""
    box = box_of(n, shift=shift)
    shape = tuple(s.stop - s.start for s in box)
    vertebra, body, core, roi = (np.zeros(shape, dtype=bool) for _ in range(4))
    body[:, 8:] = True
    vertebra[:, 8:] = vertebra[7:13, :8, 1:4] = True
    core[2:-2, 10:-2, 1:-1] = True
    roi[6:-6, 12:-4, 2] = True
    trabecular, cortical = Region.TRABECULAR, Region.CORTICAL
    regions = {
        ("body-core-4", Region.BODY): body,
        ("body-core-4", trabecular): core,
        ("body-core-4", cortical): body & ~core,
        ("vertebra-core-3.5", Region.VERTEBRA): vertebra,
        ("vertebra-core-3.5", trabecular): core,
        ("vertebra-core-3.5", cortical): vertebra & ~core,
        ("axial-roi", trabecular): roi,
    }
    return LevelCompartments(
        level=level,
        box=box,
        geometry=Geometry.from_spacing(SHAPE, SPACING_MM).cropped(box),
        vertebra=vertebra,
        body=body,
        body_source=BodySource.MASK,
        body_certainty=1.0,
        excluded=np.zeros(shape, dtype=bool),
        regions=regions,
    )


def make_ct(array=None, codes: str = "RAS") -> CTVolume:
    """A CT of soft tissue on the test's grid."""
    hu = np.full(SHAPE, 40, dtype=np.int16) if array is None else array
    ct = CTVolume(
        array=hu,
        geometry=Geometry.from_spacing(SHAPE, SPACING_MM),
        acquisition=make_acquisition(),
    )
    return ct.reoriented(codes)


def make_acquisition() -> Acquisition:
    return Acquisition(kvp=120.0, kernel=("Br38f", "3"), slice_thickness_mm=5.0)


def make_levels() -> list[LevelResult]:
    """Five levels; no two numbers are equal at one decimal."""
    numbers = (100.3 + 1.7 * n for n in count())
    return [_make_level(level, numbers) for level in LUMBAR]


def _make_level(level, numbers) -> LevelResult:
    regions = tuple(
        RegionMeasure(
            protocol=p.id,
            region=region,
            volume_cm3=next(numbers),
            voxels=1000,
            hu=HuStatistics(
                mean_hu=next(numbers), median_hu=next(numbers), sd_hu=1, p05_hu=1, p25_hu=1,
                p75_hu=1, p95_hu=1,
            ),
        )
        for p in PROTOCOLS.values()
        for region in p.regions
    )  # fmt: skip
    return LevelResult(
        level=level,
        vertebra_voxels=1000,
        usable=True,
        body_source=BodySource.MASK,
        body_certainty=1.0,
        regions=regions,
        heights=Heights(
            height_anterior_mm=next(numbers),
            height_middle_mm=next(numbers),
            height_posterior_mm=next(numbers),
        ),
    )


def without_numbers(level: LevelResult, reason: Reason, protocol: str | None = None) -> LevelResult:
    """The level with a reason in place of the numbers of one protocol, or of all."""
    regions = tuple(
        RegionMeasure(protocol=r.protocol, region=r.region, reason=reason)
        if protocol in (None, r.protocol)
        else r
        for r in level.regions
    )
    heights = Heights(reason=reason) if protocol is None else level.heights
    return level.model_copy(
        update={"regions": regions, "heights": heights, "usable": protocol is not None}
    )


def make_summaries(levels) -> tuple[Summary, ...]:
    """Literal values per region: what is tested is that they are shown, not how they come."""
    used = tuple(r.level for r in levels if r.usable)
    asked = tuple(r.level for r in levels)
    numbers = (700.4 + 1.3 * n for n in count())
    return tuple(
        Summary(
            protocol=p.id,
            region=region,
            statistic=statistic,
            value_hu=next(numbers) if used else None,
            levels_used=used,
            levels_asked=asked,
        )
        for p in PROTOCOLS.values()
        for region in p.regions
        for statistic in ("mean", "median")
    )


def make_opinion(rule: str, verdict: Verdict, **fields) -> Opinion:
    """An opinion with a reason that names its rule."""
    values = {"reason": f"because of {rule}", "cutoff": 141.3, **fields}
    return Opinion(rule=rule, verdict=verdict, **values)


def make_result(levels=None, *, findings=(), opinions=(), **fields) -> CaseResult:
    """A case around the levels."""
    levels = make_levels() if levels is None else levels
    grid = GridRecord(shape=SHAPE, spacing_mm=SPACING_MM, axis_codes="RAS")
    values = {
        "case_id": "case-0042",
        "acquisition": make_acquisition(),
        "grid": grid,
        "mask_grid": grid,
        "protocols": tuple(PROTOCOLS),
        "levels": tuple(levels),
        "summaries": make_summaries(levels),
        "findings": tuple(findings),
        "opinions": tuple(opinions),
        "provenance": Provenance(
            osteoct_version="0.1.0",
            python_version="3.11.2",
            packages={"numpy": "2.3.1"},
            inputs=(InputRecord(role="ct", kind="NIfTI", sha256="ab12" * 16),),
            started_utc="2026-01-02T03:04:05Z",
            seconds={"read": 0.5},
        ),
        **fields,
    }
    return CaseResult(**values)


def make_finding(code: str, severity: Severity, message: str, level: Level | None = None):
    return Finding(code=code, severity=severity, message=message, level=level)


@dataclass(frozen=True, kw_only=True)
class Spine:
    """What the tests build from, handed out as one fixture."""

    ct: CTVolume
    compartments: tuple[LevelCompartments, ...]


@pytest.fixture
def spine() -> Spine:
    """Five levels of boxes, straight."""
    levels = tuple(make_compartments(n, level) for n, level in enumerate(LUMBAR))
    return Spine(ct=make_ct(), compartments=levels)


class Maker:
    """The makers above, reachable from tests without importing a conftest."""

    spacing_mm = SPACING_MM
    shape = SHAPE
    box_of = staticmethod(box_of)
    compartments = staticmethod(make_compartments)
    ct = staticmethod(make_ct)
    levels = staticmethod(make_levels)
    without_numbers = staticmethod(without_numbers)
    result = staticmethod(make_result)
    opinion = staticmethod(make_opinion)
    finding = staticmethod(make_finding)


@pytest.fixture
def make() -> Maker:
    """The makers of records and volumes."""
    return Maker()
