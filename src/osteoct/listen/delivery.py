"""Results to one archive: for ever, if it is away; once, if it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Final

from osteoct.errors import OsteoctError
from osteoct.listen.outbox import Answer, Outbox, Parcel, now
from osteoct.network.link import Link
from osteoct.network.patience import LONGEST_WAIT_S
from osteoct.network.sending import Sent, send_files

_LOOK_S: Final = 0.5
"""How late a new parcel may be noticed."""

_MOST_DOUBLINGS: Final = 6
"""Two to this power is beyond the longest wait."""


class Delivery:
    """Sends every parcel to one archive; nothing else waits for it.

    Parameters
    ----------
    link
        The archive; its own attempts are not used, as this never gives up.
    files
        Names of the objects that are sent.
    hear
        Told in a line what was delivered or refused, once, and when an archive goes away and is
        back.
    """

    def __init__(
        self, outbox: Outbox, link: Link, *, files: Sequence[str], hear: Callable[[str], None]
    ) -> None:
        self._outbox = outbox
        self._link = link
        self._files = files
        self._hear = hear
        self._failed: Counter[str] = Counter()
        self._answered: set[Path] = set()
        self._failures = 0
        self.delivered = self.refused = 0

    @property
    def name(self) -> str:
        """The archive, as messages call it."""
        return self._link.address.shown

    def waiting(self) -> tuple[Parcel, ...]:
        """Parcels without an answer, the oldest first; one that failed goes behind the others."""
        unanswered = []
        for parcel in self._outbox.parcels():
            if parcel.folder in self._answered:
                continue
            if parcel.answer(self.name) is None:
                unanswered.append(parcel)
            else:
                self._answered.add(parcel.folder)
        return tuple(sorted(unanswered, key=lambda p: self._failed[p.folder.name]))

    def run(self, stop: Event) -> None:
        """Send until asked to stop."""
        while not stop.is_set():
            waiting = self.waiting()
            pause = self.attempt(waiting[0]) if waiting else _LOOK_S
            stop.wait(pause)

    def attempt(self, parcel: Parcel) -> float:
        """Send one parcel; the seconds to wait before the next attempt."""
        files = parcel.files(self._files)
        if not files:  # made when something else was to be sent, or just removed
            if parcel.folder.is_dir():
                parcel.keep_answer(self.name, Answer(stored=0, present=0, refused=0, at=now()))
                self._hear(f"{parcel.case_id} was made without what is sent now; not sent")
            return 0.0
        try:
            sent = send_files(files, self._link)
            told = {"stored": sent.stored, "present": sent.present, "refused": sent.refused}
            parcel.keep_answer(self.name, Answer(**told, at=now()))
        except OsteoctError as error:
            self._failed[parcel.folder.name] += 1
            return self._note_failure(error)
        self._tell(parcel, sent)
        return 0.0

    def _note_failure(self, error: OsteoctError) -> float:
        """Say once that it does not go; how long to wait."""
        if self._failures == 0:
            self._hear(f"not delivered to {self.name}: {error.line}; tried again until it is")
        wait = min(2.0 ** min(self._failures, _MOST_DOUBLINGS), LONGEST_WAIT_S)
        self._failures += 1
        return wait

    def _tell(self, parcel: Parcel, sent: Sent) -> None:
        """Say what an archive answered."""
        if self._failures:
            self._hear(f"{self.name} answers again")
            self._failures = 0
        if sent.refused:
            self.refused += 1
            reasons = ", ".join(f"{number} × {reason}" for reason, number in sent.reasons)
            self._hear(f"refused by {self.name}: {parcel.case_id}: {reasons}; not sent again")
            return
        self.delivered += 1
        there = f", {sent.present} there already" if sent.present else ""
        self._hear(f"delivered to {self.name}: {parcel.case_id}, {sent.stored} objects{there}")
