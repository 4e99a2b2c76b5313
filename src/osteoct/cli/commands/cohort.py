"""``osteoct cohort``: results of many CTs against DXA, from tables alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from osteoct.cohort.report.choices import ReportChoices

_PATH = click.Path(path_type=Path)
_out = click.option("-o", "--out", type=_PATH, required=True, help="Folder to make.")
_overwrite = click.option("--overwrite", is_flag=True, help="Replace an earlier result there.")
_definition = click.option(
    "--definition",
    type=click.Choice(["who", "study"]),
    help="Groups by T-score; they differ at exactly -1.0 and -2.5. Default: who.",
)
_site = click.option(
    "--site",
    type=click.Choice(["lowest", "lumbar", "femoral_neck", "total_hip"]),
    help="Which T-score sorts a patient; default: the lowest of the three.",
)
_protocol = click.option("--protocol", help="How the HU were measured.")


@click.group("cohort", short_help="Compare many results with DXA.")
def cohort_command() -> None:
    """Join results of CTs with a DXA table, and make the study's statistics, figures and report."""


@cohort_command.command("link", short_help="Join results with a DXA table.")
@click.argument("results", type=_PATH)
@click.option("--dxa", type=_PATH, required=True, help="DXA table: CSV, Excel or Parquet.")
@click.option("--map", "map_file", type=_PATH, help="TOML file that names the table's columns.")
@_out
@_protocol
@click.option("--window-days", type=int, help="Most days between CT and DXA; default 365.")
@click.option(
    "--repeats",
    type=click.Choice(["nearest", "first", "last", "all"]),
    help="Which CT of a patient counts; default: the nearest to a DXA.",
)
@click.option("--min-levels", type=int, help="Levels of L1-L5 that must be usable; default 5.")
@click.option("--keep-blocked", is_flag=True, help="Keep cases that a finding blocks, marked.")
@click.option("--keep-dates", is_flag=True, help="Write days of examinations (with consent).")
@click.option("--allow-undated", is_flag=True, help="Link by case id without a day of the CT.")
@_definition
@_site
@click.option("--key-file", type=_PATH, help="Key for pseudonyms that the CTs were analysed with.")
@_overwrite
def link_command(results: Path, dxa: Path, out: Path, **options: Any) -> int:  # noqa: ANN401 - click's options
    """Join the cases below RESULTS with the DXA table; the folder OUT gets the cohort.

    OUT gets cohort.csv (one row per patient), unlinked.csv (every other row, with its reason),
    flow.csv and cohort.toml, all or nothing. Hospital numbers of the table become pseudonyms while
    reading and are never written.

    Exit codes: 0 done, 1 nobody linked, 2 usage, 3 input refused, 4 environment.
    """
    from osteoct.cli.app import EXIT_NOTHING_MEASURABLE
    from osteoct.cli.cohort_words import say_link, telling_problems
    from osteoct.cohort.extra import check_extra

    check_extra("osteoct cohort")
    with telling_problems():
        from osteoct.cohort.commands import link_into

        linked = link_into(results, dxa, out, options)
    say_link(linked, out)
    return 0 if len(linked.table) else EXIT_NOTHING_MEASURABLE


@cohort_command.command("simulate", short_help="Draw a synthetic cohort.")
@click.option("--n", "n", type=int, default=229, show_default=True, help="Patients to draw.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the drawing.")
@_out
@_overwrite
def simulate_command(n: int, seed: int, out: Path, *, overwrite: bool) -> None:
    """Draw patients to the published moments of the study; OUT is a cohort as link makes it.

    Nobody is behind it: every file and figure made from it says SYNTHETIC. cohort.toml in OUT
    lists what the study does not say and was assumed.
    """
    from osteoct.cli.words import say
    from osteoct.cohort.extra import check_extra

    check_extra("osteoct cohort")
    from osteoct.cohort.commands import simulate_into

    simulate_into(n, seed, out, overwrite=overwrite)
    say(f"SYNTHETIC cohort of {n}: {out}")


@cohort_command.command("analyze", short_help="Make statistics, figures and report.")
@click.argument("cohort", type=_PATH)
@_out
@_protocol
@_definition
@_site
@click.option("--seed", type=int, help="Seed of the bootstraps.")
@click.option("--bootstrap", type=int, help="Resamples for intervals of cut-offs; default 2000.")
@click.option("--allow-small-cells", is_flag=True, help="Print counts below 5 as they are.")
@click.option("--no-pdf", is_flag=True, help="Make no PDF.")
@click.option("--no-excel", is_flag=True, help="Make no Excel workbook.")
@click.option("--config", "config_file", type=_PATH, help="TOML file with the same choices.")
@_overwrite
def analyze_command(cohort: Path, out: Path, **options: Any) -> None:  # noqa: ANN401 - click's options
    """Analyse COHORT, a folder of link or simulate or a bare CSV of the same columns.

    OUT gets cohort.html and cohort.pdf, results.json, tables as CSV, workbook.xlsx and figures as
    SVG and PNG. The same inputs and choices give the same bytes.

    Exit codes: 0 done, 2 usage, 3 input refused, 4 environment.
    """
    from osteoct.cli.cohort_words import say_analysis, telling_problems
    from osteoct.cohort.extra import check_extra

    check_extra("osteoct cohort")
    with telling_problems():
        from osteoct.cohort.commands import analyze_into

        done = analyze_into(cohort, out, _choose(options), overwrite=options["overwrite"])
    say_analysis(done, out)


@cohort_command.command("agree", short_help="Compare two methods, or repeated scans.")
@click.argument("first", type=_PATH)
@click.argument("second", type=_PATH, required=False)
@_out
@click.option("--repeats", is_flag=True, help="Compare the CTs of each patient in FIRST.")
@click.option("--protocols", help="P,Q: measured by P in FIRST, by Q in SECOND, or in FIRST too.")
@_protocol
@click.option("--names", help="A,B: how the two are called in figures and tables.")
@click.option(
    "--by", type=click.Choice(["case", "patient"]), help="What pairs; default: case, if shared."
)
@click.option("--window-days", type=int, help="Most days between CTs of a patient; default 30.")
@click.option("--across-conditions", is_flag=True, help="Repeats may differ in kVp and phase.")
@click.option("--allow-undated", is_flag=True, help="Repeats may be of unknown day.")
@click.option("--keep-blocked", is_flag=True, help="Use levels that a finding blocks.")
@click.option("--allow-small-cells", is_flag=True, help="Print what rests on fewer than 5 pairs.")
@click.option("--no-pdf", is_flag=True, help="Make no PDF.")
@click.option("--no-excel", is_flag=True, help="Make no Excel workbook.")
@_overwrite
def agree_command(first: Path, second: Path | None, out: Path, **options: Any) -> None:  # noqa: ANN401 - click's options
    """Compare FIRST with SECOND: protocols, scanners, readers or segmenters on the same patients.

    Each is a folder of results, of a cohort, or a table (CSV, Excel, Parquet) with a column case or
    patient and columns such as trabecular_hu. With --repeats the CTs of each patient in FIRST are
    compared; with --protocols P,Q the same results under two protocols.

    OUT gets agreement.csv, icc.csv, pairs.csv, unpaired.csv, Bland-Altman figures, agreement.html,
    agreement.pdf, workbook.xlsx and results.json.

    Exit codes: 0 done, 2 usage, 3 input refused or nobody pairs, 4 environment.
    """
    from osteoct.cli.cohort_words import say_agreement, telling_problems
    from osteoct.cohort.extra import check_extra

    check_extra("osteoct cohort")
    with telling_problems():
        from osteoct.cohort.commands import agree_into

        said = agree_into(first, second, out, options)
    say_agreement(said, out)


def _choose(options: dict[str, Any]) -> ReportChoices:
    """The configuration: the file's choices, overridden by the options that were given."""
    from osteoct.cohort.report.choices import make_choices, read_choices

    file: Path | None = options["config_file"]
    values = {} if file is None else read_choices(file).model_dump(exclude_unset=True)
    statistics = {
        "protocol": options["protocol"],
        "definition": options["definition"],
        "site": options["site"],
        "seed": options["seed"],
        "n_bootstrap": options["bootstrap"],
    }
    given = {name: value for name, value in statistics.items() if value is not None}
    values["statistics"] = values.get("statistics", {}) | given
    if options["allow_small_cells"]:
        values["allow_small_cells"] = True
    if options["no_pdf"]:
        values["pdf"] = False
    if options["no_excel"]:
        values["excel"] = False
    return make_choices(values, where="options")


@cohort_command.group("cutoff", short_help="Test published cut-offs.")
def cutoff_command() -> None:
    """Test fixed cut-offs on a cohort; nothing is chosen on the data."""


@cutoff_command.command("apply", short_help="Test published cut-offs on a cohort.")
@click.argument("cohort", type=_PATH)
@click.option("--rule", "rules", multiple=True, help="Id of a rule (osteoct rules); default all.")
@_protocol
@_definition
@_site
@click.option("--allow-small-cells", is_flag=True, help="Print counts below 5 as they are.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def apply_command(cohort: Path, **options: Any) -> None:  # noqa: ANN401 - click's options
    """Print sensitivity, specificity and predictive values of published cut-offs on COHORT.

    A cut-off is applied to HU of its own protocol alone, and to scans of its kVp and phase.
    """
    from osteoct.cli.cohort_words import print_cutoffs, telling_problems
    from osteoct.cohort.extra import check_extra

    check_extra("osteoct cohort")
    with telling_problems():
        from osteoct.cohort.commands import apply_cutoffs

        rows = apply_cutoffs(cohort, options)
    print_cutoffs(rows, as_json=options["as_json"])
