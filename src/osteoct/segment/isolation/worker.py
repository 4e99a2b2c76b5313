"""The side of the process: jobs come in line by line, results and progress go out the same way.

A process of its own is what isolates a program: it may change environment variables, warning
filters, threads and the import path, look into the home folder and start processes that import the
caller's main module again. None of that reaches the caller, whose ``__main__`` needs no guard;
memory and GPU are free again afterwards; and a process that is killed for its memory is a message
instead of the end.

Nothing else of osteoct is imported here.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import importlib
import json
import os
import queue
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

_NETWORK = ("socket.connect", "socket.sendto", "socket.sendmsg")
_NAMES = ("socket.getaddrinfo", "socket.gethostbyname")

_OUT_OF_MEMORY = (
    *("out of memory", "can't allocate memory", "not enough memory"),
    *("cublas_status_alloc_failed", "cudnn_status_alloc_failed"),
)
_OF_A_GPU = ("cuda", "cublas", "cudnn")

_CUT_SHORT = "requested and"
"""In what numpy says, without an error number, when a disk takes a part of an array only."""

_CHILD_KILLED = ("background workers", "worker process", "worker died", "terminated abruptly")

LONGEST_TEXT: Final = 300
"""Characters of a failure's own text that are passed on."""

Tell = Callable[..., None]
"""Called with keywords that are passed on to the caller."""

Work = Callable[[dict[str, Any], Path, Tell], dict[str, Any]]
"""Does one job: the job, its folder, a way to tell of progress; returns the result."""


class NetworkRefusedError(OSError):
    """Something tried to reach the network."""


def serve(work: Work) -> None:
    """Do jobs until the caller is gone: ``python -m MODULE FOLDER``."""
    folder = Path(sys.argv[1])
    pipe = take_stdout()
    jobs = end_with_parent(folder)
    refuse_network()

    def tell(**said: object) -> None:
        pipe.write(json.dumps(said) + "\n")
        pipe.flush()

    while True:
        tell(result=do_job(work, json.loads(jobs.get()), tell))
        give_back_memory()


def do_job(work: Work, job: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Do a job; return its result, success or failure."""
    try:
        result = work(job, Path(job["folder"]), tell)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the boundary of the process
        result = {"error": tell_failure(error)}
    return {**result, "peak_memory_mb": peak_memory_mb()}


def take_stdout() -> IO[str]:
    """Keep standard output for the caller; what programs print goes to the log, as errors do."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return pipe


def choose_device(wanted: str) -> str:
    """Return ``cpu`` or ``gpu:N`` for a device that is there.

    Programs go to the CPU without a word where a GPU is not there.
    """
    torch = importlib.import_module("torch")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "gpu:0" if count else "cpu"
    if wanted == "cpu":
        return "cpu"
    number = int(wanted.partition(":")[2] or 0)
    if number >= count:
        msg = f"{count} GPUs that torch {torch.__version__} can use"
        raise LookupError(msg)
    return f"gpu:{number}"


def tell_failure(error: BaseException) -> dict[str, str]:
    """Sort a failure, so that the caller can say what to do."""
    text = " ".join(str(error).split())
    kind = kind_of(error)
    return {"kind": kind, "type": type(error).__name__, "text": text[:LONGEST_TEXT]}


def kind_of(error: BaseException) -> str:
    """Name the kind of a failure; causes are looked at, for libraries wrap them."""
    text = str(error).lower()
    causes = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) and inner not in causes:
        causes.append(inner)
    if any(isinstance(cause, NetworkRefusedError) for cause in causes):
        return "network"
    if isinstance(error, LookupError) and "gpus that torch" in text:
        return "device"
    if is_disk_full(error):
        return "disk"
    if isinstance(error, MemoryError) or any(t in text for t in (*_OUT_OF_MEMORY, *_CHILD_KILLED)):
        return "gpu-memory" if any(t in text for t in _OF_A_GPU) else "memory"
    return "exit" if isinstance(error, SystemExit) else "failed"


def is_disk_full(error: BaseException) -> bool:
    """Whether a file could not be written for want of space."""
    if not isinstance(error, OSError):
        return False
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or _CUT_SHORT in str(error)


def refuse_network() -> None:
    """Let every attempt to reach another machine fail, whoever makes it."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NAMES:
            raise NetworkRefusedError(errno.EPERM, "the network is not used here")
        if event in _NETWORK and arguments[0].family in (socket.AF_INET, socket.AF_INET6):
            raise NetworkRefusedError(errno.EPERM, "the network is not used here")

    sys.addaudithook(refuse)


def end_with_parent(folder: Path) -> queue.Queue[str]:
    """Return the jobs that come in; end, and leave nothing, when the caller is gone.

    The caller's end of the pipe closes with it. The pipe moves away from standard input first,
    which processes started here close: they would wait for the lock of a stream that is being read.
    """
    pipe = os.fdopen(os.dup(0), "r", encoding="utf-8")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 -- not a path of ours
        os.dup2(nothing.fileno(), 0)
    jobs: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in pipe:
            jobs.put(line)
        shutil.rmtree(folder, ignore_errors=True)
        if hasattr(os, "killpg"):
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=read, daemon=True).start()
    return jobs


def give_back_memory() -> None:
    """Return to the system what a job needed, so that the next one does not come on top of it."""
    gc.collect()
    with suppress(OSError, AttributeError):  # the C library of Linux has this, others do not
        ctypes.CDLL(None).malloc_trim(0)


def peak_memory_mb() -> float | None:
    """Largest memory of this process and of the largest it started, in MiB; upper bound."""
    try:
        import resource  # noqa: PLC0415 -- not on every system
    except ImportError:
        return None
    per_mb = 2**20 if sys.platform == "darwin" else 2**10
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return round(sum(resource.getrusage(kind).ru_maxrss for kind in kinds) / per_mb, 1)
