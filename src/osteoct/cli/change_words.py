"""A comparison of two examinations as a table, and in words."""

from __future__ import annotations

import click

from osteoct.cli.printing import ABSENT, USE, number, table
from osteoct.cli.words import say
from osteoct.protocols import Region
from osteoct.records import Change, ChangeVerdict, Quantity, RegionChange
from osteoct.report.change_table import VERDICT_WORDS, tell_rows, with_sign
from osteoct.report.wording import DISCLAIMER

_UNITS = {Quantity.MEAN_HU: "HU", Quantity.VOLUME: "cm³"}


def print_change(change: Change, *, everything: bool) -> None:
    """Print trabecular HU, or every number that was compared."""
    rows = [row for row in change.rows if everything or _is_told(row)]
    header = ["level", "protocol", "region", "unit", "earlier", "later", "change", "change %"]
    header += ["limit", USE]
    click.echo(table(header, [_cells(row) for row in rows]))


def say_change(change: Change) -> None:
    """Say what holds of all of it, and why what is not judged is not."""
    for note in change.notes:
        say(note)
    silent = {ChangeVerdict.NOT_COMPARABLE, ChangeVerdict.NO_LIMIT}
    told = {r.reason: r for r in change.rows if _is_told(r) and r.verdict in silent}
    for reason, row in told.items():
        if not any(reason in note for note in change.notes):
            say(f"{tell_rows(row)}: {reason}")
    say(f"Limit: {change.limit_from}")
    say(DISCLAIMER)


def _is_told(row: RegionChange) -> bool:
    return row.region is Region.TRABECULAR and row.quantity is Quantity.MEAN_HU


def _cells(row: RegionChange) -> list[str]:
    return [
        "mean" if row.level is None else str(row.level),
        row.protocol,
        row.region,
        _UNITS[row.quantity],
        number(row.earlier),
        number(row.later),
        with_sign(row.difference),
        with_sign(row.difference_percent),
        ABSENT if row.limit is None else number(row.limit),
        VERDICT_WORDS[row.verdict],
    ]
