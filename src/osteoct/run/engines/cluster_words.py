"""What is said between the cluster engine, its go-between and the actors: plain records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from osteoct.run.engines.interface import Event, WorkerId, WorkerSpec
from osteoct.run.records import WorkItem


@dataclass(frozen=True, kw_only=True)
class Join:
    """Connect to a cluster, or begin one of this machine.

    Parameters
    ----------
    address
        Of a cluster; ``None`` to begin one.
    folder
        For the sockets and logs of one that is begun.
    workers
        The most workers that will be asked for.
    spec
        The first of them: one that is begun has room for as many.
    beat_s
        How often to look whether the scheduler answers.
    """

    address: str | None
    folder: str
    workers: int
    spec: WorkerSpec
    beat_s: float


@dataclass(frozen=True, kw_only=True)
class Start:
    """Start an actor."""

    worker: WorkerId
    spec: WorkerSpec


@dataclass(frozen=True, kw_only=True)
class Give:
    """Hand a case to an actor."""

    worker: WorkerId
    item: WorkItem


@dataclass(frozen=True, kw_only=True)
class Stop:
    """End an actor."""

    worker: WorkerId
    at_once: bool


Command: TypeAlias = Start | Give | Stop | None
"""``None`` ends everything."""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """The cluster answers."""

    dashboard: str | None


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The cluster cannot be used, and why."""

    what: str
    found: str
    hint: str | None = None


@dataclass(frozen=True)
class Beat:
    """The scheduler answered just now."""


Answer: TypeAlias = Joined | Refused | Beat | Event


@dataclass(frozen=True, kw_only=True)
class Born:
    """An actor has a process; its stage is being opened.

    Parameters
    ----------
    version
        Of osteoct, where the actor runs.
    """

    worker: WorkerId
    version: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """An actor has done what it was given, and was to end."""

    worker: WorkerId


Word: TypeAlias = Born | Ended | Event
"""What an actor says."""
