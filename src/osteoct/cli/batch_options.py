"""The options that say how a batch is analysed and by what, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from osteoct.cli.segmenter_options import add_segmenter_options

if TYPE_CHECKING:
    from osteoct.run.batch import RunRequest
    from osteoct.run.plan.choices import Choices

_PATH = click.Path(path_type=Path)
_Command = TypeVar("_Command", bound=Callable[..., Any])

ledger_option = click.option(
    "--ledger", help="Ledger elsewhere: postgresql://USER@HOST/DATABASE; also OSTEOCT_LEDGER."
)

_OPTIONS: tuple[Callable[[_Command], _Command], ...] = (
    add_segmenter_options,
    click.option("--with-tissues", is_flag=True, help="Have the segmenter find tissues as well."),
    click.option("--config", "config_file", type=_PATH, help="TOML file, as for osteoct analyze."),
    click.option("--key-file", type=_PATH, help="Key for pseudonyms."),
    ledger_option,
    click.option("--workers", type=click.IntRange(min=1), help="Workers; default: what fits here."),
    click.option("--gpus", help="GPUs to use, such as 0 or 0,1; workers share them."),
    click.option("--memory", type=click.IntRange(min=1), help="MiB a worker may use."),
    click.option("--cluster", help="Address of a Ray cluster, or auto; else this machine works."),
    click.option("--attempts", type=click.IntRange(min=1), default=3, show_default=True),
    click.option("--case-limit", type=click.FloatRange(min=0, min_open=True), metavar="MINUTES"),
)
_PATTERNS = ("ct", "masks", "body_masks", "tissues", "case_id")


def add_batch_options(command: _Command) -> _Command:
    """Give a command the options of what is done with every case, and by which workers."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def choose_batch(source: str, options: dict[str, Any]) -> Choices:
    """What the batch is of, from the options."""
    from osteoct.config import AnalysisConfig, read_config
    from osteoct.run.plan.choices import FingerprintKind, Patterns, make_choices

    file: Path | None = options["config_file"]
    config = AnalysisConfig() if file is None else read_config(file)
    if options["with_tissues"]:
        config = config.model_copy(update={"with_tissues": True})
    given = {name: options[name] for name in _PATTERNS if options.get(name) is not None}
    if given and "ct" not in given:
        raise click.UsageError("--masks and the like need --ct: which files are the CTs?")
    return make_choices(
        source,
        tree=options.get("tree"),
        patterns=Patterns(**given) if given else None,
        segmenter=_choose_segmenter(options),
        config=config,
        fingerprint=FingerprintKind(options.get("fingerprint") or "stamp"),
    )


def _choose_segmenter(options: dict[str, Any]) -> Any:  # noqa: ANN401 - SegmenterChoice, imported late
    """What makes masks; nothing where a pattern says where they lie."""
    from osteoct.run.plan.choices import choose_segmenter
    from osteoct.segment.interface import Quality, SegmentOptions
    from osteoct.segment.registry import DEFAULT

    if options.get("masks") is not None:
        return None
    minutes = options["time_limit"]
    return choose_segmenter(
        options["segmenter"] or DEFAULT,
        SegmentOptions(
            device=options["device"] or "auto",
            quality=Quality(options["quality"] or "best"),
            limit_s=None if minutes is None else minutes * 60,
            model=options["model"],
            level_map=options["level_map"],
        ),
    )


def prepare_segmenter(choices: Choices, options: dict[str, Any]) -> None:
    """Fetch what the segmenter lacks, once for all workers; refuse what would fail every case."""
    from osteoct.cli.fetching import prepare_weights
    from osteoct.segment.interface import SegmentOptions
    from osteoct.segment.registry import make_segmenter

    choice = choices.segmenter
    if choice is None:
        return
    segmenter = make_segmenter(
        choice.name,
        SegmentOptions(
            device=choice.device,
            quality=choice.quality,
            with_tissues=choices.config.with_tissues,
            with_phase_organs=choices.config.phase_opinion is not None,
            model=choice.model,
            level_map=choice.level_map,
        ),
    )
    prepare_weights(segmenter, Path(), offline=options["offline"])
    segmenter.check()


def make_request(options: dict[str, Any], *, makes_masks: bool) -> RunRequest:
    """How to run, from the options and this machine."""
    from osteoct.run.batch import RunRequest
    from osteoct.run.coordinator import RunLimits
    from osteoct.run.machine import share_machine

    share = share_machine(
        workers=options["workers"],
        gpus=options["gpus"],
        memory_mib=options["memory"],
        makes_masks=makes_masks,
    )
    minutes = options["case_limit"]
    limits = RunLimits(
        workers=(1, share.workers),
        attempts=options["attempts"],
        time_s=None if minutes is None else minutes * 60,
        cases=options.get("limit"),
        only=options.get("only") or None,
    )
    return RunRequest(
        share=share,
        limits=limits,
        cluster=options["cluster"],
        key_file=options["key_file"],
        reads_ahead=makes_masks,
    )
