"""A case as tidy CSV: one row per level, protocol and region; one row per finding.

RFC 4180 (comma, CRLF, quotes doubled), UTF-8. A number that is absent is an empty cell beside its
reason. Volumes have 4 decimals (0.1 mm³), HU 3 (a thousandth of the smallest step of a scanner);
``case.json`` keeps every digit.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from osteoct.records import CaseResult, LevelAgreement, LevelResult, Reason, RegionMeasure

STATISTICS: Final = ("mean_hu", "median_hu", "sd_hu", "p05_hu", "p25_hu", "p75_hu", "p95_hu")
LEVEL_COLUMNS: Final = (
    "case_id",
    "level",
    "protocol",
    "region",
    "volume_cm3",
    "voxels",
    *STATISTICS,
    "reason",
    "numbering_certainty",
    "masks_used",
    "usability",
    "usability_codes",
    "numbering_reason",
)
AGREEMENT_COLUMNS: Final = (
    "case_id",
    "level",
    "first",
    "second",
    "dice",
    "body_dice",
    "same_place",
    "same_place_dice",
    "first_volume_cm3",
    "second_volume_cm3",
    "protocol",
    "region",
    "first_hu",
    "second_hu",
    "difference_hu",
    "reason",
)
HEIGHTS: Final = ("height_anterior_mm", "height_middle_mm", "height_posterior_mm")
RATIOS: Final = ("wedge_ratio", "biconcave_ratio", "crush_ratio")
HEIGHT_COLUMNS: Final = (
    "case_id",
    "level",
    *HEIGHTS,
    "uncertainty_mm",
    "source",
    *RATIOS,
    "expected_height_mm",
    "height_loss_percent",
    "uncertainty_percent",
    "deformity",
    "grade",
    "reason",
)
FINDING_COLUMNS: Final = ("code", "severity", "level", "message", "effect")

_VOLUME_DECIMALS = 4
_DICE_DECIMALS = 4
_HU_DECIMALS = 3
_HEIGHT_DECIMALS = 2
_RATIO_DECIMALS = 3
_PERCENT_DECIMALS = 1

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""First signs at which spreadsheets take a text for a formula (OWASP, CSV injection)."""


def levels_csv(result: CaseResult) -> str:
    """Return one row per level × protocol × region, in the order of the result.

    A level without any region, because the masks do not hold it, is one row with its reason.
    """
    rows = (row for level in result.levels for row in _level_rows(result.case_id, level))
    return _csv(LEVEL_COLUMNS, rows)


def heights_csv(result: CaseResult) -> str:
    """Return one row per level: its heights, their ratios, and the loss of height."""
    return _csv(HEIGHT_COLUMNS, (_height_row(result.case_id, level) for level in result.levels))


def _height_row(case_id: str, level: LevelResult) -> tuple[str, ...]:
    own, shape = level.heights, level.morphometry
    return (
        _text(case_id),
        str(level.level),
        *(_optional(getattr(own, name), _HEIGHT_DECIMALS) for name in HEIGHTS),
        _optional(own.uncertainty_mm, _HEIGHT_DECIMALS),
        str(own.source or ""),
        *(_optional(getattr(shape, name), _RATIO_DECIMALS) for name in RATIOS),
        _optional(shape.expected_height_mm, _HEIGHT_DECIMALS),
        _optional(shape.height_loss_percent, _PERCENT_DECIMALS),
        _optional(shape.uncertainty_percent, _PERCENT_DECIMALS),
        str(shape.deformity or ""),
        "" if shape.grade is None else str(shape.grade),
        str(own.reason or ""),
    )


def findings_csv(result: CaseResult) -> str:
    """Return one row per finding; ``level`` is empty for a finding about the whole case."""
    rows = (
        (_text(f.code), str(f.severity), str(f.level or ""), _text(f.message), str(f.effect or ""))
        for f in result.findings
    )
    return _csv(FINDING_COLUMNS, rows)


def agreement_csv(result: CaseResult) -> str:
    """Return one row per level × protocol × region of a comparison; HU empty where not in both.

    Without a comparison there is only the header.
    """
    agreement = result.agreement
    if agreement is None:
        return _csv(AGREEMENT_COLUMNS, ())
    names = (_text(agreement.first), _text(agreement.second))
    rows = (
        (_text(result.case_id), str(level.level), *names, *row, str(level.reason or ""))
        for level in agreement.levels
        for row in _agreement_rows(level)
    )
    return _csv(AGREEMENT_COLUMNS, rows)


def _agreement_rows(level: LevelAgreement) -> Iterator[tuple[str, ...]]:
    start = (
        _decimal_or_empty(level.dice, _DICE_DECIMALS),
        _decimal_or_empty(level.body_dice, _DICE_DECIMALS),
        _text(level.same_place or ""),
        _decimal_or_empty(level.same_place_dice, _DICE_DECIMALS),
        _decimal_or_empty(level.first_volume_cm3, _VOLUME_DECIMALS),
        _decimal_or_empty(level.second_volume_cm3, _VOLUME_DECIMALS),
    )
    for core in level.hu:
        values = (core.first_hu, core.second_hu, core.difference_hu)
        numbers = (_decimal(value, _HU_DECIMALS) for value in values)
        yield (*start, _text(core.protocol), str(core.region), *numbers)
    if not level.hu:
        yield (*start, "", "", "", "", "")


def _decimal_or_empty(value: float | None, decimals: int) -> str:
    """Fixed decimals; an absent number is an empty cell."""
    return "" if value is None else _decimal(value, decimals)


def _level_rows(case_id: str, level: LevelResult) -> Iterator[tuple[str, ...]]:
    start = (_text(case_id), str(level.level))
    sure = _optional(level.numbering_certainty, _RATIO_DECIMALS)
    codes = " ".join(map(_text, level.usability_codes))
    why = _text(level.numbering_reason or "")
    end = (sure, str(level.masks_used), str(level.usability or ""), codes, why)
    for measure in level.regions:
        yield (*start, _text(measure.protocol), str(measure.region), *_numbers(measure), *end)
    if not level.regions:
        empty = ("",) * (len(LEVEL_COLUMNS) - len(start) - len(end) - 1)
        yield (*start, *empty, str(level.heights.reason or Reason.LEVEL_ABSENT), *end)


def _numbers(measure: RegionMeasure) -> tuple[str, ...]:
    if measure.hu is None or measure.volume_cm3 is None:
        return (*("",) * (2 + len(STATISTICS)), str(measure.reason or ""))
    hu = (_decimal(getattr(measure.hu, name), _HU_DECIMALS) for name in STATISTICS)
    return (_decimal(measure.volume_cm3, _VOLUME_DECIMALS), str(measure.voxels), *hu, "")


def _decimal(value: float, decimals: int) -> str:
    """Fixed decimals; a zero has no sign."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def _optional(value: float | None, decimals: int) -> str:
    """Fixed decimals, or nothing for a number that is absent."""
    return "" if value is None else _decimal(value, decimals)


def _text(text: str) -> str:
    """A text on one line that no spreadsheet runs; numbers never come this way."""
    line = " ".join(text.split()) if any(sign in text for sign in "\r\n\t") else text
    return f"'{line}" if line.lstrip().startswith(_FORMULA_SIGNS) else line


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()
