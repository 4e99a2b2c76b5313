"""The side of a worker process: ``python -m osteoct.run.engines.local_worker DESCRIPTOR``."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Connection

from osteoct.run.engines.interface import Event, WorkerId, WorkerSpec
from osteoct.run.engines.serving import serve
from osteoct.run.records import WorkItem


def main() -> None:
    """Serve until the caller says that it is enough, or is gone."""
    connection = Connection(int(sys.argv[1]))
    hello: tuple[WorkerId, WorkerSpec] = connection.recv()
    worker, spec = hello
    cases: queue.SimpleQueue[WorkItem | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, cases), daemon=True).start()

    def tell(event: Event) -> None:
        connection.send(event)

    serve(spec, cases.get, tell, worker=worker)


def _receive(connection: Connection, cases: queue.SimpleQueue[WorkItem | None]) -> None:
    """Take in cases; end with all that was started where the caller is gone.

    A half-written result is a temporary folder, which the next run removes.
    """
    while True:
        try:
            item: WorkItem | None = connection.recv()
        except (EOFError, OSError):
            os.killpg(os.getpgrp(), signal.SIGKILL)
        cases.put(item)


if __name__ == "__main__":
    main()
