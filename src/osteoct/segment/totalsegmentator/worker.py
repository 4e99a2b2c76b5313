"""The process in which TotalSegmentator runs: ``python -m`` this module, with a job's folder.

A process of its own is what isolates the package: it changes environment variables, warning
filters, threads and the import path, trains its look on the home folder and starts processes that
import the caller's main module again. None of that reaches the caller, whose ``__main__`` needs no
guard; memory and GPU are free again afterwards; and a process that is killed for its memory is a
message instead of the end.

Nothing else of osteoct is imported here.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
from numpy.typing import NDArray

JOB, RESULT = "job.json", "result.json"

UNNEEDED_TRAINERS: Final = "nnunetv2.training.nnUNetTrainer.primus.primus_trainers"
"""nnU-Net imports every trainer to find one by name. This one needs timm and torchvision, whose
build for CUDA cannot be imported beside a torch for CPUs; no model here was trained by it."""

_NETWORK = ("socket.connect", "socket.sendto", "socket.sendmsg")
_NAMES = ("socket.getaddrinfo", "socket.gethostbyname")

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
_CHILD_KILLED = ("background workers", "worker process", "terminated abruptly")


class NetworkRefusedError(OSError):
    """Something tried to reach the network."""


def main(folder: Path) -> None:
    """Do the job of a folder and leave its result there, success or failure."""
    end_with_parent(folder)
    refuse_network()
    job = json.loads((folder / JOB).read_text(encoding="utf-8"))
    try:
        result = do_job(job, folder)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- the boundary of the process
        result = {"error": tell_failure(error)}
    result["peak_memory_mb"] = peak_memory_mb()
    part = folder / (RESULT + ".part")
    part.write_text(json.dumps(result), encoding="utf-8")
    part.replace(folder / RESULT)


def do_job(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run every task of a job; return times, device and label tables."""
    device = choose_device(job["device"])
    if job.get("is_probe"):
        return {"device": device}
    clock = time.perf_counter()
    predict = import_package()
    image = load_image(job, folder)
    told: dict[str, Any] = {"device": device, "names": {}, "seconds": {}}
    told["seconds"]["start"] = time.perf_counter() - clock
    for task in job["tasks"]:
        clock = time.perf_counter()
        box = find_box(task["within"], image, job["margin_mm"], folder)
        part, names = run_task(predict, image.slicer[box], task, device)
        labels = np.zeros(image.shape, part.dtype)
        labels[box] = part
        np.save(folder / f"{task['result']}.npy", labels)
        told["names"][task["result"]] = names
        told["seconds"][task["result"]] = time.perf_counter() - clock
        if not labels.any():
            break  # nothing to look for bodies in; the caller says so
    return told


def import_package() -> Callable[..., Any]:
    """The package's function; the module that cannot be imported everywhere is out of sight."""
    sys.modules.setdefault(UNNEEDED_TRAINERS, types.ModuleType(UNNEEDED_TRAINERS))
    module = importlib.import_module("totalsegmentator.python_api")
    predict: Callable[..., Any] = module.totalsegmentator
    return predict


def run_task(
    predict: Callable[..., Any], image: nibabel.Nifti1Image, task: dict[str, Any], device: str
) -> tuple[NDArray[Any], str]:
    """Call the package once; return labels on the grid of ``image`` and their table."""
    made = predict(
        image,
        None,
        ml=True,
        task=task["task"],
        fast=task["is_fast"],
        roi_subset=task["structures"] or None,
        device=device,
        nr_thr_resamp=1,
        nr_thr_saving=1,
        quiet=True,
    )
    if made.shape != image.shape or not np.allclose(made.affine, image.affine, atol=1e-3):
        msg = f"labels on another grid: {made.shape}, wanted {image.shape}"
        raise RuntimeError(msg)
    tables = [e.get_content() for e in made.header.extensions]
    text = next((t for t in tables if b"<LabelTable" in t), b"")
    return np.asarray(made.dataobj), text.decode("utf-8")


def load_image(job: dict[str, Any], folder: Path) -> nibabel.Nifti1Image:
    """The CT as a NIfTI image in memory."""
    array = np.load(folder / job["ct"], mmap_mode="r")
    return nibabel.Nifti1Image(array, np.array(job["affine"], dtype=np.float64))


def find_box(
    within: str | None, image: nibabel.Nifti1Image, margin_mm: float, folder: Path
) -> tuple[slice, ...]:
    """Box of everything labelled by an earlier task, with a margin; else the whole image."""
    if within is None:
        return tuple(slice(0, n) for n in image.shape)
    found = np.argwhere(np.load(folder / f"{within}.npy"))
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    margin = np.ceil(margin_mm / spacing).astype(int)
    low = np.maximum(found.min(axis=0) - margin, 0)
    high = np.minimum(found.max(axis=0) + 1 + margin, image.shape)
    return tuple(slice(int(start), int(stop)) for start, stop in zip(low, high, strict=True))


def choose_device(wanted: str) -> str:
    """The package's name of a device that is there.

    The package itself would go to the CPU without a word where a GPU is not there.
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
    return {"kind": _kind(error, text.lower()), "type": type(error).__name__, "text": text[:300]}


def _kind(error: BaseException, text: str) -> str:
    causes = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) and inner not in causes:
        causes.append(inner)
    if any(isinstance(cause, NetworkRefusedError) for cause in causes):
        return "network"
    if isinstance(error, LookupError) and "gpus that torch" in text:
        return "device"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk"
    if isinstance(error, MemoryError) or any(t in text for t in (*_OUT_OF_MEMORY, *_CHILD_KILLED)):
        return "gpu-memory" if "cuda" in text else "memory"
    return "exit" if isinstance(error, SystemExit) else "failed"


def refuse_network() -> None:
    """Let every attempt to reach another machine fail, whoever makes it."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NAMES:
            raise NetworkRefusedError(errno.EPERM, "the network is not used here")
        if event in _NETWORK and arguments[0].family in (socket.AF_INET, socket.AF_INET6):
            raise NetworkRefusedError(errno.EPERM, "the network is not used here")

    sys.addaudithook(refuse)


def end_with_parent(folder: Path) -> None:
    """End, and leave nothing, when the caller is gone: its end of the pipe closes with it.

    The pipe moves away from standard input first, which processes started here close: they would
    wait for the lock of a stream that is being read.
    """
    pipe = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 -- not a path of ours
        os.dup2(nothing.fileno(), 0)

    def wait() -> None:
        os.read(pipe, 1)
        shutil.rmtree(folder, ignore_errors=True)
        if hasattr(os, "killpg"):
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def peak_memory_mb() -> float | None:
    """Largest memory of this process and of the largest it started, in MiB; upper bound."""
    try:
        import resource  # noqa: PLC0415 -- not on every system
    except ImportError:
        return None
    per_mb = 2**20 if sys.platform == "darwin" else 2**10
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return round(sum(resource.getrusage(kind).ru_maxrss for kind in kinds) / per_mb, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
