"""One line of a terminal, written over as work goes on; plain lines where there is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from osteoct.cli.words import say

_CLEAR = "\r\x1b[K"


class LiveLine:
    """A line of stderr for the time of a ``with`` block; nothing of it stays.

    Where stderr is no terminal (a log, a pipe), only what is marked as worth a line is said, once.
    """

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        """Begin; nothing is written yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Clear the line, whatever ended the work."""
        if self._is_live:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def show(self, words: str, *, heading: str | None = None) -> None:
        """Show words in place of those before; in a log, ``heading`` where it was not said yet."""
        if self._is_live:
            sys.stderr.write(_CLEAR + words)
            sys.stderr.flush()
        elif heading is not None and heading not in self._said:
            self._said.add(heading)
            say(heading)
