"""Tables of a comparison: statistics by quantity, forms of ICC, pairs, repeats, who is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from osteoct.cohort.agree.analysis import FORMS, Kind, list_shared, take_values
from osteoct.cohort.agree.pairing import PAIR, Group
from osteoct.cohort.agree.side import Left
from osteoct.cohort.columns import AGREEMENT_COLUMNS
from osteoct.cohort.report.tables import Table

Plain = Mapping[str, Any]

ICC_COLUMNS: Final = (
    "kind", "region", "level", "unit", "form", "n", "k", "value", "ci_low", "ci_high", "reason",
    "ci_reason",
)  # fmt: skip
PAIR_COLUMNS: Final = (
    "pair", "name", "row_first", "row_second", "days", "region", "level", "unit", "first", "second",
    "mean", "difference",
)  # fmt: skip
REPEAT_COLUMNS: Final = ("pair", "name", "scan", "days", "region", "level", "unit", "value")
UNPAIRED_COLUMNS: Final = ("side", "row", "name", "reason")


def make_agreement_tables(rows: Sequence[Plain]) -> tuple[Table, Table]:
    """``agreement.csv`` and ``icc.csv`` from the plain rows, small cells hidden before."""
    columns = tuple(AGREEMENT_COLUMNS)
    flat = [flatten_row(row) for row in rows]
    iccs = [{**row, **icc, "form": icc["form"]} for row in rows for icc in row["icc"] or ()]
    return (
        Table(
            name="agreement",
            columns=columns,
            rows=tuple(tuple(r.get(c) for c in columns) for r in flat),
        ),
        Table(
            name="icc",
            columns=ICC_COLUMNS,
            rows=tuple(tuple(r.get(c) for c in ICC_COLUMNS) for r in iccs),
        ),
    )


def flatten_row(row: Plain) -> dict[str, Any]:
    """One quantity as a line."""
    limits, scatter = row["bland_altman"] or {}, row["precision"] or {}
    icc: Plain = next((i for i in row["icc"] or () if i["form"] == FORMS[row["kind"]]), {})
    flat = {**limits, **scatter, **row}
    flat |= {
        "icc_form": icc.get("form"),
        "icc": icc.get("value"),
        "icc_ci_low": icc.get("ci_low"),
        "icc_ci_high": icc.get("ci_high"),
        "icc_reason": icc.get("reason") or icc.get("ci_reason"),
        "reason": row.get("reason") or limits.get("reason"),
    }
    return flat


def make_pair_table(groups: Sequence[Group]) -> Table:
    """Both values of every pair, a line for each quantity; of repeats the first two CTs."""
    return Table(name="pairs", columns=PAIR_COLUMNS, rows=tuple(_pair_rows(groups)))


def _pair_rows(groups: Sequence[Group]) -> Iterator[tuple[Any, ...]]:
    for q in list_shared(groups):
        both = take_values(groups, q)[:, :PAIR]
        for number, (group, (a, b)) in enumerate(zip(groups, both.tolist(), strict=True), start=1):
            if np.isfinite([a, b]).all():
                first, second = group.scans[:PAIR]
                days = None if None in (first.day, second.day) else group_days(group, 1)
                yield (
                    number, group.shown, first.row, second.row, days, q.region, q.level, q.unit, a,
                    b, (a + b) / 2, a - b,
                )  # fmt: skip


def group_days(group: Group, i: int) -> int | None:
    """Days from a group's first CT to another of it."""
    first, other = group.scans[0].day, group.scans[i].day
    return None if first is None or other is None else other - first


def make_repeat_table(groups: Sequence[Group], kind: Kind) -> tuple[Table, ...]:
    """All values of repeats, of which there may be more than two."""
    if kind != "repeats":
        return ()
    rows = [
        (number, group.shown, i + 1, group_days(group, i), q.region, q.level, q.unit, value)
        for number, group in enumerate(groups, start=1)
        for i, scan in enumerate(group.scans)
        for q, value in scan.values.items()
    ]
    return (Table(name="repeats", columns=REPEAT_COLUMNS, rows=tuple(rows)),)


def make_unpaired_table(left: Sequence[Left], labels: tuple[str, str]) -> Table:
    """Every CT that is compared with none, and why."""
    rows = tuple((labels[one.side], one.row, one.shown, one.reason) for one in left)
    return Table(name="unpaired", columns=UNPAIRED_COLUMNS, rows=rows)
