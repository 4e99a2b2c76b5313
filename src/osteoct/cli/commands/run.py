"""``osteoct run``, ``status`` and ``collect``: many cases, none of them lost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osteoct.cli.batch_options import (
    add_batch_options,
    choose_batch,
    ledger_option,
    make_request,
    prepare_segmenter,
)
from osteoct.cli.stopping import stopping

if TYPE_CHECKING:
    from osteoct.run.batch import Batch
    from osteoct.run.plan.choices import Choices
    from osteoct.run.progress import RunProgress

_PATH = click.Path(path_type=Path)


@click.command("run", short_help="Measure many CTs; resume where it ended.")
@click.argument("source")
@click.option("-o", "--out", help="Store of the batch: a folder, or an address such as s3://…")
@click.option("--ct", help="Pattern of CTs that are no DICOM, such as '*/ct.nii.gz'.")
@click.option("--masks", help="Where a CT's masks lie, such as '{parent}/seg.nii.gz'.")
@click.option("--body-masks", help="Masks of the bodies, likewise.")
@click.option("--tissues", help="Labels of vessels, organs, muscles, likewise.")
@click.option("--case-id", help="Name of a case, such as '{parent.name}', not a pseudonym.")
@click.option("--tree", help="Where the UIDs of a manifest are looked up.")
@click.option(
    "--fingerprint",
    type=click.Choice(["stamp", "content"]),
    help="Tell files by size and time (default), or by content.",
)
@add_batch_options
@click.option("--limit", type=click.IntRange(min=1), help="Work on so many cases, then end.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@click.option("--resume", is_flag=True, help="SOURCE is a store: go on with it.")
@click.option(
    "--retry",
    type=click.Choice(["failed", "set-aside", "refused", "all"]),
    help="Go on, and try these again; failed: those set aside as well.",
)
@click.option("--only", multiple=True, help="Go on with this case alone; may be repeated.")
@click.option(
    "--progress", type=click.Choice(["auto", "json", "none"]), default="auto", show_default=True
)
def run_command(source: str, out: str | None, **options: Any) -> int:  # noqa: ANN401 - click's options
    """Measure every case of SOURCE into a store; what is done is never done again.

    SOURCE is a folder tree of DICOM, a folder with --ct and other patterns, a manifest (CSV or
    Parquet), or an address of an object store. With --resume, --retry or --only it is a store.

    A case that fails stops no other. Ctrl-C ends after the cases in work; a second one at once.

    Exit codes: 0 all done, 1 some cases have no result, 2 usage, 3 input refused, 4 environment,
    130 interrupted.
    """
    goes_on = options["resume"] or options["retry"] is not None or bool(options["only"])
    if goes_on == (out is not None):
        raise click.UsageError(
            "SOURCE -o STORE begins a batch; STORE --resume, --retry or --only goes on with it."
        )
    if goes_on:
        return _go_on(source, options)
    if options["dry_run"]:
        return _preview(choose_batch(source, options), options)
    return _begin(source, str(out), options)


@click.command("status", short_help="Say how far a batch is.")
@click.argument("store")
@ledger_option
@click.option("--watch", is_flag=True, help="Show it again until the batch is over.")
@click.option("--every", type=click.FloatRange(min=0.1), default=5.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def status_command(store: str, ledger: str | None, **options: Any) -> int:  # noqa: ANN401 - click's options
    """Say how far the batch in STORE is, how fast, what failed and what is doubtful.

    Works from another terminal while the batch runs.

    Exit codes: 0 all done, 1 some cases have no result, or the batch is not over.
    """
    import time

    import click as terminal

    from osteoct.cli.batch_words import print_status
    from osteoct.cli.listen_line import print_listener
    from osteoct.listen.figures import FIGURES_FILE
    from osteoct.run.batch import open_batch
    from osteoct.run.status import read_status

    with open_batch(store, ledger=ledger) as batch:
        while True:
            status = read_status(batch.ledger)
            if options["watch"] and not options["as_json"]:
                terminal.clear()
            print_status(status, as_json=options["as_json"])
            if not options["as_json"]:
                print_listener(batch.store.read_text(FIGURES_FILE))
            if not options["watch"] or status.is_over:
                return 0 if status.is_all_done else 1
            time.sleep(options["every"])


@click.command("collect", short_help="Make one table of a batch.")
@click.argument("store")
@click.option("-o", "--out", type=_PATH, required=True, help="Table: .csv, .parquet or .xlsx.")
@click.option(
    "--rows",
    type=click.Choice(["regions", "levels", "cases", "changes"]),
    default="regions",
    show_default=True,
    help="What a row is: case, level and region; case and level (heights); case; or change.",
)
@ledger_option
def collect_command(store: str, out: Path, rows: str, ledger: str | None) -> None:
    """Write the results of the batch in STORE as one table; a failed case is a row with its reason.

    Beside it comes its data dictionary, OUT.schema.json. The rows are in the order of the cases'
    names, so the same results give the same table.
    """
    from osteoct.cli.words import say
    from osteoct.run.batch import collect_batch, open_batch
    from osteoct.run.collect.columns import Rows
    from osteoct.run.collect.writing import dictionary_path

    with open_batch(store, ledger=ledger) as batch:
        number = collect_batch(batch, out, rows=Rows(rows))
    say(f"{number} rows: {out}; its columns are explained in {dictionary_path(out)}")


def _begin(source: str, out: str, options: dict[str, Any]) -> int:
    """Plan a source into a store, and run it."""
    from osteoct.cli.batch_line import PlanningLine
    from osteoct.cli.batch_words import say_left_out, say_plan
    from osteoct.run.batch import open_batch, plan_batch, recover_batch

    choices = choose_batch(source, options)
    with open_batch(out, ledger=options["ledger"], create=True) as batch:
        recover_batch(batch)
        with PlanningLine() as line:
            counts = plan_batch(
                batch,
                choices,
                key_file=options["key_file"],
                report=line,
                left_out=say_left_out,
            )
        say_plan(counts)
        return _run(batch, choices, options)


def _go_on(store: str, options: dict[str, Any]) -> int:
    """Go on with a store."""
    from osteoct.cli.batch_words import say_recovery
    from osteoct.run.batch import open_batch, recover_batch, reset_cases

    with open_batch(store, ledger=options["ledger"]) as batch:
        say_recovery(recover_batch(batch))
        if options["only"]:
            reset_cases(batch, states=None, only=options["only"])
        elif options["retry"]:
            reset_cases(batch, states=_states(options["retry"]), only=None)
        return _run(batch, batch.choices, options)


def _run(batch: Batch, choices: Choices, options: dict[str, Any]) -> int:
    """Work until nothing is left; say how it ended."""
    from osteoct.cli.app import EXIT_INTERRUPTED, EXIT_NOTHING_MEASURABLE
    from osteoct.cli.batch_line import KINDS
    from osteoct.cli.batch_words import say_end
    from osteoct.run.batch import run_batch
    from osteoct.run.status import read_status

    to_segment = batch.ledger.to_segment()
    if to_segment and options["cluster"] is None:
        prepare_segmenter(choices, options)
    request = make_request(options, makes_masks=bool(to_segment))
    with KINDS[options["progress"]]() as line, stopping() as (hold, was_stopped):
        end: RunProgress = run_batch(batch, request, watch=line, hold=hold)
    status = read_status(batch.ledger)
    say_end(end, status, batch.store.address)
    if was_stopped() and end.left:
        return EXIT_INTERRUPTED
    return 0 if status.is_all_done else EXIT_NOTHING_MEASURABLE


def _preview(choices: Choices, options: dict[str, Any]) -> int:
    """Say what a plan would hold."""
    from osteoct.cli.batch_words import print_preview
    from osteoct.run.batch import preview_batch

    return print_preview(preview_batch(choices, key_file=options["key_file"]))


def _states(retry: str) -> Any:  # noqa: ANN401 - states, imported late
    """The states that a word stands for."""
    from osteoct.run.records import State

    every = (State.FAILED, State.SET_ASIDE, State.REFUSED)
    by_word = {"failed": every[:2], "set-aside": every[1:2], "refused": every[2:], "all": every}
    return by_word[retry]
