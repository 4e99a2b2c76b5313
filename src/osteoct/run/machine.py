"""What a machine has to give to workers: cores, memory, and the GPUs that the user names."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from osteoct.errors import ConfigError

_MIB: Final = 1024 * 1024

KEPT_FREE: Final = 0.15
"""Share of the memory that workers leave to the system, its file cache and the coordinator."""

_CGROUP_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_GPUS: Final = re.compile(r"\d+(,\d+)*")


@dataclass(frozen=True, kw_only=True)
class Share:
    """What each of a number of equal workers gets.

    Parameters
    ----------
    devices
        What the workers compute on, in turn.
    gpu
        Share of a GPU per worker; 0 for none.
    """

    workers: int
    cpus: float
    memory_mib: int
    devices: tuple[str, ...]
    gpu: float


def share_machine(
    *, workers: int | None, gpus: str | None, memory_mib: int | None, makes_masks: bool
) -> Share:
    """Divide this machine among workers.

    Without ``workers``: one per core where masks exist, one per GPU where they are made, and a
    single one where they are made without a GPU, as a network takes all cores there are.

    Parameters
    ----------
    gpus
        ``0,1`` names GPUs; ``None`` leaves the choice to the segmenter.
    memory_mib
        Per worker; ``None`` for an equal share of what is free.

    Raises
    ------
    ConfigError
        No number of a GPU.
    """
    cores = count_cores()
    devices = gpu_devices(gpus)
    usual = (len(devices) if gpus else 1) if makes_masks else cores
    number = workers or usual
    own = memory_mib or int(free_memory_mib() * (1 - KEPT_FREE) / number)
    return Share(
        workers=number,
        cpus=max(1.0, cores / number),
        memory_mib=own,
        devices=devices,
        gpu=len(devices) / max(number, len(devices)) if gpus else 0.0,
    )


def gpu_devices(gpus: str | None) -> tuple[str, ...]:
    """Names of devices from a list of numbers.

    >>> gpu_devices("0,2"), gpu_devices(None)
    (('gpu:0', 'gpu:2'), ('auto',))
    """
    if gpus is None:
        return ("auto",)
    if not _GPUS.fullmatch(gpus):
        raise ConfigError(
            "no numbers of GPUs", where="--gpus", found=repr(gpus), wanted="such as 0 or 0,1"
        )
    return tuple(f"gpu:{int(number)}" for number in gpus.split(","))


def count_cores() -> int:
    """Cores that this process may use: a job of a cluster or a container may have fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory_mib() -> float:
    """Memory that is free for this process, in MiB, within the limit of its container."""
    free = psutil.virtual_memory().available / _MIB
    for limit in _CGROUP_LIMITS:
        with suppress(OSError, ValueError):
            allowed = int(limit.read_text(encoding="ascii")) / _MIB
            free = min(free, allowed)
    return free
