"""What an engine is: something that starts workers, gives them cases and tells what became of them.

An engine knows nothing of plan, ledger or results; the coordinator decides which case goes where,
how often it is tried and what is written down. So the same run is the same on every engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, runtime_checkable

from osteoct.run.records import Outcome, WorkItem

WorkerId: TypeAlias = str
"""Name of one worker for as long as it lives, such as ``w3``; never used twice in a run."""


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """What a worker is made from; crosses to other processes and hosts, so plain values only.

    Parameters
    ----------
    stage
        ``module:callable`` of what a worker does: called once with ``settings``, it returns a
        context manager of a :class:`Stage`. What is loaded there (a model) stays for every case.
    settings
        Plain values for the stage.
    device
        ``cpu``, ``gpu:N``, or ``auto``; one GPU may be shared by several workers.
    gpu_share
        Share of a GPU that the worker takes; 0 for none.
    cpus
        Processor cores to reserve.
    memory_mib
        What the worker may use; ``None`` for no limit.
    depth
        Cases a worker holds at once: 1, or 2 to read the next one while the first is computed.
    """

    stage: str
    settings: Mapping[str, object] = field(default_factory=dict)
    device: str = "cpu"
    gpu_share: float = 0.0
    cpus: float = 1.0
    memory_mib: int | None = None
    depth: int = 1


@runtime_checkable
class Stage(Protocol):
    """What a worker does with a case, in two steps, so that the first may run ahead."""

    def prepare(self, item: WorkItem) -> object:
        """Read what the case needs; runs in a thread beside :meth:`process` of another case."""
        ...

    def process(self, item: WorkItem, prepared: object) -> Outcome:
        """Do the work and store the result; a failure of the case is an outcome, not an error."""
        ...


@dataclass(frozen=True, kw_only=True)
class Started:
    """A worker took up a case: from now on time runs, and what happens is this case's doing."""

    worker: WorkerId
    case_id: str


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A worker has loaded what it needs and can be given cases."""

    worker: WorkerId


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A worker is done with a case."""

    worker: WorkerId
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A worker is gone; ``held`` are the cases it had, the one it was computing first.

    A worker whose stage cannot be opened says so itself, with the reason, and ends.
    """

    worker: WorkerId
    held: tuple[str, ...]
    why: str
    is_out_of_memory: bool = False


Event: TypeAlias = Started | Ready | Finished | Lost


@runtime_checkable
class Engine(Protocol):
    """Holds workers. Every method is called from one thread of the coordinator."""

    @property
    def name(self) -> str:
        """The name users give."""
        ...

    @property
    def dashboard(self) -> str | None:
        """Address of the engine's own page; ``None`` where it has none."""
        ...

    def start_worker(self, worker: WorkerId, spec: WorkerSpec) -> None:
        """Begin to start a worker; :class:`Ready` or :class:`Lost` follows.

        Raises
        ------
        DependencyError, SegmenterUnavailableError
            The engine's package is missing, or its cluster cannot be reached.
        """
        ...

    def give(self, worker: WorkerId, item: WorkItem) -> None:
        """Hand a case to a worker that is ready and holds fewer than ``depth``."""
        ...

    def stop_worker(self, worker: WorkerId, *, at_once: bool = False) -> None:
        """End a worker: when its cases are done, or now (no :class:`Lost` follows)."""
        ...

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """What happened since the last call; waits for the first event, at most so long.

        Raises
        ------
        EngineLostError
            The engine itself is gone (its scheduler died): no worker will answer.
        """
        ...

    def close(self) -> None:
        """End every worker now and leave nothing running."""
        ...


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """What a user may choose of an engine.

    Parameters
    ----------
    workers
        Fewest and most workers; the coordinator asks for more as long as work waits.
    address
        Of a cluster; ``None`` for this machine.
    scratch
        Folder for logs and sockets.
    """

    workers: tuple[int, int]
    address: str | None = None
    scratch: Path | None = None
