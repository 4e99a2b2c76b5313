"""The options by which commands choose a segmenter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--segmenter", help="What finds the vertebrae; default totalsegmentator."),
    click.option("--device", help="auto (the default: a GPU, else the CPU), cpu, gpu or gpu:N."),
    click.option(
        "--quality",
        type=click.Choice(["best", "fast"]),
        help="best (the default), or fast for machines without a GPU.",
    ),
)
_NAMES = ("segmenter", "device", "quality")
_PRECOMPUTED = "precomputed"


def add_segmenter_options(command: _Command) -> _Command:
    """Give a command the options --segmenter, --device and --quality."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def choose_segmenter(given: Mapping[str, Any], *, has_masks: bool = False) -> Any:  # noqa: ANN401 - Segmenter, imported late
    """Make the segmenter that was asked for; ``None`` where masks were given instead."""
    chosen = {name: given[name] for name in _NAMES if given[name] is not None}
    if has_masks:
        if set(chosen) - {"segmenter"} or chosen.get("segmenter") not in (None, _PRECOMPUTED):
            raise click.UsageError("--masks leaves nothing to segment: leave out one of the two.")
        return None
    from osteoct.segment.interface import Quality, SegmentOptions
    from osteoct.segment.registry import DEFAULT, make_segmenter

    name = chosen.pop("segmenter", DEFAULT)
    if "quality" in chosen:
        chosen["quality"] = Quality(chosen["quality"])
    return make_segmenter(name, SegmentOptions(**chosen))
