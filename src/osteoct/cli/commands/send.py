"""``osteoct send``: DICOM objects in, an archive that has them out."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from osteoct.cli.link_options import LinkChoices, link_options, make_link


@click.command("send", short_help="Send DICOM results to a PACS.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", required=True, help="AE@HOST:PORT or https://HOST/dicom-web.")
@click.option("--again", is_flag=True, help="Send what the archive has already as well.")
@link_options
@click.pass_context
def send_command(
    ctx: click.Context,
    files: tuple[Path, ...],
    *,
    to: str,
    again: bool,
    **link: Unpack[LinkChoices],
) -> None:
    """Send the DICOM objects of FILES, files or folders such as those of osteoct export.

    Each answer is checked. Interrupted, the same command goes on where it ended. Credentials come
    from OSTEOCT_PACS_USER and OSTEOCT_PACS_PASSWORD, or OSTEOCT_PACS_TOKEN, or --credentials.

    Exit codes: 0 the archive has all of them, 1 it refused some, 2 usage, 3 input refused, 4
    network or environment.
    """
    from osteoct.cli.app import EXIT_NOTHING_MEASURABLE
    from osteoct.cli.words import say
    from osteoct.network.sending import send_files

    sent = send_files(files, make_link(to, link, option="--to"), again=again, hear=say)
    for reason, number in sent.reasons:
        say(f"refused: {number} × {reason}")
    if sent.changed:
        say(f"warning: the archive changed {sent.changed} of them while storing")
    click.echo(
        f"{sent.stored} sent ({sent.size_bytes / 1e6:.1f} MB), {sent.present} there already, "
        f"{sent.refused} refused, {sent.others} files that are no DICOM objects"
    )
    if not sent.is_whole:
        ctx.exit(EXIT_NOTHING_MEASURABLE)
