"""Tables on stdout, words on stderr."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

import click

from osteoct.cli.words import say
from osteoct.protocols import PROTOCOLS, Region
from osteoct.records import CaseResult, LevelResult, Severity, Usability
from osteoct.report.finding_list import list_doubts
from osteoct.report.level_table import usability_of
from osteoct.report.wording import DISCLAIMER, tell_usability

ABSENT = "–"

KEY_WIDTH = 15
"""Columns that keys of a listing take, the blanks around them included."""

UNWRAPPED = 10_000
"""Columns of what is no terminal: a pipe keeps each value on one line."""

USE = "use"
"""Title of the column that holds words."""

MOST_CONCLUSIONS = 4
MOST_DOUBTS = 8
"""Closing lines of each kind: more are not read; the report has them all."""

_BELOW, _IN_REPORT = "(reason below)", "(reason in the report)"


def print_result(result: CaseResult, *, report: Path, as_json: bool) -> None:
    """Print a result as JSON or as the table of levels; what it means follows in words."""
    if as_json:
        click.echo(result.model_dump_json(by_alias=True, indent=2))
    else:
        click.echo(level_table(result))
    say_conclusion(result, report=report)


def say_conclusion(result: CaseResult, *, report: Path) -> None:
    """Say what can be concluded, what is doubtful, and where the report lies."""
    for line in (
        *_conclude(result),
        *_grade(result),
        *_name(result),
        *_doubt(result),
        DISCLAIMER,
        f"Report: {report}",
    ):
        say(line)


def _conclude(result: CaseResult) -> list[str]:
    """What can be concluded, one line per quantity, the first one being what the report says."""
    from osteoct.classify.rules import load_rules
    from osteoct.report.conclusion import conclude

    conclusion = conclude(result, load_rules())
    said = [s.text for s in (conclusion.headline, *conclusion.sentences)]
    return [text.replace(_BELOW, _IN_REPORT) for text in said[:MOST_CONCLUSIONS]]


def _grade(result: CaseResult) -> list[str]:
    """How far the case can be used, where that is not without a doubt."""
    if result.usability in (None, Usability.USABLE):
        return []
    return [f"This case is {tell_usability(result.usability, result.usability_codes)}."]


def _name(result: CaseResult) -> list[str]:
    """How sure the names of the levels are."""
    from osteoct.report.facts import describe_numbering

    known = result.numbering
    return [] if known is None else [f"Names of the levels: {describe_numbering(known)}"]


def _doubt(result: CaseResult) -> list[str]:
    """Findings that are no mere notes, those that stop a conclusion first."""
    lines = [
        f"{doubt.severity}: {' '.join(doubt.message.split())}"
        for doubt in list_doubts(result)
        if doubt.severity != Severity.INFO
    ]
    if len(lines) <= MOST_DOUBTS:
        return lines
    left = len(lines) - MOST_DOUBTS
    return [*lines[:MOST_DOUBTS], f"and {left} more findings, see the report"]


def level_table(result: CaseResult) -> str:
    """The levels of a case as text: volume, mean HU per protocol and region, heights."""
    columns = [(p, region) for p in result.protocols for region in PROTOCOLS[p].regions]
    header = [
        "level",
        "volume cm³",
        *(f"{protocol_id} {region.value}" for protocol_id, region in columns),
        "height anterior",
        "height middle",
        "height posterior",
        USE,
    ]
    rows = [_level_row(level, columns) for level in result.levels]
    return "mean HU per protocol and region, heights in mm\n" + table(header, rows)


def _level_row(level: LevelResult, columns: Sequence[tuple[str, Region]]) -> list[str]:
    """One level as text, column by column."""
    volumes = [r.volume_cm3 for r in level.regions if r.region is Region.VERTEBRA]
    means = [
        measure.hu.mean_hu if (measure := level.region(p, region)) and measure.hu else None
        for p, region in columns
    ]
    heights = level.heights
    values = (
        volumes[0] if volumes else None,
        *means,
        heights.height_anterior_mm,
        heights.height_middle_mm,
        heights.height_posterior_mm,
    )
    use = tell_usability(usability_of(level), level.usability_codes)
    return [level.level, *(number(v) for v in values), use]


def number(value: float | None, digits: int = 1) -> str:
    """A number with fixed digits, or a dash where it is absent."""
    return ABSENT if value is None else f"{value:.{digits}f}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a header of up to two lines (split at the first space), aligned to the right.

    An upper line that repeats the one to its left is left out, so columns read as groups.
    """
    upper = [name.rpartition(" ")[0] for name in header]
    lower = [name.rpartition(" ")[2] for name in header]
    widths = [max(len(cell) for cell in column) for column in zip(lower, *rows, strict=True)]
    groups = [0, *(n for n in range(1, len(upper)) if upper[n] != upper[n - 1]), len(upper)]
    for start, stop in pairwise(groups):
        missing = len(upper[start]) - (sum(widths[start:stop]) + 2 * (stop - start - 1))
        widths[stop - 1] += max(missing, 0)
    top = "  ".join(
        upper[start].ljust(sum(widths[start:stop]) + 2 * (stop - start - 1))
        for start, stop in pairwise(groups)
    )
    body = [
        "  ".join(
            cell.ljust(width) if n == 0 or header[n] == USE else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in (lower, *rows)
    ]
    return "\n".join(line.rstrip() for line in (top, *body) if line.strip())


def print_records(records: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print records as JSON, or each as a block with its id as the heading."""
    if as_json:
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    columns = get_terminal_size((UNWRAPPED, 0)).columns
    for record in records:
        click.echo(record["id"])
        for key, value in record.items():
            if key != "id":
                click.echo(lay_out(key, _as_text(value), columns))
        click.echo()


def lay_out(key: str, text: str, columns: int) -> str:
    """A key and its text, wrapped beside the key; what has no blank is broken only after ``::``."""
    room = columns - KEY_WIDTH
    spaced = text if len(text) <= room else text.replace("::", ":: ")
    lines = wrap(spaced, max(room, 1), break_long_words=False, break_on_hyphens=False) or [""]
    head = f"  {key}".ljust(KEY_WIDTH - 1)
    return f"\n{' ' * KEY_WIDTH}".join([f"{head} {lines[0]}", *lines[1:]])


def _as_text(value: object) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_as_text(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_as_text(item) for item in value)
    return (
        {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )
