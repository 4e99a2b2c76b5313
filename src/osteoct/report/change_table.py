"""What changed since an earlier examination, as the page shows it: the mean first, then levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from osteoct.protocols import Region
from osteoct.records import Change, ChangeVerdict, Quantity, RegionChange
from osteoct.report.wording import ABSENT, format_number

VERDICT_WORDS: Final = {
    ChangeVerdict.BEYOND: "beyond",
    ChangeVerdict.WITHIN: "within",
    ChangeVerdict.NO_LIMIT: "no published limit",
    ChangeVerdict.NOT_COMPARABLE: "not comparable",
}


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """One comparison; ``note`` says why there is no verdict."""

    name: str
    cells: tuple[str, ...]
    verdict: str
    """The verdict's own name, for the style sheet."""
    verdict_words: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangeTable:
    """Trabecular HU of two examinations, protocol by protocol."""

    title: str
    columns: tuple[str, ...]
    groups: tuple[tuple[str, tuple[ChangeRow, ...]], ...]
    notes: tuple[str, ...]
    limit_from: str


def make_change_table(change: Change | None) -> ChangeTable | None:
    """Make the table; ``None`` where nothing was compared."""
    if change is None:
        return None
    rows = [r for r in change.rows if r.region is Region.TRABECULAR]
    rows = [r for r in rows if r.quantity is Quantity.MEAN_HU]
    protocols = dict.fromkeys(r.protocol for r in rows)
    return ChangeTable(
        title=_title(change),
        columns=(
            "Earlier, HU",
            "Now, HU",
            "Change, HU",
            "Change, %",
            "Least significant change, HU",
        ),
        groups=tuple((p, tuple(_row(r) for r in rows if r.protocol == p)) for p in protocols),
        notes=change.notes,
        limit_from=change.limit_from,
    )


def tell_rows(row: RegionChange) -> str:
    """What a row is of: a level, or the mean over some."""
    if row.level is not None:
        return str(row.level)
    return f"mean of {', '.join(map(str, row.levels))}"


def _title(change: Change) -> str:
    if change.earlier_date is None:
        return "Change since an earlier examination"
    after = "" if change.days is None else f", {change.days} days before"
    return f"Change since {change.earlier_date}{after}"


def _row(row: RegionChange) -> ChangeRow:
    is_judged = row.limit is not None
    return ChangeRow(
        name=tell_rows(row),
        cells=(
            format_number(row.earlier),
            format_number(row.later),
            with_sign(row.difference),
            with_sign(row.difference_percent),
            format_number(row.limit),
        ),
        verdict=row.verdict,
        verdict_words=VERDICT_WORDS[row.verdict],
        note="" if is_judged else row.reason,
    )


def with_sign(value: float | None, digits: int = 1) -> str:
    """A difference; its sign is never left out.

    >>> with_sign(3.25), with_sign(-0.5), with_sign(None)
    ('+3.2', '−0.5', '–')
    """
    return ABSENT if value is None else f"{value:+.{digits}f}".replace("-", "−")
