"""The options by which commands choose a segmenter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

_PATH = click.Path(path_type=Path)

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--segmenter",
        help="What finds the vertebrae; default totalsegmentator. NAME,NAME compares two.",
    ),
    click.option("--device", help="auto (the default: a GPU, else the CPU), cpu, gpu or gpu:N."),
    click.option(
        "--quality",
        type=click.Choice(["best", "fast"]),
        help="best (the default), or fast for machines without a GPU.",
    ),
    click.option("--model", type=_PATH, help="Model folder, for --segmenter nnunet."),
    click.option("--level-map", type=_PATH, help="TOML file: what the labels of --model mean."),
    click.option(
        "--time-limit",
        type=click.FloatRange(min=0, min_open=True),
        metavar="MINUTES",
        help="End a segmenter that takes longer; default: as long as it takes.",
    ),
    click.option("--offline", is_flag=True, help="Never fetch weights; also OSTEOCT_OFFLINE=1."),
)
_NAMES = ("segmenter", "device", "quality", "model", "level_map", "time_limit")
_PRECOMPUTED = "precomputed"
_MOST = 2


def add_segmenter_options(command: _Command) -> _Command:
    """Give a command the options by which a segmenter is chosen."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What makes the masks that count, and what they are compared with.

    Parameters
    ----------
    first
        A segmenter; ``None`` where the masks given count.
    second
        Another one; ``None`` where there is no comparison.
    """

    first: Any
    second: Any = None

    @property
    def both(self) -> tuple[Any, ...]:
        """Those that there are."""
        return tuple(s for s in (self.first, self.second) if s is not None)


def choose_segmenters(given: Mapping[str, Any], **more: Any) -> Chosen:  # noqa: ANN401 - options of the segmenter
    """Make the segmenters that were asked for: ``NAME``, or ``NAME,NAME`` to compare two.

    ``precomputed`` stands for the masks given, as one of the two.

    Raises
    ------
    click.UsageError
        Masks and something to make them, three segmenters, or one twice.
    """
    names = _names_of(given)
    has_masks = given.get("masks") is not None
    if len(names) == 1:
        return Chosen(first=choose_segmenter(given, has_masks=has_masks, **more))
    if has_masks and _PRECOMPUTED not in names:
        raise click.UsageError(
            f"--masks leaves one thing to segment: --segmenter {_PRECOMPUTED},{names[0]} compares "
            "the masks with it."
        )
    first, second = (_make(given, name, more) for name in names)
    return Chosen(first=None if names[0] == _PRECOMPUTED else first, second=second)


def _names_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """One name, or two that differ."""
    text = given["segmenter"]
    names = ("",) if text is None else tuple(name.strip() for name in text.split(","))
    if len(names) > _MOST or len(set(names)) < len(names) or (len(names) > 1 and "" in names):
        raise click.UsageError(f"--segmenter {text}: name one segmenter, or two different ones.")
    return names


def _make(given: Mapping[str, Any], name: str, more: Mapping[str, Any]) -> Any:  # noqa: ANN401 - Segmenter, imported late
    """One of two segmenters; the masks given are for the one that reads them."""
    if name != _PRECOMPUTED:
        return choose_segmenter({**given, "segmenter": name}, **more)
    from osteoct.segment.interface import SegmentOptions
    from osteoct.segment.registry import make_segmenter

    masks = {key: given[key] for key in ("masks", "body_masks", "labels", "body_labels")}
    return make_segmenter(name, SegmentOptions(**masks))


def choose_segmenter(given: Mapping[str, Any], *, has_masks: bool = False, **more: Any) -> Any:  # noqa: ANN401 - Segmenter, imported late
    """Make the segmenter that was asked for; ``None`` where masks were given instead.

    ``more`` are options of the segmenter that no option of the command is named after.
    """
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
    if "time_limit" in chosen:
        chosen["limit_s"] = 60 * chosen.pop("time_limit")
    return make_segmenter(name, SegmentOptions(**chosen, **more))
