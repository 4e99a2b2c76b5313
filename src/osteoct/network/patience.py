"""Trying again, later each time, as long as another attempt may end otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from osteoct.errors import PassingNetworkError
from osteoct.network.link import Link

LONGEST_WAIT_S: Final = 60.0
"""An archive that restarts is back within minutes; asking more often does not help it."""


def with_patience(
    attempt: Callable[[], bool],
    link: Link,
    *,
    hear: Callable[[str], None],
    progress: Callable[[], int],
) -> None:
    """Call ``attempt`` until it says that all is done; progress begins the count anew.

    Parameters
    ----------
    attempt
        Returns whether all is done; ``False`` asks for another attempt after a wait.
    progress
        A number that grows with what is done.

    Raises
    ------
    PassingNetworkError
        ``link.attempts`` attempts in a row brought nothing new.
    """
    failed = 0
    while True:
        before = progress()
        error = None
        try:
            if attempt():
                return
        except PassingNetworkError as caught:
            error = caught
        failed = 1 if progress() > before else failed + 1
        if failed >= link.attempts:
            raise error or PassingNetworkError(
                "the archive asks to come back later, again and again",
                where=link.address.shown,
                found=f"{failed} attempts without progress",
            )
        wait = min(link.first_wait_s * 2 ** (failed - 1), LONGEST_WAIT_S)
        reason = error.line if error else f"{link.address.shown}: asks to come back later"
        hear(f"{reason}; trying again in {wait:.0f} s")
        time.sleep(wait)
