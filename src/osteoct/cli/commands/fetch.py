"""``osteoct fetch``: an archive in, folders of CT series out."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from osteoct.cli.link_options import LinkChoices, link_options, make_link


@click.command("fetch", short_help="Fetch CT series from a PACS.")
@click.option("--from", "source", required=True, help="AE@HOST:PORT or https://HOST/dicom-web.")
@click.option("--study", "studies", multiple=True, help="StudyInstanceUID; may be repeated.")
@click.option("--query", help="date=2026-01-01..2026-01-31, description=*spine*, body-part=SPINE")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder for the series.")
@click.option("--dry-run", is_flag=True, help="List what would come, without names.")
@click.option("--via-move", "move_port", type=int, help="Port to have it sent to, by C-MOVE.")
@link_options
@click.pass_context
def fetch_command(
    ctx: click.Context,
    *,
    source: str,
    studies: tuple[str, ...],
    query: str | None,
    out: Path | None,
    dry_run: bool,
    move_port: int | None,
    **link: Unpack[LinkChoices],
) -> None:
    """Fetch CT series, each whole or not at all, into a folder for osteoct analyze or run.

    Interrupted, the same command goes on where it ended. Credentials: as for osteoct send.

    Exit codes: 0 all here, 1 nothing matched or a series did not come whole, 2 usage, 3 OUT cannot
    be written, 4 network or environment.
    """
    from osteoct.cli.app import EXIT_NOTHING_MEASURABLE
    from osteoct.cli.words import say
    from osteoct.network.fetching import fetch_series, list_series
    from osteoct.network.query import make_query

    asked = make_query(studies, query)
    archive = make_link(source, link, option="--from")
    if dry_run:
        listed = list_series(archive, asked)
        for s in listed:
            part = s.body_part or "–"
            click.echo(f"study {s.study}  series {s.series}  {s.year or '–'}  {part}  {s.images}")
        say(f"{len(listed)} CT series, {sum(s.images for s in listed)} images")
        return
    if out is None:
        raise click.UsageError("-o is needed, or --dry-run")
    fetched = fetch_series(archive, asked, out, move_port=move_port, hear=say)
    click.echo(
        f"{fetched.whole} series fetched ({fetched.images} images), {fetched.present} here "
        f"already, {fetched.incomplete} not whole, {fetched.empty} without CT images"
    )
    if not fetched.is_whole:
        ctx.exit(EXIT_NOTHING_MEASURABLE)
