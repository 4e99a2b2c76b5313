"""``osteoct segment``: a CT in, the masks of its vertebrae out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from osteoct.cli.segmenter_options import add_segmenter_options, choose_segmenter

_PATH = click.Path(path_type=Path)

_MORE = {
    "bodies": "take --quality best",
    "tissues": "take a CT that shows some, and a segmenter that knows them",
}
"""Label maps that are made where asked, and what to do where they are not."""


@click.command("segment", short_help="Find the vertebrae of a CT; write masks only.")
@click.argument("ct", type=_PATH)
@click.option("-o", "--out", type=_PATH, required=True, help="Label map to write, .nii.gz.")
@click.option("--bodies", type=_PATH, help="Label map of bodies and discs to write, .nii.gz.")
@click.option(
    "--tissues", type=_PATH, help="Label map of vessels, organs, muscles, ribs, sacrum, likewise."
)
@click.option(
    "--phase-organs", is_flag=True, help="Put those into it that analyze --phase-opinion needs."
)
@add_segmenter_options
@click.option("--series", help="SeriesInstanceUID to take instead of the one chosen by rule.")
@click.option("--overwrite", is_flag=True, help="Replace label maps that exist.")
def segment_command(ct: Path, out: Path, **options: Any) -> None:  # noqa: ANN401 - click's options
    """Write the vertebrae of CT as one label map with its table of names, on the grid of CT.

    What is written is what analyze --masks reads, and --body-masks likewise.

    Exit codes: 0 done, 2 usage, 3 input refused or no vertebrae found, 4 environment: the
    segmenter, its weights or memory is missing.
    """
    from osteoct.cli.fetching import prepare_weights
    from osteoct.cli.segmenting import SegmentingLine
    from osteoct.cli.words import say
    from osteoct.io.volume import read_volume

    asked = {"vertebrae": out} | {role: options[role] for role in _MORE if options[role]}
    if options["phase_organs"] and "tissues" not in asked:
        raise click.UsageError("--phase-organs is for the label map of --tissues: name one.")
    for path in asked.values():
        check_file(path, overwrite=options["overwrite"])
    with SegmentingLine() as line:
        segmenter = choose_segmenter(
            options,
            progress=line,
            with_tissues="tissues" in asked,
            with_phase_organs=options["phase_organs"],
        )
        prepare_weights(segmenter, ct, offline=options["offline"])
        segmenter.check()
        made = segmenter.segment(read_volume(ct, series=options["series"]))
    write_all({path: take(made, role) for role, path in asked.items()})
    for finding in made.findings:
        say(f"{finding.severity.value}: {finding.message}")
    say(f"Masks: {', '.join(map(str, asked.values()))}")


def take(made: Any, role: str) -> Any:  # noqa: ANN401 - Segmentation and LabelVolume, imported late
    """The labels of a role; refuse a role that this segmenter, or this quality, does not make."""
    from osteoct.errors import SegmentationError

    labels = getattr(made, role)
    if labels is None:
        hint = _MORE[role]
        raise SegmentationError(
            f"no masks of {role} were made",
            where=f"--{role}",
            found=f"{made.provenance.name}, quality {made.provenance.quality}",
            hint=f"leave --{role} out, or {hint}",
        )
    return labels


def check_file(path: Path, *, overwrite: bool) -> None:
    """Refuse a place where a label map cannot go, before anything is computed."""
    from osteoct.errors import OutputError, OutputExistsError

    if not path.name.endswith(".nii.gz"):
        raise click.UsageError(f"{path}: the name of a label map ends in .nii.gz.")
    if path.is_dir() or (path.exists() and not overwrite):
        raise OutputExistsError(
            "exists already", where=str(path), hint="choose another name, or --overwrite"
        )
    if not path.parent.is_dir():
        raise OutputError("its folder does not exist", where=str(path))


def write_all(labels: dict[Path, Any]) -> None:
    """Write every label map, or none: those that were written go again where one fails."""
    from osteoct.errors import OutputError
    from osteoct.io.nifti import write_labels

    written: list[Path] = []
    try:
        for path, volume in labels.items():
            write_labels(volume, path)
            written.append(path)
    except OutputError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
