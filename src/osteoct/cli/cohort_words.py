"""What a user of ``osteoct cohort`` is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osteoct.cli.words import say
from osteoct.errors import TableError

if TYPE_CHECKING:
    from osteoct.cohort.commands import Analysed
    from osteoct.cohort.linking.link import LinkedCohort

MOST_PROBLEMS = 200
"""Lines of problems that are told: more are one problem, such as a column in another unit."""


@contextmanager
def telling_problems() -> Iterator[None]:
    """Tell each problem of a table on a line of its own before the failure ends the command."""
    try:
        yield
    except TableError as error:
        for line in error.problems[:MOST_PROBLEMS]:
            say(line)
        left = len(error.problems) - MOST_PROBLEMS
        if left > 0:
            say(f"and {left} more")
        short = TableError(error.what, where=error.where or "", problems=(), hint=error.hint or "")
        short.found = f"{len(error.problems)}, see above"
        raise short from error


def say_link(linked: LinkedCohort, out: Path) -> None:
    """Say what was read as what, who is in and who is not, and why."""
    columns = ", ".join(f"{name} ← {column!r}" for name, column in linked.dxa.columns.items())
    say(f"DXA columns: {columns}")
    for row in linked.flow:
        what = f"{row.step}{f' ({row.words})' if row.reason else ''}"
        side = {"ct": "CTs", "dxa": "DXA scans", "patients": "patients"}[row.side]
        say(f"{side} {what}: {row.n}")
    if not len(linked.table):
        say("Nobody could be linked: reasons above and, row by row, in unlinked.csv.")
        say("Were the CTs analysed with the same key (--key-file, OSTEOCT_KEY_FILE, OSTEOCT_KEY)?")
    say(f"Cohort: {out}")


def say_analysis(done: Analysed, out: Path) -> None:
    """Say the headline and where the report lies."""
    for line in (*done.headline, f"Report: {out / 'cohort.html'}"):
        say(line)


def say_agreement(lines: Sequence[str], out: Path) -> None:
    """Say who was compared, the result of each region, and where the report lies."""
    for line in (*lines, f"Report: {out / 'agreement.html'}"):
        say(line)


def print_cutoffs(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print one block for each cut-off, or all as JSON."""
    from osteoct.cli.printing import print_records

    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    print_records([{"id": row["rule"], **row} for row in rows], as_json=False)
