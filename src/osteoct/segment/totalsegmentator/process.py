"""Running the worker: a private folder, an environment of its own, and failures put into words."""

from __future__ import annotations

import json
import os
import signal
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from osteoct.errors import SegmentationError, SegmenterUnavailableError
from osteoct.segment.totalsegmentator.plan import UNUSED_FOLDERS, Model
from osteoct.segment.totalsegmentator.weights import (
    HOME_VARIABLE,
    WEIGHTS_VARIABLE,
    WeightsFolder,
)

WORKER: Final = "osteoct.segment.totalsegmentator.worker"
JOB, RESULT = "job.json", "result.json"

SETTINGS: Final = {
    "totalseg_id": "osteoct",
    "send_usage_stats": False,
    "prediction_counter": 0,
    "statistics_disclaimer_shown": True,
}
"""The package's own configuration file: without it usage statistics are sent."""

_HINTS: Final[Mapping[str, str]] = {
    "memory": "close other programs, take --quality fast, or a machine with more memory",
    "gpu-memory": "take --device cpu or --quality fast, or a GPU that nobody else uses",
    "disk": "free some space in the temporary folder (TMPDIR) and run it again",
    "device": "take --device cpu, or install torch for this machine's GPU",
    "network": "its weights are incomplete, or this version asks for more than 2.18 did",
}
_WHATS: Final[Mapping[str, str]] = {
    "memory": "TotalSegmentator ran out of memory",
    "gpu-memory": "TotalSegmentator ran out of GPU memory",
    "disk": "TotalSegmentator ran out of disk space",
    "device": "there is no such device",
    "network": "TotalSegmentator tried to reach the network, which was refused",
    "exit": "TotalSegmentator gave up",
    "failed": "TotalSegmentator failed",
}
_OF_THE_MACHINE = frozenset(_HINTS)


@contextmanager
def private_folder(place: WeightsFolder, models: Iterable[Model]) -> Iterator[Path]:
    """Yield a temporary folder with a home and a view of the weights; it is gone afterwards.

    The view holds links to the models that are needed and empty folders for those that are only
    asked for: the user's own folder is never written to, cleaned up or added to.
    """
    with tempfile.TemporaryDirectory(prefix="osteoct-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for part in ("home", "tmp", "weights", "totalsegmentator"):
            (folder / part).mkdir()
        (folder / "totalsegmentator" / "config.json").write_text(
            json.dumps(SETTINGS), encoding="utf-8"
        )
        _show_weights(folder / "weights", place, models)
        yield folder


def _show_weights(view: Path, place: WeightsFolder, models: Iterable[Model]) -> None:
    """Link the models that are needed; make empty folders for those that are only asked for."""
    for model in models:
        try:
            (view / model.folder).symlink_to(place.path / model.folder, target_is_directory=True)
        except OSError as error:
            raise SegmenterUnavailableError(
                "links to the weights cannot be made",
                where="the temporary folder",
                found=error.strerror,
                wanted="a file system with symbolic links",
                hint="name another temporary folder in TMPDIR; Windows needs its developer mode",
            ) from error
    for unused in UNUSED_FOLDERS:
        (view / unused).mkdir()


def run_job(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Run a job in a process of its own and return what it tells.

    Ctrl-C and every other failure of the caller end the process and those it started.

    Raises
    ------
    SegmenterUnavailableError
        Out of memory or disk space, no such device, or the network was asked for.
    SegmentationError
        Whatever else the package failed with.
    """
    (folder / JOB).write_text(json.dumps(job), encoding="utf-8")
    with (folder / "log.txt").open("wb") as log:
        worker = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [sys.executable, "-m", WORKER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=worker_environment(folder),
            start_new_session=True,
        )
        try:
            code = worker.wait()
        finally:
            _end(worker)
    return _read_result(folder, code)


def worker_environment(folder: Path) -> dict[str, str]:
    """The caller's environment with every folder that the package writes to moved.

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
        HOME_VARIABLE: str(folder / "totalsegmentator"),
        WEIGHTS_VARIABLE: str(folder / "weights"),
        "nnUNet_def_n_proc": "1",
    }


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End the worker and what it started; nothing happens to one that has ended by itself."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL)
    elif worker.poll() is None:
        worker.kill()
    worker.wait()
    if worker.stdin is not None:
        worker.stdin.close()


def _read_result(folder: Path, code: int) -> dict[str, Any]:
    """What the worker left, or its failure in words."""
    path = folder / RESULT
    if not path.is_file():
        killed = code < 0 and -code == signal.SIGKILL
        raise _failure("memory" if killed else "failed", f"the process ended with code {code}")
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    error = result.get("error")
    if error is None:
        return result
    text = str(error["text"]).replace(str(folder), "…")
    raise _failure(error["kind"], text if error["kind"] == "device" else f"{error['type']}: {text}")


def _failure(kind: str, found: str) -> SegmentationError:
    made = SegmenterUnavailableError if kind in _OF_THE_MACHINE else SegmentationError
    return made(
        _WHATS[kind],
        where="totalsegmentator",
        found=found,
        hint=_HINTS.get(kind, "run TotalSegmentator itself on this CT, or bring masks by --masks"),
    )
