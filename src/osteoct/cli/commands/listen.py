"""``osteoct listen``: studies in from a PACS, results back to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from osteoct.cli.batch_options import (
    add_batch_options,
    choose_batch,
    make_request,
    prepare_segmenter,
)
from osteoct.cli.node_options import add_node_options, make_forwards, make_limits, make_node
from osteoct.cli.stopping import stopping

if TYPE_CHECKING:
    from osteoct.listen.settings import ListenSettings
    from osteoct.run.batch import Batch

_MINUTE_S, _HOUR_S = 60.0, 3600.0


@click.command("listen", short_help="Be a DICOM node: analyse what is sent, send results back.")
@click.option("-o", "--out", required=True, help="Store: a folder, as of osteoct run.")
@click.option("--forward", multiple=True, help="Archive for results; as --to of osteoct send.")
@click.option(
    "--send", default="seg,sr", show_default=True, help="What is sent: some of seg,sr,pdf,sc."
)
@click.option(
    "--keep-images",
    type=click.FloatRange(min=0),
    default=24.0,
    show_default=True,
    metavar="HOURS",
    help="How long images stay after their result was delivered.",
)
@add_node_options
@add_batch_options
@click.option(
    "--progress", type=click.Choice(["auto", "json", "none"]), default="auto", show_default=True
)
def listen_command(out: str, **options: Any) -> int:  # noqa: ANN401 - click's options
    """Receive CT studies, analyse each once it is complete, and send its results on.

    Every image is on the disk before its sender is answered. Results lie in the store as those of
    osteoct run; osteoct status and osteoct collect work beside it. An archive that is away is
    tried again until it answers. The same command goes on where a listener ended, however it did.

    Ctrl-C accepts nothing more and ends after the cases in work; a second one at once.

    Exit codes: 0 every case has a result, 1 some have none, 2 usage, 4 environment, 130
    interrupted with cases left.
    """
    from osteoct.cli.batch_words import say_recovery
    from osteoct.listen.service import alone_in, check_listening, inbox_folder
    from osteoct.run.batch import open_batch, recover_batch

    if not options["allow"] and not options["allow_any"]:
        raise click.UsageError("who may send? --allow names AE titles, --allow-any lets everybody")
    settings = _settings(options)
    check_listening(settings)
    inbox = inbox_folder(out)
    with open_batch(out, ledger=options["ledger"], create=True) as batch, alone_in(out):
        say_recovery(recover_batch(batch))
        return _listen(batch, inbox, settings, options)


def _listen(batch: Batch, inbox: Path, settings: ListenSettings, options: dict[str, Any]) -> int:
    """Listen until asked to stop; say how it ended."""
    from osteoct.cli.app import EXIT_INTERRUPTED, EXIT_NOTHING_MEASURABLE
    from osteoct.cli.listen_line import KINDS, say_start
    from osteoct.cli.words import say
    from osteoct.listen.service import Listener
    from osteoct.run.status import read_status

    choices = choose_batch(str(inbox), options)
    request = make_request(options, makes_masks=True)
    node = make_node(options)
    with KINDS[options["progress"]]() as line, stopping() as (hold, _):
        listener = Listener(batch, choices, request, settings, node, hear=line.say)
        hold(listener)
        prepare_segmenter(choices, options)
        listener.run(began=lambda: say_start(node, settings), watch=line)
    status = read_status(batch.ledger)
    if status.left:
        say(f"{status.left} cases are left; the same command goes on with them")
        return EXIT_INTERRUPTED
    return 0 if status.is_all_done else EXIT_NOTHING_MEASURABLE


def _settings(options: dict[str, Any]) -> ListenSettings:
    """What becomes of studies and results, from the options."""
    from osteoct.listen.settings import ListenSettings, parse_kinds
    from osteoct.network.node.completeness import Completeness

    return ListenSettings(
        forwards=make_forwards(options),
        kinds=parse_kinds(options["send"]),
        limits=make_limits(options),
        completeness=Completeness(
            quiet_s=options["quiet"],
            settle_s=options["settle"],
            patience_s=options["patience"] * _MINUTE_S,
        ),
        keep_s=options["keep_images"] * _HOUR_S,
    )
