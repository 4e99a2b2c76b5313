"""What a node refuses, in its own words, told without being drowned in it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType

SILENCE_S = 10.0
"""The same refusal is told at most so often, with how many there were since: ten thousand of them
are no ten thousand lines."""


class Refusal(Enum):
    """Why something did not come in, and the status of C-STORE that answers it.

    Statuses are those of DICOM PS3.4, table B.2-1: A7xx (out of resources) asks to come back later,
    A9xx and Cxxx do not. ``None`` where there is nothing to answer: the association was rejected or
    broken off.
    """

    CALLER = ("a caller that is not on the list", None)
    CALLED = ("a caller that asked for another AE title", None)
    BUSY = ("more connections at once than are served", None)
    CLASS = ("a class or encoding that is not taken", None)
    PROTOCOL = ("what is not DICOM, or not in its order", None)
    SLOW = ("a connection that sent nothing, or too slowly", None)
    TLS = ("a connection without the right TLS", None)
    ENDLESS = ("an object without an end", None)
    FULL_DISK = ("an image for which the disk has no room", 0xA700)
    FULL_INBOX = ("an image for which the inbox has no room", 0xA701)
    UNWRITABLE = ("an image that cannot be written", 0xA702)
    NOT_CT = ("an object that is no CT image", 0xA900)
    UNLIKE = ("an object other than the one announced", 0xA901)
    DAMAGED = ("an object that cannot be read", 0xC000)
    UIDS = ("an object whose UIDs are none", 0xC001)
    PIXELS = ("an image without all its pixels", 0xC002)
    TOO_LARGE = ("an object larger than is taken", 0xC003)
    CHANGED = ("another image under the UID of one that is here", 0xC004)

    def __init__(self, words: str, status: int | None) -> None:
        self.words = words
        self.status = status


class RefusedError(Exception):
    """Something that is not taken in; caught where the sender is answered."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


class Tally:
    """Counts refusals and tells them, each kind at most every ten seconds; for many threads."""

    def __init__(
        self, hear: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hear, self._clock = hear, clock
        self._lock = threading.Lock()
        self._counts: Counter[Refusal] = Counter()
        self._told: dict[Refusal, tuple[float, int]] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each was refused, by its words."""
        with self._lock:
            return MappingProxyType({r.words: n for r, n in self._counts.most_common()})

    def add(self, refusal: Refusal, times: int = 1) -> None:
        """Count a refusal, and tell it where that was not just done."""
        with self._lock:
            self._counts[refusal] += times
            now, line = self._clock(), None
            last, before = self._told.get(refusal, (float("-inf"), 0))
            if now - last >= SILENCE_S:
                line = _line(refusal, self._counts[refusal] - before)
                self._told[refusal] = (now, self._counts[refusal])
        if line is not None:
            self._hear(line)

    def tell_rest(self) -> None:
        """Tell what was counted and not told yet."""
        with self._lock:
            lines = [
                _line(refusal, count - before)
                for refusal, count in self._counts.items()
                if count > (before := self._told.get(refusal, (0.0, 0))[1])
            ]
            self._told = {r: (self._clock(), n) for r, n in self._counts.items()}
        for line in lines:
            self._hear(line)


def _line(refusal: Refusal, times: int) -> str:
    """In our words: nothing that a sender said is repeated."""
    return f"refused: {refusal.words}" + (f" ({times} times)" if times > 1 else "")
