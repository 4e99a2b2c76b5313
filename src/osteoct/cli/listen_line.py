"""What a user, a log or a machine sees of a listener."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Self

import click

from osteoct.cli.batch_line import tell_time
from osteoct.cli.live_line import LiveLine
from osteoct.cli.words import say

if TYPE_CHECKING:
    from osteoct.listen.figures import ListenFigures
    from osteoct.listen.settings import ListenSettings
    from osteoct.network.node.receiving import NodeSettings

_LOG_EVERY_S: Final = 600.0
"""A listener runs for months, and says what happens when it happens."""


class ListenLine(LiveLine):
    """Figures on a live line of a terminal; in a log now and then, where they changed."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0
        self._last = ""

    def say(self, words: str) -> None:
        """Say what happened, as a line that stays."""
        self.show("")
        say(words)

    def __call__(self, now: ListenFigures) -> None:
        """Show one moment."""
        words = tell_figures(now)
        if self._is_live:
            self.show(words)
        elif words != self._last and time.monotonic() >= self._next:
            self._next = time.monotonic() + _LOG_EVERY_S
            self._last = words
            say(words)


class ListenJson:
    """A line of JSON whenever the figures changed, for machines; events as words."""

    def __init__(self) -> None:
        self._last = ""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def say(self, words: str) -> None:
        """Say what happened."""
        say(words)

    def __call__(self, now: ListenFigures) -> None:
        """Write one moment."""
        line = now.model_dump_json()
        if line != self._last:
            self._last = line
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


class Events(ListenJson):
    """Says what happened, and no figures."""

    def __call__(self, now: ListenFigures) -> None:
        """Tell nothing."""


KINDS: Final[dict[str, Callable[[], ListenLine | ListenJson]]] = {
    "auto": ListenLine,
    "json": ListenJson,
    "none": Events,
}


def say_start(node: NodeSettings, settings: ListenSettings) -> None:
    """Say where it listens, to whom, and where results go."""
    who = "any caller" if node.any_caller else ", ".join(sorted(node.callers))
    say(f"Listening as {node.ae_title} on {node.host}:{node.port} to {who}")
    for link in settings.forwards:
        say(f"Results ({','.join(settings.kinds)}) go to {link.address.shown}")


def print_listener(text: str | None) -> None:
    """Print what a listener of the store last wrote of itself, if there is one."""
    if text is None:
        return
    from osteoct.listen.figures import ListenFigures

    figures = ListenFigures.model_validate_json(text)
    age = max(0.0, time.time() - figures.at)
    click.echo(f"listener, {tell_time(age)} ago: {tell_figures(figures)}")


def tell_figures(now: ListenFigures) -> str:
    """One line: what came, what is done with it, what was delivered."""
    words = [f"{now.images} images", f"{now.arriving} studies arriving"]
    words += [f"{number} {state}" for state, number in now.cases.items()]
    for forward in now.forwards:
        told = f"{forward.delivered} delivered"
        told += f", {forward.refused} refused" if forward.refused else ""
        told += f", {forward.waiting} waiting"
        words.append(f"{forward.address}: {told}")
    turned_away = sum(now.turned_away.values())
    if turned_away:
        words.append(f"{turned_away} turned away")
    return "; ".join(words)
