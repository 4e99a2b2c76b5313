"""The caller's side: a private folder, the process that works in it, and jobs given to it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from osteoct.segment.isolation.failures import failure_of, failure_told
from osteoct.segment.isolation.worker import is_disk_full

LOOK_S: Final = 0.2
"""How often a silent process is looked after; Ctrl-C is noticed within this time."""

_GONE: Final[Mapping[str, Any]] = {"gone": True}
"""Said by the reader when the process has closed its end."""

Hear = Callable[[Mapping[str, Any]], None]
"""Takes what a process tells while it works."""


class Session:
    """A process and its private folder, from ``with`` to the end of it.

    Parameters
    ----------
    module
        What ``python -m`` runs; it calls :func:`osteoct.segment.isolation.worker.serve`.
    title, where
        What the user calls the program, and its name as a segmenter: for messages.
    prepare
        Fills the private folder and returns environment variables for the process.
    """

    def __init__(
        self,
        module: str,
        *,
        title: str,
        where: str,
        prepare: Callable[[Path], Mapping[str, str]],
    ) -> None:
        self._module, self._title, self._where, self._prepare = module, title, where, prepare
        self._process: subprocess.Popen[bytes] | None = None
        self._told: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self._jobs = 0

    def __enter__(self) -> Self:
        """Make the folder; the process starts with the first job.

        Raises
        ------
        SegmenterUnavailableError
            It cannot be made.
        """
        try:
            self._temporary = tempfile.TemporaryDirectory(
                prefix="osteoct-", ignore_cleanup_errors=True
            )
        except OSError as error:
            raise self._unwritable(error) from error
        self.folder = Path(self._temporary.name)
        try:
            for part in ("home", "tmp"):
                (self.folder / part).mkdir()
            self._variables = self._prepare(self.folder)
        except BaseException as error:
            self._temporary.cleanup()
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process and everything it started; remove the folder."""
        self._end()
        self._temporary.cleanup()

    @contextmanager
    def job_folder(self) -> Iterator[Path]:
        """Yield a folder for the files of one job; it is gone afterwards.

        Raises
        ------
        SegmenterUnavailableError
            There is no space for what is written into it.
        """
        self._jobs += 1
        folder = self.folder / f"job-{self._jobs}"
        try:
            folder.mkdir()
            yield folder
        except OSError as error:
            if not is_disk_full(error):
                raise
            raise self._unwritable(error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def run(
        self,
        job: Mapping[str, Any],
        folder: Path,
        *,
        hear: Hear | None = None,
        limit_s: float | None = None,
    ) -> dict[str, Any]:
        """Give the process a job and return its result.

        The process is started if it is not there, or did not survive an earlier job. Ctrl-C and
        every other failure of the caller end it.

        Parameters
        ----------
        job
            Anything JSON holds.
        folder
            Of :meth:`job_folder`.
        hear
            Called with what the process tells meanwhile.
        limit_s
            Longest time for the job, in seconds.

        Raises
        ------
        SegmenterUnavailableError
            Out of memory, disk space or time, no such device, or the network was asked for.
        SegmentationError
            Whatever else the program failed with.
        """
        try:
            self._give({**job, "folder": str(folder)})
            return self._wait(hear or _ignore, limit_s)
        except BaseException:
            self._end()
            raise

    def _give(self, job: Mapping[str, Any]) -> None:
        """Start the process where there is none, and tell it the job."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._start()
        assert self._process is not None  # noqa: S101 - started above
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        with suppress(BrokenPipeError):  # a process that has died is noticed while waiting
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()

    def _start(self) -> None:
        with (self.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [sys.executable, "-m", self._module, str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env=private_environment(self.folder) | dict(self._variables),
                start_new_session=True,
            )
        self._process, self._told = process, queue.Queue()
        assert process.stdout is not None  # noqa: S101 - a pipe
        threading.Thread(target=_listen, args=(process.stdout, self._told), daemon=True).start()

    def _wait(self, hear: Hear, limit_s: float | None) -> dict[str, Any]:
        """Hear what the process tells until it tells the result."""
        end = None if limit_s is None else time.monotonic() + limit_s
        while True:
            if end is not None and time.monotonic() > end:
                raise self._failure("time", f"more than {limit_s:g} s")
            told = self._next_told()
            if told is _GONE:
                raise self._died()
            if "result" in told:
                return self._take(told["result"])
            if told:
                hear(told)

    def _next_told(self) -> Mapping[str, Any]:
        """The next word of the process, an empty one if it says nothing for a while."""
        try:
            return self._told.get(timeout=LOOK_S)
        except queue.Empty:
            # another process that it started may still hold the pipe open
            return _GONE if self._has_ended() and self._told.empty() else {}

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _take(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result, or the failure it tells of."""
        if "error" not in result:
            return result
        raise failure_told(result["error"], str(self.folder), title=self._title, where=self._where)

    def _died(self) -> Exception:
        """A process that ended without a result: most often killed for its memory."""
        code = None if self._process is None else self._process.wait()
        is_killed = code is not None and code < 0 and -code == signal.SIGKILL
        found = f"the process ended with code {code}"
        return self._failure("memory" if is_killed else "failed", found)

    def _unwritable(self, error: OSError) -> Exception:
        """A temporary folder that is full, or that there is not; without its path."""
        kind = "disk" if is_disk_full(error) else "folder"
        return self._failure(kind, os.strerror(error.errno) if error.errno else str(error))

    def _failure(self, kind: str, found: str) -> Exception:
        return failure_of(kind, found, title=self._title, where=self._where)

    def _end(self) -> None:
        """End the process and what it started; nothing happens to one that has ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        elif process.poll() is None:
            process.kill()
        process.wait()
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()


def private_environment(folder: Path) -> dict[str, str]:
    """The caller's environment with every folder that programs write to moved into ``folder``.

    Packages installed below the user's home are still found: Python is told where that was.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("nnUNet_", "TOTALSEG_"))}
    home, tmp = str(folder / "home"), str(folder / "tmp")
    return {
        **kept,
        "HOME": home,
        "XDG_CACHE_HOME": home,
        "XDG_CONFIG_HOME": home,
        "MPLCONFIGDIR": home,
        "TMPDIR": tmp,
        "TEMP": tmp,
        "TMP": tmp,
        "PYTHONUSERBASE": site.getuserbase(),
        # nnU-Net computes on no more threads than this, and takes 8 where nothing is said
        "nnUNet_def_n_proc": str(usable_cores()),
        # arrays of a megabyte and more go back to the system when they are let go; glibc would
        # keep ever larger ones, and a process that does CT after CT would grow
        "MALLOC_MMAP_THRESHOLD_": str(2**20),
    }


def usable_cores() -> int:
    """Cores this process may use; a container or a batch system may allow fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _listen(pipe: IO[bytes], told: queue.Queue[Mapping[str, Any]]) -> None:
    """Pass on what the process writes, a JSON object a line, until it closes its end."""
    with pipe:
        for line in pipe:
            told.put(json.loads(line))
    told.put(_GONE)


def _ignore(told: Mapping[str, Any]) -> None:
    """Hear nothing."""
