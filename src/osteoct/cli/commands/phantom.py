"""``osteoct phantom``: write a digital spine phantom."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("phantom", short_help="Write a digital spine phantom.")
@click.argument("kind", required=False)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder to make.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the noise.")
@click.option(
    "--format",
    "formats",
    type=click.Choice(["dicom", "nifti", "both"]),
    default="both",
    show_default=True,
    help="How the CT is written.",
)
@click.option("--list", "is_listing", is_flag=True, help="List the kinds and stop.")
@click.option("--overwrite", is_flag=True, help="Replace a phantom written earlier.")
def phantom_command(
    kind: str | None,
    out: Path | None,
    *,
    seed: int,
    formats: str,
    is_listing: bool,
    overwrite: bool,
) -> None:
    """Write a digital phantom of KIND: CT, masks and truth.json, all or nothing."""
    from osteoct.cli.words import say
    from osteoct.phantom.catalogue import KINDS, make_phantom, write_phantom

    if is_listing:
        width = max(len(name) for name in KINDS)
        for name, text in KINDS.items():
            click.echo(f"{name:<{width}}  {text}")
        return
    if kind is None or out is None:
        raise click.UsageError("KIND and -o OUT are needed; --list shows the kinds.")
    from osteoct.io.output import result_folder

    with result_folder(out, overwrite=overwrite, marker="truth.json") as folder:
        scan = make_phantom(kind, seed=seed)
        write_phantom(
            scan, folder, dicom=formats in ("dicom", "both"), nifti=formats in ("nifti", "both")
        )
    say(f"Phantom: {out}")
