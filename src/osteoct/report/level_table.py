"""The table of levels: every cell as text, and what is missing or doubtful about its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from osteoct.anatomy import Level, name_levels
from osteoct.records import (
    BodySource,
    CaseResult,
    HeightSource,
    LevelResult,
    Reason,
    RegionMeasure,
    Severity,
    Summary,
    Usability,
)
from osteoct.report.level_columns import Column, choose_columns
from osteoct.report.wording import (
    ABSENT,
    REASONS,
    SEVERITIES,
    USABILITIES,
    format_number,
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A number as text, or an en dash and its reason in words."""

    text: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One level: its cells and, in words, what is missing or doubtful about it."""

    level: Level
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]
    usability: str
    """The usability's own name, for the style sheet."""
    usability_words: str
    absent: str = ""
    """Why there is no number at all, where that is one reason for everything."""


@dataclass(frozen=True, kw_only=True)
class LevelTable:
    """Columns, rows, and the summary row with the levels behind each of its numbers."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    summary_title: str
    summary_cells: tuple[Cell, ...]
    summary_levels: tuple[str, ...]
    """Per column the levels used and their number; empty where the column has no summary."""

    @property
    def common_levels(self) -> str:
        """The levels behind every summary number, where they are the same for all."""
        counts = {text for text in self.summary_levels if text}
        return counts.pop() if len(counts) == 1 else ""

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """Column groups in order, each with its number of columns."""
        names = dict.fromkeys(c.group for c in self.columns)
        return tuple((name, sum(c.group == name for c in self.columns)) for name in names)


def make_level_table(result: CaseResult) -> LevelTable:
    """Lay out every level of a case."""
    columns = choose_columns(result)
    summaries = [_find_summary(result, column) for column in columns]
    return LevelTable(
        columns=columns,
        rows=tuple(_make_row(result, level, columns) for level in result.levels),
        summary_title="Mean over levels",
        summary_cells=tuple(_make_summary_cell(s) for s in summaries),
        summary_levels=tuple(_count_levels(s) for s in summaries),
    )


def _make_row(result: CaseResult, level: LevelResult, columns: Sequence[Column]) -> Row:
    """One level's cells and notes."""
    cells = tuple(_make_cell(level, column) for column in columns)
    reasons = {cell.reason for cell in cells}
    absent = reasons.pop() if len(reasons) == 1 else ""
    usability = usability_of(level)
    return Row(
        level=level.level,
        cells=cells,
        notes=() if absent else tuple(_list_notes(result, level, columns, cells)),
        usability=usability.value,
        usability_words=USABILITIES[usability],
        absent=absent,
    )


def usability_of(level: LevelResult) -> Usability:
    """A level's usability; in results older than that, by whether it counts."""
    counted = Usability.USABLE if level.usable else Usability.NOT_USABLE
    return level.usability or counted


def _make_cell(level: LevelResult, column: Column) -> Cell:
    """One number, or why it is absent."""
    if column.protocol is None or column.region is None:
        value, reason = getattr(level.heights, column.statistic), level.heights.reason
    else:
        measure = level.region(column.protocol, column.region)
        value, reason = _pick(measure, column.statistic), measure.reason if measure else None
    if value is None:
        return Cell(text=ABSENT, reason=_explain(reason))
    return Cell(text=format_number(value))


def _pick(measure: RegionMeasure | None, statistic: str) -> float | None:
    """The statistic of a measured region."""
    if measure is None or measure.hu is None:
        return None
    if statistic == "volume":
        return measure.volume_cm3
    return measure.hu.mean_hu if statistic == "mean" else measure.hu.median_hu


def _explain(reason: Reason | None) -> str:
    """A reason in words; a region nobody asked for has none of its own."""
    return "not measured" if reason is None else REASONS[reason]


def _list_notes(
    result: CaseResult, level: LevelResult, columns: Sequence[Column], cells: Sequence[Cell]
) -> list[str]:
    """What is missing or doubtful about a level, shortly; the findings themselves stand above."""
    return [
        *_note_absences(columns, cells),
        *_note_usability(level),
        *_note_exclusions(level),
        *_note_body(level),
        *_note_name(result, level),
        *_note_heights(level),
        *_note_findings(result, level.level),
    ]


def _note_absences(columns: Sequence[Column], cells: Sequence[Cell]) -> list[str]:
    """The absent numbers of a row, one sentence per reason."""
    missing: dict[str, list[str]] = {}
    for column, cell in zip(columns, cells, strict=True):
        if cell.reason:
            group = column.group.split(",")[0]
            missing.setdefault(cell.reason, []).append(f"{group} {column.title}")
    return [f"No {', '.join(names)}: {reason}" for reason, names in missing.items()]


def _note_usability(level: LevelResult) -> list[str]:
    if level.usable:
        return []
    because = f" ({', '.join(level.usability_codes)})" if level.usability_codes else ""
    return [f"Not counted in the means{because}"]


def _note_exclusions(level: LevelResult) -> list[str]:
    """Voxels left out, for the region that lost most."""
    most = max((r.excluded_voxels for r in level.regions), default=0)
    return [f"{most} voxels left out (metal, streaks or padding)"] if most else []


def _note_body(level: LevelResult) -> list[str]:
    """A body that no mask gave."""
    if level.body_source is not BodySource.GEOMETRY:
        return []
    certainty = (
        f", certainty {level.body_certainty:.2f}" if level.body_certainty is not None else ""
    )
    return [f"Body found by geometry{certainty}"]


def _note_name(result: CaseResult, level: LevelResult) -> list[str]:
    """A name that is less sure than others of the case."""
    known = () if result.numbering is None else result.numbering.names
    surest = max((name.certainty for name in known), default=0.0)
    if level.numbering_certainty is None or level.numbering_certainty >= surest:
        return []
    return [f"Name less sure than others ({level.numbering_certainty:.2f})"]


def _note_heights(level: LevelResult) -> list[str]:
    """Ratios and grade of a body that has lost height, and whether only the mask gave them."""
    shape, source = level.morphometry, level.heights.source
    if not shape.grade or shape.wedge_ratio is None or shape.biconcave_ratio is None:
        return []
    crush = "" if shape.crush_ratio is None else f", to neighbours {shape.crush_ratio:.2f}"
    staircase = " (from the mask alone)" if source is HeightSource.MASK else ""
    ratios = f"front to back {shape.wedge_ratio:.2f}, middle to back {shape.biconcave_ratio:.2f}"
    return [f"Height{staircase}: {ratios}{crush}; deformity grade {shape.grade}"]


def _note_findings(result: CaseResult, level: Level) -> list[str]:
    """The codes of the level's findings, so that a row points to what is said above."""
    own = [f for f in result.findings if f.level == level and f.severity is not Severity.INFO]
    return [f"{SEVERITIES[f.severity]}: {f.code}" for f in own]


def _find_summary(result: CaseResult, column: Column) -> Summary | None:
    """The mean over levels of a column's number, where the record holds one."""
    key = (column.protocol, column.region, column.statistic)
    return next((s for s in result.summaries if (s.protocol, s.region, s.statistic) == key), None)


def _make_summary_cell(summary: Summary | None) -> Cell:
    if summary is None:
        return Cell(text="")
    if summary.value_hu is None:
        return Cell(text=ABSENT, reason="no usable level")
    return Cell(text=format_number(summary.value_hu))


def _count_levels(summary: Summary | None) -> str:
    if summary is None:
        return ""
    used = name_levels(summary.levels_used) or "none"
    counted = f"{used} ({len(summary.levels_used)} of {len(summary.levels_asked)})"
    if not summary.levels_less_sure:
        return counted
    doubt = f"the name of {name_levels(summary.levels_less_sure)} is less sure"
    return f"{counted}; {doubt} ({summary.numbering_certainty:.2f})"
