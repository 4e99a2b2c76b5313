"""The listener: a node, somebody who looks after what comes, workers, and a sender per archive."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Final

from osteoct.errors import ConfigError, LedgerError, OutputError, RunError
from osteoct.export.documents_extra import check_documents_extra
from osteoct.export.extra import check_dicom_extra
from osteoct.io.file_lock import try_lock
from osteoct.io.pseudonym import load_key
from osteoct.listen.admission import Admitter
from osteoct.listen.delivery import Delivery
from osteoct.listen.figures import FIGURES_FILE, ForwardFigures, ListenFigures
from osteoct.listen.notes import Notes, Stage
from osteoct.listen.outbox import Outbox
from osteoct.listen.settings import ListenSettings
from osteoct.listen.steward import Places, Steward
from osteoct.network.extra import check_network_extra
from osteoct.network.link import check_link, saying_nothing
from osteoct.network.node.inbox import Inbox
from osteoct.network.node.receiving import Node, NodeSettings
from osteoct.run.batch import CHOICES_FILE, Batch, RunRequest, run_batch
from osteoct.run.coordinator import Coordinator
from osteoct.run.plan.choices import Choices, render_choices
from osteoct.run.progress import RunProgress
from osteoct.run.remote import is_remote

INBOX: Final = "inbox"
OUTBOX: Final = "outbox"
NOTES: Final = "listener"
"""Folders of the store that are a listener's own."""

LOCK_FILE: Final = "lock"
"""Among the notes; stays behind, empty: who deletes a lock may delete another's."""

_LEAVE_S: Final = 5.0
"""Longest wait for a sender at the end: what it did not finish is sent after the next start."""

_LOOK_S: Final = 0.05
"""How late the main thread, which signals interrupt, sees that it is to go on or to end."""

_WRITE_S: Final = 10.0
"""How old the figures on the disk may be."""

_PAUSES_S: Final = (5.0, 15.0, 60.0)
"""Waits before workers are started again that all failed for the machine's sake."""


class Listener:
    """Receives, analyses and delivers until it is asked to stop.

    Parameters
    ----------
    batch
        The store, opened and recovered.
    choices
        What is done with every study.
    hear
        Told in a line what happened; lines name no patient and no UID.
    """

    def __init__(
        self,
        batch: Batch,
        choices: Choices,
        request: RunRequest,
        settings: ListenSettings,
        node: NodeSettings,
        *,
        hear: Callable[[str], None],
    ) -> None:
        self._batch, self._request, self._settings = batch, _kept_on(request), settings
        self._hear = hear
        root = inbox_folder(batch.store.address).parent
        self._inbox = Inbox(root / INBOX, settings.limits, hear=hear)
        self._places = Places(
            inbox=self._inbox, notes=Notes(root / NOTES), outbox=Outbox(root / OUTBOX)
        )
        self._node = Node(self._inbox, node, hear)
        admitter = Admitter(batch=batch, choices=choices, secret=load_key(request.key_file))
        self._steward = Steward(self._places, admitter, settings, hear=hear)
        self._deliveries = tuple(
            Delivery(self._places.outbox, link, files=settings.files, hear=hear)
            for link in settings.forwards
        )
        self._choices = choices
        self._has_looked = False
        self._is_stopping = False  # an event's lock is nothing for a signal's handler
        self._left = Event()
        self._coordinator: Coordinator | None = None
        self._failure: Exception | None = None
        self._written = -_WRITE_S
        self.figures = ListenFigures()

    def request_stop(self) -> None:
        """Accept nothing more and finish the cases in work; may be called by a signal's handler."""
        self._is_stopping = True
        if self._coordinator is not None:
            self._coordinator.request_stop()

    def run(
        self,
        *,
        began: Callable[[], None] = lambda: None,
        watch: Callable[[ListenFigures], None] = lambda _: None,
    ) -> RunProgress | None:
        """Work until asked to stop, and return how far the cases were then.

        Parameters
        ----------
        began
            Called once images are received.
        watch
            Told how far it is.

        Raises
        ------
        OsteoctError
            The port is taken, the ledger fails, or the store cannot be used.
        """
        self._places.outbox.prepare()
        self._take_up_choices()
        with saying_nothing(), self._beside():
            began()
            return self._work(watch)

    def _take_up_choices(self) -> None:
        """Plan studies without a result anew where something else is to be done with them now."""
        store, text = self._batch.store, render_choices(self._choices)
        if store.read_text(CHOICES_FILE) == text:
            return
        for study in self._places.notes.names():
            note = self._places.notes.get(study)
            if note is not None and note.stage is not Stage.EXPORTED:
                self._places.notes.forget(study)
        store.write_text(CHOICES_FILE, text)

    @contextmanager
    def _beside(self) -> Iterator[None]:
        """Have everything run that runs beside the workers."""
        steward = self._thread("steward", self._look_after)
        senders = [self._thread("sender", partial(d.run, self._left)) for d in self._deliveries]
        with self._node:
            self._steward.begin()
            for thread in (steward, *senders):
                thread.start()
            try:
                yield
            finally:
                self._is_stopping = True
                self._left.set()
                steward.join()  # it writes down what the workers have finished
                until = time.monotonic() + _LEAVE_S
                for thread in senders:
                    thread.join(max(0.0, until - time.monotonic()))
        if self._failure is not None:
            raise self._failure

    def _thread(self, name: str, work: Callable[[], None]) -> Thread:
        """A thread whose failure ends the listener instead of passing in silence."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 -- raised again by the main thread
                self._failure = error
                self.request_stop()

        return Thread(target=guarded, name=name, daemon=True)

    def _look_after(self) -> None:
        """Look at what came, again and again, and once more when the workers have ended."""
        accepts = True
        while not self._left.wait(self._settings.look_s):
            if accepts and self._is_stopping:
                accepts = False
                self._node.stop()
            self._steward.look()
            self._has_looked = True
            self._count()
        self._steward.look()
        self._count(at_once=True)

    def _work(self, watch: Callable[[ListenFigures], None]) -> RunProgress | None:
        """Have workers compute, and start them again where the machine failed them."""
        while not (self._has_looked or self._is_stopping):  # what is planned anew comes first
            time.sleep(_LOOK_S)
        failures = 0
        while True:
            try:
                return run_batch(
                    self._batch,
                    self._request,
                    watch=lambda _: watch(self.figures),
                    hold=self._hold,
                    awaits_more=lambda: not self._is_stopping,
                )
            except LedgerError:
                raise
            except RunError as error:
                self._hear(error.line)
                if not self._pause(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)]):
                    return None
                failures += 1

    def _hold(self, coordinator: Coordinator) -> None:
        """Remember who is to be asked to stop."""
        self._coordinator = coordinator
        if self._is_stopping:
            coordinator.request_stop()

    def _pause(self, seconds: float) -> bool:
        """Wait, and say whether to go on; a signal's handler may interrupt it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_stopping:
            time.sleep(_LOOK_S)
        return not self._is_stopping

    def _count(self, *, at_once: bool = False) -> None:
        """Take stock, and write it down now and then for whoever asks for the status."""
        counts = self._node.counts
        self.figures = ListenFigures(
            at=round(time.time(), 1),
            images=counts.accepted,
            repeated=counts.repeated,
            turned_away=dict(counts.refused),
            arriving=self._steward.arriving,
            held=self._steward.held,
            cases={str(s): n for s, n in self._batch.ledger.counts().items() if n},
            forwards=tuple(
                ForwardFigures(
                    address=delivery.name,
                    waiting=len(delivery.waiting()),
                    delivered=delivery.delivered,
                    refused=delivery.refused,
                )
                for delivery in self._deliveries
            ),
        )
        if at_once or time.monotonic() >= self._written + _WRITE_S:
            self._written = time.monotonic()
            with suppress(OutputError):  # a full disk is told where something is lost by it
                text = self.figures.model_dump_json() + "\n"
                self._batch.store.write_text(FIGURES_FILE, text)


def _kept_on(request: RunRequest) -> RunRequest:
    """The same run with workers that stay: a model that is loaded serves the next study."""
    most = request.limits.workers[1]
    return replace(request, limits=replace(request.limits, workers=(most, most)))


def inbox_folder(store: str) -> Path:
    """Where the images of a store are received.

    Raises
    ------
    ConfigError
        The store is no folder: images are on the disk before their sender is answered.
    """
    if is_remote(store):
        raise ConfigError(
            "images are received into a folder", where="-o", found=store, wanted="a local folder"
        )
    return Path(store).absolute() / INBOX


@contextmanager
def alone_in(store: str) -> Iterator[None]:
    """Be the one listener of a store: a second one would take the inbox over while it fills.

    Raises
    ------
    ConfigError
        Another one works there.
    """
    folder = inbox_folder(store).parent / NOTES
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not try_lock(handle):
            raise ConfigError(
                "another listener works on this store",
                where="-o",
                found=store,
                wanted="a store of its own",
            )
        yield
    finally:
        os.close(handle)


def check_listening(settings: ListenSettings) -> None:
    """Refuse what could not work, before anything is received.

    Raises
    ------
    DependencyError, ConfigError
        A package is missing; a forward cannot be meant.
    """
    check_network_extra("listening")
    check_dicom_extra("listening")
    if "dicom-pdf" in settings.formats:
        check_documents_extra("--send pdf", "typst")
    for link in settings.forwards:
        check_link(link)
