"""``osteoct export``: a finished case in, files for other programs out."""

from __future__ import annotations

from pathlib import Path

import click

_PATH = click.Path(path_type=Path)


@click.command("export", short_help="Write a finished case for a PACS and other programs.")
@click.argument("case", type=_PATH)
@click.option(
    "--to",
    "formats",
    multiple=True,
    required=True,
    help="dicom, dicom-pdf, fhir, pdf or excel; may be repeated.",
)
@click.option("-o", "--out", type=_PATH, required=True, help="Folder to make for the files.")
@click.option("--source", type=_PATH, help="DICOM series that CASE was measured on.")
@click.option("--series", help="SeriesInstanceUID in it, where one was named to analyze.")
@click.option("--key-file", type=_PATH, help="Key that CASE was named by, where files changed.")
@click.option("--deflate", is_flag=True, help="Pack DICOM objects; not every archive takes that.")
@click.option("--deidentify", is_flag=True, help="Take identifiers out, and write the series too.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier export in OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def export_command(
    case: Path,
    formats: tuple[str, ...],
    out: Path,
    *,
    source: Path | None,
    series: str | None,
    key_file: Path | None,
    deflate: bool,
    deidentify: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write CASE, a folder of osteoct analyze, in other formats into OUT, all or nothing.

    dicom: a segmentation (seg.dcm) and a structured report (sr.dcm) that belong to the patient's
    study, and so carry the patient's name and number as the source series does. With --deidentify
    they carry none, and the series lies beside them in OUT/ct, likewise.

    dicom-pdf: the report for viewers that show nothing else, likewise in the patient's study: as
    PDF (pdf.dcm) and its first page as a picture (page.dcm). fhir: a bundle of FHIR R4 (fhir.json);
    with --source it names study and series. pdf: the report on two sheets (report.pdf). excel: a
    workbook (case.xlsx).

    Exit codes: 0 done, 2 usage, 3 case or series refused, 4 environment.
    """
    from osteoct.cli.words import say
    from osteoct.export.exporting import export_case

    record = export_case(
        case,
        formats,
        out=out,
        source=source,
        series=series,
        key_file=key_file,
        deflate=deflate,
        deidentify=deidentify,
        overwrite=overwrite,
    )
    for note in record.notes:
        say(f"note: {note}")
    if as_json:
        click.echo(record.model_dump_json(by_alias=True, indent=2))
        return
    for file in record.files:
        click.echo(f"{out / file.name}  {file.size_bytes / 1e6:.2f} MB")
