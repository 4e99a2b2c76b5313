"""What a worker does, wherever it lives: open its stage once, then one case after the other.

The engines differ in how cases come in and how word goes out; everything between is here.
"""

from __future__ import annotations

import importlib
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Final, TypeAlias

from osteoct.errors import ConfigError
from osteoct.run.engines.interface import (
    Event,
    Finished,
    Lost,
    Ready,
    Stage,
    Started,
    WorkerId,
    WorkerSpec,
)
from osteoct.run.records import Outcome, WorkItem
from osteoct.run.work.failures import failure_of

Receive: TypeAlias = Callable[[], WorkItem | None]
"""Waits for the next case; ``None`` says that no more will come."""

Tell: TypeAlias = Callable[[Event], None]

_Taken: TypeAlias = tuple[WorkItem, Callable[[], object]]
"""A case, and what returns the prepared rest of it."""

_ALONE: Final = 1
"""The depth at which nothing is read ahead, and no thread is needed."""


def serve(spec: WorkerSpec, receive: Receive, tell: Tell, *, worker: WorkerId) -> None:
    """Open the stage, tell that it is ready, and work on cases until no more come.

    Cases are processed by the calling thread, in the order in which they came. With a depth of 2 or
    more, a thread receives and prepares the next ones meanwhile; how many it holds is bounded by
    who gives them.

    A stage that cannot be opened is told as :class:`~osteoct.run.engines.interface.Lost` with its
    reason. What a stage raises for a case, against its promise, becomes an outcome of that case.
    """
    with ExitStack() as stack:
        try:
            stage = stack.enter_context(load_stage(spec.stage, spec.settings))
        except Exception as error:  # noqa: BLE001 - the boundary of a worker: nobody else hears why
            tell(_not_started(worker, error))
            return
        tell(Ready(worker=worker))
        _work(stage, receive, tell, worker=worker, depth=spec.depth)


def _not_started(worker: WorkerId, error: Exception) -> Lost:
    """The last word of a worker whose stage cannot be opened."""
    return Lost(
        worker=worker,
        held=(),
        why=f"the worker could not start: {failure_of(error).message}",
        is_out_of_memory=isinstance(error, MemoryError),
    )


def load_stage(name: str, settings: Mapping[str, object]) -> AbstractContextManager[Stage]:
    """Return the context manager of a stage from its ``module:callable``.

    Raises
    ------
    ConfigError
        There is no such module or callable.
    """
    module, _, attribute = name.partition(":")
    try:
        maker: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            "a stage cannot be loaded",
            found=name,
            wanted="module:callable of an installed package",
        ) from error
    opened: AbstractContextManager[Stage] = maker(settings)
    return opened


def _work(stage: Stage, receive: Receive, tell: Tell, *, worker: WorkerId, depth: int) -> None:
    """Take up cases until no more come."""
    take = _one_by_one(stage, receive) if depth <= _ALONE else _ahead(stage, receive)
    while (taken := take()) is not None:
        item, prepare = taken
        tell(Started(worker=worker, case_id=item.case_id))
        outcome = _attempt(stage, item, prepare)
        del prepare, taken  # what was read is not kept while the next case is waited for
        tell(Finished(worker=worker, outcome=outcome))


def _attempt(stage: Stage, item: WorkItem, prepare: Callable[[], object]) -> Outcome:
    """One attempt; an error that the stage should have caught costs the case, not the worker."""
    try:
        return stage.process(item, prepare())
    except Exception as error:  # noqa: BLE001 - the boundary of a case
        return Outcome(case_id=item.case_id, key=item.key, failure=failure_of(error))


def _one_by_one(stage: Stage, receive: Receive) -> Callable[[], _Taken | None]:
    """Cases that are prepared when they are taken up."""

    def take() -> _Taken | None:
        item = receive()
        return None if item is None else (item, lambda: stage.prepare(item))

    return take


def _ahead(stage: Stage, receive: Receive) -> Callable[[], _Taken | None]:
    """Cases that are prepared by a thread as soon as they come.

    The thread is a daemon: where the worker is ended, one that still reads holds nobody up.
    """
    cases: queue.SimpleQueue[_Taken | BaseException | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            while (item := receive()) is not None:
                _prepare(stage, item, cases.put)
        except BaseException as error:  # noqa: BLE001 - raised again by who takes
            cases.put(error)
        else:
            cases.put(None)

    def take() -> _Taken | None:
        came = cases.get()
        if isinstance(came, BaseException):
            raise came
        return came

    threading.Thread(target=run, name="prepare", daemon=True).start()
    return take


def _prepare(stage: Stage, item: WorkItem, put: Callable[[_Taken], None]) -> None:
    """Prepare a case that can be taken up at once; who does so waits for the rest.

    A function of its own: its names would keep what was read until the next case came.
    """
    prepared: Future[object] = Future()
    put((item, prepared.result))
    try:
        prepared.set_result(stage.prepare(item))
    except BaseException as error:  # noqa: BLE001 - handed to who takes up the case
        prepared.set_exception(error)
