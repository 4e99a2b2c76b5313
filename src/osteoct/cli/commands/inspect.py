"""``osteoct inspect``: what lies under a path, and what would be chosen."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from osteoct.io.dicom.listing import SeriesListing, SeriesSummary
    from osteoct.volume import CTVolume


@click.command("inspect", short_help="Show what a path holds and what would be read.")
@click.argument("ct", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def inspect_command(ct: Path, *, as_json: bool) -> None:
    """Show the series of CT, their geometry and acquisition, and which would be read and why.

    Reads headers of DICOM and the whole of other formats; writes nothing.
    """
    from osteoct.io.archive import extracted
    from osteoct.io.image_format import ImageFormat, image_format
    from osteoct.io.volume import single_image_in

    kind = image_format(ct, where=str(ct))
    with extracted(ct) if kind is ImageFormat.ZIP else nullcontext(ct) as path:
        is_image = kind not in (ImageFormat.FOLDER, ImageFormat.DICOM, ImageFormat.ZIP)
        if is_image or (path.is_dir() and single_image_in(path, where=str(ct)) is not None):
            _inspect_volume(ct, as_json=as_json)
        else:
            _inspect_dicom(path, as_json=as_json)


def _inspect_dicom(path: Path, *, as_json: bool) -> None:
    """List DICOM series; the names of their files may be a patient's."""
    from osteoct.io.dicom.series import find_series
    from osteoct.io.file_names import hide_names, number_files

    listing = find_series(path)
    numbers = number_files(path) or {path.name: "file"}
    hidden = [
        s.model_copy(update={"refusal": s.refusal and hide_names(s.refusal, numbers)})
        for s in listing.series
    ]
    listing = listing.model_copy(update={"series": tuple(hidden)})
    if as_json:
        click.echo(listing.model_dump_json(indent=2))
        return
    click.echo(describe_listing(listing))


def _inspect_volume(ct: Path, *, as_json: bool) -> None:
    """Describe a volume in another format."""
    from osteoct.io.volume import read_volume

    volume = read_volume(ct)
    record = describe_volume(volume)
    if as_json:
        import json

        click.echo(json.dumps(record, indent=2))
        return
    for key, value in record.items():
        click.echo(f"{key:<14} {value}")


def describe_volume(volume: CTVolume) -> dict[str, object]:
    """Grid, value range and findings of a volume."""
    grid = volume.geometry
    return {
        "shape": list(grid.shape),
        "spacing_mm": [round(s, 4) for s in grid.spacing_mm],
        "axis_codes": grid.axis_codes,
        "lowest_hu": float(volume.array.min()),
        "highest_hu": float(volume.array.max()),
        "findings": [f"{f.severity.value} {f.code}: {f.message}" for f in volume.findings],
    }


def describe_listing(listing: SeriesListing) -> str:
    """Series one by one, the chosen one marked, then what was ignored."""
    lines: list[str] = []
    for series in listing.series:
        lines += [*_describe_series(series), ""]
    ignored = ", ".join(f"{n} {reason}" for reason, n in sorted(listing.ignored.items()))
    lines.append(f"ignored files: {ignored or 'none'}")
    if listing.chosen is None:
        lines.append("no series would be read")
    return "\n".join(lines)


def _describe_series(series: SeriesSummary) -> list[str]:
    """One series in a few lines."""
    grid, scan = series.grid, series.acquisition
    mark = "→" if series.is_chosen else " "
    spacing = "no regular grid" if grid is None else " × ".join(f"{s:.3g}" for s in grid.spacing_mm)
    facts = {
        "grid": f"{spacing} mm, {grid.axis_codes}" if grid else spacing,
        "refused": series.refusal,
        "kVp": None if scan.kvp is None else f"{scan.kvp:g}",
        "kernel": " ".join(scan.kernel) or None,
        "thickness": None if scan.slice_thickness_mm is None else f"{scan.slice_thickness_mm:g} mm",
        "phase": None if scan.phase is None else f"{scan.phase.value} ({scan.phase_evidence})",
        "scanner": " ".join(p for p in (scan.manufacturer, scan.model) if p) or None,
        "why": "; ".join(series.reasons) or None,
    }
    head = f"{mark} series {series.key}: {series.modality}, {series.slices} slices"
    return [head, *(f"    {key:<10} {value}" for key, value in facts.items() if value)]
