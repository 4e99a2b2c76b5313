"""What a fetch tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What a fetch is doing."""

    WAITING = "waiting"
    """For another process that writes to the same folder."""
    RECEIVING = "receiving"
    RETRYING = "retrying"
    """After a failure of the network that may pass; ``note`` says which, and when."""
    UNPACKING = "unpacking"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class FetchProgress:
    """How far a fetch has come.

    Parameters
    ----------
    name
        The model.
    done_bytes, total_bytes
        Of its archive; the total is ``None`` where the server does not tell it.
    """

    stage: Stage
    name: str = ""
    done_bytes: int = 0
    total_bytes: int | None = None
    note: str | None = None


Hear = Callable[[FetchProgress], None]


def ignore(progress: FetchProgress) -> None:
    """Hear nothing."""
