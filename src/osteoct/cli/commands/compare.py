"""``osteoct compare``: what changed between two examinations of one patient."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command("compare", short_help="Compare two examinations of one patient.")
@click.argument("earlier", type=_PATH)
@click.argument("later", type=_PATH)
@click.option("--same-patient", is_flag=True, help="Say that both are of one patient.")
@click.option("--lsc-hu", type=float, help="Your own least significant change of trabecular HU.")
@click.option("--key-file", type=_PATH, help="Key for pseudonyms, where one is a report.")
@click.option("--all", "everything", is_flag=True, help="Print every region and volume as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole comparison as JSON.")
def compare_command(
    earlier: Path,
    later: Path,
    *,
    same_patient: bool,
    lsc_hu: float | None,
    key_file: Path | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Compare EARLIER with LATER, level by level and region by region.

    Each is a folder of osteoct analyze, its case.json, a structured report that osteoct export
    wrote, or a folder of DICOM objects with one such report. A change of trabecular HU is beyond or
    within the least significant change; where scans are unlike it is shown and not judged. To have
    it in report and DICOM objects: osteoct analyze --earlier.

    Exit codes: 0 done, 2 usage, 3 input refused, 4 environment.
    """
    from osteoct.change.comparing import compare_examinations
    from osteoct.change.earlier import read_earlier
    from osteoct.cli.change_words import print_change, say_change

    change = compare_examinations(
        read_earlier(earlier, key_file=key_file),
        read_earlier(later, key_file=key_file),
        same_patient=same_patient,
        own_limit_hu=lsc_hu,
    )
    if as_json:
        click.echo(change.model_dump_json(indent=2))
    else:
        print_change(change, everything=everything)
    say_change(change)
