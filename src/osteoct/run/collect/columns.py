"""The columns of the collected tables: the data dictionary, and where each value comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from osteoct.records import (
    CaseResult,
    HuStatistics,
    LevelResult,
    RegionMeasure,
    Severity,
)
from osteoct.run.ledger.records import Row

Value: TypeAlias = str | float | int | bool | None
Kind: TypeAlias = Literal["string", "number", "integer", "boolean"]
"""Types of the Frictionless Table Schema."""


class Rows(StrEnum):
    """What a row of a table is about."""

    REGIONS = "regions"
    """One case, level, protocol and region."""
    LEVELS = "levels"
    """One case and level."""
    CASES = "cases"
    CHANGES = "changes"
    """One number of two examinations of one patient that follow each other."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a row is about; a case without a result has its ledger row alone.

    Parameters
    ----------
    row
        What the ledger knows of the case.
    """

    row: Row
    result: CaseResult | None = None
    level: LevelResult | None = None
    region: RegionMeasure | None = None


_Part = TypeVar("_Part")


@dataclass(frozen=True, kw_only=True)
class Column(Generic[_Part]):
    """One column.

    Parameters
    ----------
    take
        The value for a row, from the part that it is about; absent where that part is.
    """

    name: str
    kind: Kind
    about: str
    unit: str | None = None
    part: Callable[[Subject], _Part | None]
    take: Callable[[_Part], Value]

    def value(self, subject: Subject) -> Value:
        """The value of a row, ``None`` where it is absent."""
        part = self.part(subject)
        return None if part is None else self.take(part)


def from_changed(
    name: str,
    kind: Kind,
    about: str,
    take: Callable[[_Part], Value],
    unit: str | None = None,
) -> Column[_Part]:
    """A column of the table of changes, whose rows are about no single case."""
    return Column(name=name, kind=kind, about=about, unit=unit, part=lambda _: None, take=take)


def _of_row(subject: Subject) -> Row | None:
    return subject.row


def _of_result(subject: Subject) -> CaseResult | None:
    return subject.result


def _of_level(subject: Subject) -> LevelResult | None:
    return subject.level


def _of_region(subject: Subject) -> RegionMeasure | None:
    return subject.region


def _from_row(name: str, kind: Kind, about: str, take: Callable[[Row], Value]) -> Column[Any]:
    return Column(name=name, kind=kind, about=about, part=_of_row, take=take)


def _from_result(
    name: str,
    kind: Kind,
    about: str,
    take: Callable[[CaseResult], Value],
    unit: str | None = None,
) -> Column[Any]:
    return Column(name=name, kind=kind, about=about, unit=unit, part=_of_result, take=take)


def _from_level(
    name: str,
    kind: Kind,
    about: str,
    take: Callable[[LevelResult], Value],
    unit: str | None = None,
) -> Column[Any]:
    return Column(name=name, kind=kind, about=about, unit=unit, part=_of_level, take=take)


def _from_region(
    name: str,
    kind: Kind,
    about: str,
    take: Callable[[RegionMeasure], Value],
    unit: str | None = None,
) -> Column[Any]:
    return Column(name=name, kind=kind, about=about, unit=unit, part=_of_region, take=take)


def _joined(codes: tuple[str, ...]) -> str | None:
    return " ".join(codes) or None


def _word(value: object) -> str | None:
    return None if value is None else str(value)


def _count(severity: Severity) -> Callable[[CaseResult], int]:
    def count(result: CaseResult) -> int:
        return sum(finding.severity == severity for finding in result.findings)

    return count


def _statistic(name: str) -> Callable[[RegionMeasure], Value]:
    def take(region: RegionMeasure) -> Value:
        return None if region.hu is None else float(getattr(region.hu, name))

    return take


_CASE: Final[tuple[Column[Any], ...]] = (
    _from_row("case_id", "string", "name of the case", lambda r: r.case_id),
    _from_row("patient", "string", "keyed pseudonym of the patient", lambda r: r.patient),
    _from_row(
        "state",
        "string",
        "done, failed, set-aside (every attempt ended the worker), refused, pending or running",
        lambda r: str(r.state),
    ),
    _from_row(
        "failure_cause",
        "string",
        "why there is no result",
        lambda r: None if r.failure is None else str(r.failure.cause),
    ),
    _from_row(
        "failure",
        "string",
        "the same in words",
        lambda r: None if r.failure is None else r.failure.message,
    ),
    _from_result(
        "usability", "string", "usable, warning or not-usable", lambda r: _word(r.usability)
    ),
    _from_result(
        "usability_codes",
        "string",
        "codes of the findings that decided so",
        lambda r: _joined(r.usability_codes),
    ),
)
_SCAN: Final[tuple[Column[Any], ...]] = (
    _from_result("age_years", "number", "at the scan", lambda r: r.acquisition.patient_age_years),
    _from_result("sex", "string", "F, M or O", lambda r: r.acquisition.patient_sex),
    _from_result("kvp", "number", "tube voltage", lambda r: r.acquisition.kvp, "kV"),
    _from_result("phase", "string", "contrast phase", lambda r: _word(r.acquisition.phase)),
    _from_result(
        "kernel_class",
        "string",
        "soft, medium or sharp",
        lambda r: r.acquisition.kernel_class,
    ),
    _from_result(
        "slice_distance_mm",
        "number",
        "largest voxel spacing",
        lambda r: max(r.grid.spacing_mm),
        "mm",
    ),
    _from_result("manufacturer", "string", "of the scanner", lambda r: r.acquisition.manufacturer),
    _from_result("model", "string", "of the scanner", lambda r: r.acquisition.model),
    *(
        _from_result(f"findings_{s}", "integer", f"findings of severity {s}", _count(s))
        for s in Severity
    ),
    _from_result("masks_used", "string", "original or repaired", lambda r: str(r.masks_used)),
    _from_result(
        "segmenter",
        "string",
        "what made the masks; empty where they were given",
        lambda r: None if r.provenance.segmenter is None else r.provenance.segmenter.name,
    ),
)
_LEVEL: Final[tuple[Column[Any], ...]] = (
    _from_level("level", "string", "vertebra", lambda v: str(v.level)),
    _from_level(
        "level_usability", "string", "as usability, of the level", lambda v: _word(v.usability)
    ),
    _from_level(
        "level_codes",
        "string",
        "codes of the findings that decided so",
        lambda v: _joined(v.usability_codes),
    ),
    _from_level(
        "numbering_certainty",
        "number",
        "how sure the name of the level is, 0 to 1",
        lambda v: v.numbering_certainty,
    ),
)
_SHAPE: Final[tuple[Column[Any], ...]] = (
    *(
        _from_level(f"height_{where}_mm", "number", f"{where} height", take, "mm")
        for where, take in (
            ("anterior", lambda v: v.heights.height_anterior_mm),
            ("middle", lambda v: v.heights.height_middle_mm),
            ("posterior", lambda v: v.heights.height_posterior_mm),
        )
    ),
    *(
        _from_level(f"{name}_ratio", "number", about, take)
        for name, about, take in (
            ("wedge", "anterior to posterior height", lambda v: v.morphometry.wedge_ratio),
            ("biconcave", "middle to posterior height", lambda v: v.morphometry.biconcave_ratio),
            ("crush", "height to that expected", lambda v: v.morphometry.crush_ratio),
        )
    ),
    _from_level(
        "height_loss_percent",
        "number",
        "largest loss of height",
        lambda v: v.morphometry.height_loss_percent,
        "%",
    ),
    _from_level("deformity", "string", "its kind", lambda v: _word(v.morphometry.deformity)),
    _from_level("grade", "integer", "0 to 3; 1 is possible only", lambda v: v.morphometry.grade),
)
_REGION: Final[tuple[Column[Any], ...]] = (
    _from_region("protocol", "string", "recipe behind the number", lambda m: m.protocol),
    _from_region(
        "region", "string", "vertebra, body, trabecular or cortical", lambda m: str(m.region)
    ),
    _from_region("volume_cm3", "number", "volume", lambda m: m.volume_cm3, "cm3"),
    _from_region("voxels", "integer", "voxels measured", lambda m: m.voxels),
    *(
        _from_region(name, "number", name.removesuffix("_hu"), _statistic(name), "HU")
        for name in HuStatistics.model_fields
    ),
    _from_region("absent_because", "string", "why there is no number", lambda m: _word(m.reason)),
)

COLUMNS: Final = {
    Rows.REGIONS: (*_CASE, *_LEVEL, *_REGION, *_SCAN),
    Rows.LEVELS: (*_CASE, *_LEVEL, *_SHAPE, *_SCAN),
    Rows.CASES: (*_CASE, *_SCAN),
}
"""The columns of each table; that of the cases gets a column for every summary besides."""


def subjects(row: Row, result: CaseResult | None, rows: Rows) -> Iterator[Subject]:
    """What the rows of a case are about; at least one, whatever became of it."""
    if result is None or rows is Rows.CASES:
        yield Subject(row=row, result=result)
        return
    for level in result.levels:
        if rows is Rows.LEVELS or not level.regions:
            yield Subject(row=row, result=result, level=level)
            continue
        for region in level.regions:
            yield Subject(row=row, result=result, level=level, region=region)


def summary_columns(protocols: tuple[str, ...], regions: tuple[str, ...]) -> Iterator[Column[Any]]:
    """One column per protocol and region: the mean over the levels asked for."""
    for protocol in protocols:
        for region in regions:
            name = f"{region}_mean_hu__{protocol.replace('-', '_').replace('.', '_')}"
            yield _from_result(
                name,
                "number",
                f"mean over the usable levels of the mean HU of {region}, {protocol}",
                _summary(protocol, region),
                "HU",
            )


def _summary(protocol: str, region: str) -> Callable[[CaseResult], Value]:
    def take(result: CaseResult) -> Value:
        found = (
            s.value_hu
            for s in result.summaries
            if (s.protocol, str(s.region), s.statistic) == (protocol, region, "mean")
        )
        return next(found, None)

    return take
