"""Tables on stdout, words on stderr."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click

from osteoct.protocols import PROTOCOLS, Region, Shape
from osteoct.records import CaseResult, Severity

ABSENT = "–"


def say(words: str) -> None:
    """Say something to the person; stdout stays free for data."""
    click.echo(words, err=True)


def print_result(result: CaseResult, *, as_json: bool) -> None:
    """Print a result as JSON or as the table of levels, and its doubts in words."""
    if as_json:
        click.echo(result.model_dump_json(by_alias=True, indent=2))
    else:
        click.echo(level_table(result))
    for finding in result.findings:
        if finding.severity is not Severity.INFO:
            say(f"{finding.severity.value}: {finding.message}")
    for opinion in result.opinions[:4]:
        say(f"{opinion.rule}: {opinion.verdict.value} – {opinion.reason}")
    say("Research software: cannot rule out low bone density, not a diagnosis.")


def level_table(result: CaseResult) -> str:
    """The levels of a case as text: volume, mean HU per region and protocol, heights."""
    columns = [
        (f"{protocol_id} {region.value}", protocol_id, region)
        for protocol_id in result.protocols
        for region in PROTOCOLS[protocol_id].regions
        if PROTOCOLS[protocol_id].shape is Shape.DEPTH or region is Region.TRABECULAR
    ]
    header = ["level", "cm³", *(name for name, _, _ in columns), "ant.", "mid.", "post. mm"]
    rows = []
    for level in result.levels:
        volume = next((r.volume_cm3 for r in level.regions if r.region is Region.VERTEBRA), None)
        means = [
            measure.hu.mean_hu if (measure := level.region(p, r)) and measure.hu else None
            for _, p, r in columns
        ]
        heights = (
            level.heights.height_anterior_mm,
            level.heights.height_middle_mm,
            level.heights.height_posterior_mm,
        )
        mark = "" if level.usable else " *"
        rows.append([level.level + mark, *(number(v) for v in (volume, *means, *heights))])
    note = "" if all(level.usable for level in result.levels) else "\n* not used in summaries"
    return table(header, rows) + note


def number(value: float | None, digits: int = 1) -> str:
    """A number with fixed digits, or a dash where it is absent."""
    return ABSENT if value is None else f"{value:.{digits}f}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a header, columns aligned to the right except the first; headers are wrapped."""
    words = [name.split(" ") for name in header]
    height = max(len(w) for w in words)
    lines = [["", *([""] * (len(header) - 1))] for _ in range(height)]
    for column, parts in enumerate(words):
        for n, part in enumerate(parts):
            lines[height - len(parts) + n][column] = part
    cells = [*lines, *rows]
    widths = [max(len(row[c]) for row in cells) for c in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if c == 0 else cell.rjust(width)
            for c, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def print_records(records: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print records as JSON, or each as a block with its id as the heading."""
    if as_json:
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return
    for record in records:
        click.echo(record["id"])
        for key, value in record.items():
            if key != "id":
                click.echo(f"  {key:<12} {_as_text(value)}")
        click.echo()


def _as_text(value: object) -> str:
    """A value in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_as_text(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_as_text(item) for item in value)
    return (
        {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )
