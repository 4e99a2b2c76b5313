"""The side of an actor: what Ray runs on a node of the cluster."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import Final

from osteoct import __version__
from osteoct.run.engines.cluster_words import Born, Ended, Word
from osteoct.run.engines.interface import Lost, WorkerId, WorkerSpec
from osteoct.run.engines.local import memory_mib
from osteoct.run.engines.serving import serve
from osteoct.run.records import WorkItem

_LOOK_S: Final = 0.5
"""How often an actor looks at its own memory."""

_THREADS: Final = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
"""As for a local worker; ``OMP_NUM_THREADS`` is set by Ray."""


class ClusterActor:
    """A worker in a process of the cluster. Its stage lives in a thread beside Ray's own.

    Two calls run at once: one that waits for news, and one that brings a case.
    """

    def __init__(self, worker: WorkerId, spec: WorkerSpec) -> None:
        self._worker = worker
        self._cases: queue.SimpleQueue[WorkItem | None] = queue.SimpleQueue()
        self._words: queue.SimpleQueue[Word] = queue.SimpleQueue()
        self._order = threading.Lock()
        self._early: dict[int, WorkItem | None] = {}
        self._next = 0
        for name in _THREADS:
            os.environ.setdefault(name, str(max(1, int(spec.cpus))))
        self._words.put(Born(worker=worker, version=__version__))
        threading.Thread(target=self._serve, args=(spec,), name="serve", daemon=True).start()
        if spec.memory_mib is not None:
            threading.Thread(target=self._watch, args=(spec.memory_mib,), daemon=True).start()

    def give(self, item: WorkItem | None, number: int) -> None:
        """Take in a case, or that no more will come.

        Calls that run at once may overtake each other, and the coordinator takes the first case
        given for the one that is computed: ``number`` (0, 1, …) keeps the order.
        """
        with self._order:
            self._early[number] = item
            while self._next in self._early:
                self._cases.put(self._early.pop(self._next))
                self._next += 1

    def listen(self) -> list[Word]:
        """Wait for news, and return all there is."""
        words = [self._words.get()]
        while not self._words.empty():
            words.append(self._words.get())
        return words

    def _serve(self, spec: WorkerSpec) -> None:
        """Work until no more cases come; an exit of the stage ends this worker alone."""
        try:
            serve(spec, self._cases.get, self._words.put, worker=self._worker)
        except BaseException as error:  # noqa: BLE001 - the boundary of a worker: nobody else hears why
            why = f"the worker ended: {type(error).__name__}"
            self._words.put(Lost(worker=self._worker, held=(), why=why))
        else:
            self._words.put(Ended(worker=self._worker))

    def _watch(self, most_mib: int) -> None:
        """Tell when more memory is used than may be; who hears it ends this process."""
        while memory_mib(os.getpid()) <= most_mib:
            time.sleep(_LOOK_S)
        why = f"used more than its {most_mib} MiB of memory"
        self._words.put(Lost(worker=self._worker, held=(), why=why, is_out_of_memory=True))
