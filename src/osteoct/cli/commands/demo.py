"""``osteoct demo``: the whole way on a phantom patient whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from osteoct.phantom.truth import LevelTruth, PhantomTruth
    from osteoct.records import CaseResult, LevelResult


@click.command("demo", short_help="Analyse a phantom patient whose truth is known.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("osteoct-demo"),
    show_default=True,
    help="Folder to make.",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo in OUT.")
def demo_command(out: Path, *, overwrite: bool) -> int:
    """Make a phantom patient, analyse it, and compare every number with the truth.

    Writes the phantom's CT as a DICOM series with its masks to OUT/phantom and the result beside
    it; open OUT/report.html.
    """
    from osteoct.analysis import analyze_files
    from osteoct.case_files import write_case
    from osteoct.case_masks import Sources
    from osteoct.cli.app import EXIT_NOTHING_MEASURABLE
    from osteoct.cli.printing import level_table, say_conclusion
    from osteoct.cli.words import say
    from osteoct.config import AnalysisConfig
    from osteoct.io.output import result_folder
    from osteoct.phantom.catalogue import make_phantom, write_phantom

    config = AnalysisConfig()
    with result_folder(out, overwrite=overwrite) as folder:
        say("Making a phantom patient …")
        scan = make_phantom("lumbar")
        phantom = folder / "phantom"
        phantom.mkdir()
        write_phantom(scan, phantom, dicom=True, nifti=True)
        say("Analysing its DICOM series …")
        sources = Sources(
            ct=phantom / "ct-dicom",
            masks=phantom / "masks.nii.gz",
            body_masks=phantom / "body-masks.nii.gz",
        )
        case = analyze_files(sources, config=config, case_id="phantom-lumbar")
        write_case(case, folder, config, earlier=out)
    click.echo(level_table(case.result))
    click.echo()
    click.echo(error_table(case.result, scan.truth))
    say_conclusion(case.result, report=out / "report.html")
    return 0 if case.result.is_measured else EXIT_NOTHING_MEASURABLE


def error_table(result: CaseResult, truth: PhantomTruth) -> str:
    """Measured minus true, number by number, as text."""
    from osteoct.cli.printing import table

    header = [
        "level",
        "trabecular HU core",
        "trabecular HU ellipse",
        "volume % vertebra",
        "volume % body",
        "height mm anterior",
        "height mm middle",
        "height mm posterior",
        "tilt °",
    ]
    rows = []
    for level in result.levels:
        true = truth.level(level.level)
        if true is not None:
            rows.append([str(level.level), *_errors(level, true)])
    title = "error of each number: measured minus true"
    return f"{title}\n{table(header, rows)}"


def _errors(level: LevelResult, true: LevelTruth) -> list[str]:
    """The errors of one level, as text; a dash where a number is absent."""
    from osteoct.cli.printing import ABSENT
    from osteoct.protocols import AXIAL_ROI, BODY_CORE_4, VERTEBRA_CORE_3_5, Region

    def mean(protocol: str, region: Region) -> float | None:
        measure = level.region(protocol, region)
        return None if measure is None or measure.hu is None else measure.hu.mean_hu

    def volume(protocol: str, region: Region) -> float | None:
        measure = level.region(protocol, region)
        return None if measure is None else measure.volume_cm3

    heights = level.heights
    pairs = [
        (mean(BODY_CORE_4.id, Region.TRABECULAR), true.trabecular_hu, 1.0),
        (mean(AXIAL_ROI.id, Region.TRABECULAR), true.trabecular_hu, 1.0),
        (volume(VERTEBRA_CORE_3_5.id, Region.VERTEBRA), true.vertebra_volume_cm3, 0.0),
        (volume(BODY_CORE_4.id, Region.BODY), true.body_volume_cm3, 0.0),
        (heights.height_anterior_mm, true.height_anterior_mm, 1.0),
        (heights.height_middle_mm, true.height_middle_mm, 1.0),
        (heights.height_posterior_mm, true.height_posterior_mm, 1.0),
        (level.tilt_deg, true.tilt_deg, 1.0),
    ]
    return [
        ABSENT if value is None else f"{(value - t) * (unit or 100 / t):+.1f}"
        for value, t, unit in pairs
    ]
