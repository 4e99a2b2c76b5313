"""What a listener has done since it was started, and what lies before it."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from osteoct.record import Record

FIGURES_FILE: Final = "listener.json"
"""Where the last figures lie in the store, for ``osteoct status``."""


class ForwardFigures(Record):
    """One archive that results are sent to.

    Parameters
    ----------
    waiting
        Results that it has not answered yet.
    delivered, refused
        Results since the start.
    """

    address: str
    waiting: int
    delivered: int
    refused: int


class ListenFigures(Record):
    """A moment of a listener.

    Parameters
    ----------
    at
        When, in seconds since 1970.
    images
        Images accepted since the start.
    repeated
        Images that came again and were there already.
    turned_away
        Images that were not accepted, by reason.
    arriving
        Studies that are not complete yet.
    held
        Studies of which images are kept.
    cases
        Cases of the store by state.
    """

    at: float = 0.0
    images: int = 0
    repeated: int = 0
    turned_away: dict[str, int] = Field(default_factory=dict)
    arriving: int = 0
    held: int = 0
    cases: dict[str, int] = Field(default_factory=dict)
    forwards: tuple[ForwardFigures, ...] = ()
