"""``osteoct analyze``: a CT in, with its vertebra masks or without, a result folder out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from osteoct.cli.segmenter_options import add_segmenter_options, choose_segmenters

_PATH = click.Path(path_type=Path)


@click.command("analyze", short_help="Measure the vertebrae of a CT.")
@click.argument("ct", type=_PATH)
@click.option("--masks", type=_PATH, help="Vertebra masks: volume or folder; else they are made.")
@click.option("--body-masks", type=_PATH, help="Masks of the vertebral bodies.")
@click.option("--tissues", type=_PATH, help="Labels of vessels, organs, muscles, to check HU by.")
@click.option("--with-tissues", is_flag=True, help="Have the segmenter find those as well.")
@click.option("-o", "--out", type=_PATH, required=True, help="Folder to make for the result.")
@click.option("--labels", help="Label scheme of the masks, where the file holds no names.")
@click.option("--body-labels", help="Label scheme of the body masks, likewise.")
@add_segmenter_options
@click.option("--levels", help="Levels to measure, such as L1-L5 (the default) or T12,L1.")
@click.option("--protocol", "protocols", multiple=True, help="Protocol to run; may be repeated.")
@click.option("--series", help="SeriesInstanceUID to take instead of the one chosen by rule.")
@click.option("--case-id", help="Name of the case in every result, instead of a keyed pseudonym.")
@click.option("--key-file", type=_PATH, help="Key for pseudonyms.")
@click.option("--no-repair", is_flag=True, help="Measure the masks as they are; tell, not repair.")
@click.option("--kvp", type=float, help="Tube voltage, where the header does not tell it.")
@click.option("--phase", help="Contrast phase, likewise: native, arterial, portal-venous …")
@click.option(
    "--phase-opinion",
    type=click.Choice(["totalsegmentator"]),
    help="Ask for a second opinion on the phase, from the HU of organs.",
)
@click.option("--config", "config_file", type=_PATH, help="TOML file with the same choices.")
@click.option("--earlier", type=_PATH, help="Earlier result of the patient to compare with.")
@click.option("--same-patient", is_flag=True, help="Say that both are of one patient.")
@click.option("--lsc-hu", type=float, help="Your own least significant change of trabecular HU.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier result in OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
def analyze_command(ct: Path, masks: Path | None, out: Path, **options: Any) -> int:  # noqa: ANN401 - click's options
    """Measure volume and HU of the vertebrae of CT, and say how far they can be trusted.

    CT is a DICOM folder or file, a zip of either, NIfTI, NRRD or MetaImage. Without --masks a
    segmenter finds the vertebrae; osteoct segmenters says what is there. OUT gets case.json,
    levels.csv, heights.csv, findings.csv, report.html, compartments.nii.gz and run.toml, all or
    nothing.

    Exit codes: 0 done, 1 analysed with nothing measurable, 2 usage, 3 input refused,
    4 environment.
    """
    from osteoct.analysis import Earlier, analyze
    from osteoct.cli.app import EXIT_NOTHING_MEASURABLE
    from osteoct.cli.fetching import prepare_weights
    from osteoct.cli.printing import print_result
    from osteoct.cli.segmenting import SegmentingLine

    if options["with_tissues"] and (masks is not None or options["tissues"] is not None):
        raise click.UsageError("--with-tissues is for masks that are made: leave it out.")
    place: Path | None = options["earlier"]
    if place is None and (options["same_patient"] or options["lsc_hu"] is not None):
        raise click.UsageError("--same-patient and --lsc-hu belong to --earlier.")
    config = choose(options)
    check_request(ct, masks, out, options)
    with SegmentingLine() as line:
        chosen = choose_segmenters(
            {**options, "masks": masks},
            progress=line,
            with_tissues=config.with_tissues,
            with_phase_organs=config.phase_opinion is not None,
        )
        for segmenter in chosen.both:
            prepare_weights(segmenter, ct, offline=options["offline"])
        result = analyze(
            ct,
            masks if chosen.first is None else None,
            body_masks=options["body_masks"] if chosen.first is None else None,
            tissues=options["tissues"],
            segmenter=chosen.first,
            second=chosen.second,
            out=out,
            config=config,
            case_id=options["case_id"],
            key_file=options["key_file"],
            overwrite=options["overwrite"],
            earlier=None
            if place is None
            else Earlier(
                place=place,
                same_patient=options["same_patient"],
                own_limit_hu=options["lsc_hu"],
            ),
        )
    print_result(result, report=out / "report.html", as_json=options["as_json"])
    return 0 if result.is_measured else EXIT_NOTHING_MEASURABLE


def check_request(ct: Path, masks: Path | None, out: Path, options: dict[str, Any]) -> None:
    """Refuse what would be refused anyway, before weights are fetched for it."""
    from osteoct.case_masks import Sources
    from osteoct.io.output import check_place
    from osteoct.io.pseudonym import check_case_id

    Sources(ct=ct, masks=masks, body_masks=options["body_masks"], tissues=options["tissues"])
    check_place(out, overwrite=options["overwrite"])
    if options["case_id"] is not None:
        check_case_id(options["case_id"])


def choose(options: dict[str, Any]) -> Any:  # noqa: ANN401 - AnalysisConfig, imported late
    """The configuration: the file's choices, overridden by the options that were given."""
    from osteoct.anatomy import parse_levels
    from osteoct.config import make_config, read_config

    file: Path | None = options["config_file"]
    values = {} if file is None else read_config(file).model_dump(exclude_unset=True)
    if options["levels"] is not None:
        values["levels"] = parse_levels(options["levels"])
    given = ("labels", "body_labels", "protocols", "series", "kvp", "phase", "phase_opinion")
    values |= {key: options[key] for key in given if options[key] not in (None, ())}
    if options["with_tissues"]:
        values["with_tissues"] = True
    if options["no_repair"]:
        values["repair"] = False
    return make_config(values, where="options")
