"""The tasks of one CT, one after another, on one device or, where its memory ends, on the CPU.

Runs in the worker's process; nothing else of osteoct is imported here but what does.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from osteoct.segment.isolation.worker import kind_of, tell_failure
from osteoct.segment.totalsegmentator.api import ApiEngine
from osteoct.segment.totalsegmentator.memory import Box, MemoryEngine, OwnWayError

Engine = ApiEngine | MemoryEngine
Labelled = tuple[NDArray[Any], dict[str, str]]


class TaskRun:
    """One CT on its way through the tasks of a job.

    Parameters
    ----------
    job
        Tasks, affine, margin and whether the CPU may take over from a GPU whose memory ends.
    folder
        Holds the CT; gets the labels of each result, cut to the box that holds them.
    begin
        Called with each result's name when its turn comes.
    """

    def __init__(
        self,
        job: dict[str, Any],
        folder: Path,
        *,
        device: str,
        engine: Engine,
        begin: Callable[[str], None],
    ) -> None:
        self._job, self._folder, self._device, self._begin = job, folder, device, begin
        self._engine = engine
        self._image = load_image(folder / job["ct"], job["affine"])
        self._boxes: dict[str, Box | None] = {}
        self._told: dict[str, Any] = {"names": {}, "boxes": {}, "seconds": {}, "fell_back": []}

    def do_all(self) -> dict[str, Any]:
        """Run every task; return names, boxes, times and what moved to the CPU."""
        try:
            for task in self._job["tasks"]:
                if task["within"] is None or self._boxes[task["within"]] is not None:
                    self._do(task)
        finally:
            self._engine.forget_image()
        return self._told | {"device": self._device}

    def _do(self, task: dict[str, Any]) -> None:
        """Run a task in its box and leave its labels in the folder."""
        clock, result = time.perf_counter(), task["result"]
        self._begin(result)
        place = self._place_of(task)
        labels, names = self._label(self._image.slicer[place], task)
        inner = box_of(labels)
        if inner is not None:
            np.save(self._folder / f"{result}.npy", labels[inner])
        self._boxes[result] = None if inner is None else shift(inner, place)
        self._told["boxes"][result] = as_numbers(self._boxes[result])
        self._told["names"][result] = names
        self._told["seconds"][result] = time.perf_counter() - clock

    def _place_of(self, task: dict[str, Any]) -> Box:
        """Where the task looks: the whole image, or an earlier result with a margin."""
        found = self._boxes[task["within"]] if task["within"] else None
        if found is None:
            return slice(None), slice(None), slice(None)
        return enlarge(found, self._image, self._job["margin_mm"])

    def _label(self, image: nibabel.Nifti1Image, task: dict[str, Any]) -> Labelled:
        """Run the engine; where a GPU's memory ends and the job allows it, on the CPU instead."""
        try:
            return self._run_engine(image, task)
        except Exception as error:
            may_move = self._job["may_fall_back"] and self._device != "cpu"
            if not (may_move and kind_of(error) == "gpu-memory"):
                raise
            self._told["fell_back"].append({"result": task["result"], **tell_failure(error)})
        free_gpu(self._engine)
        self._device = "cpu"
        return self._run_engine(image, task)

    def _run_engine(self, image: nibabel.Nifti1Image, task: dict[str, Any]) -> Labelled:
        try:
            return self._engine.run(image, task, self._device)
        except OwnWayError:
            return ApiEngine().run(image, task, self._device)


def load_image(path: Path, affine: list[list[float]]) -> nibabel.Nifti1Image:
    """The CT as a NIfTI image whose voxels stay in the file until they are looked at."""
    array = np.load(path, mmap_mode="r")
    return nibabel.Nifti1Image(array, np.array(affine, dtype=np.float64))


def box_of(labels: NDArray[Any]) -> Box | None:
    """Smallest box that holds every label; ``None`` if there is none."""
    is_there = labels > 0
    box = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        rows = np.flatnonzero(is_there.any(axis=others))
        if not rows.size:
            return None
        box.append(slice(int(rows[0]), int(rows[-1]) + 1))
    return box[0], box[1], box[2]


def enlarge(box: Box, image: nibabel.Nifti1Image, margin_mm: float) -> Box:
    """A box with a margin, kept inside the image."""
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    margin = np.ceil(margin_mm / spacing).astype(int)
    x, y, z = (
        slice(max(0, part.start - int(m)), min(n, part.stop + int(m)))
        for part, m, n in zip(box, margin, image.shape, strict=True)
    )
    return x, y, z


def shift(inner: Box, place: Box) -> Box:
    """A box inside a place, as a box of the whole."""
    starts = [part.start or 0 for part in place]
    x, y, z = (
        slice(part.start + start, part.stop + start)
        for part, start in zip(inner, starts, strict=True)
    )
    return x, y, z


def as_numbers(box: Box | None) -> list[list[int]] | None:
    """A box as JSON holds it."""
    return None if box is None else [[part.start, part.stop] for part in box]


def free_gpu(engine: Engine) -> None:
    """Let the GPU's memory go before the CPU takes over."""
    engine.forget_models()
    gc.collect()
    torch = sys.modules.get("torch")  # whatever ran on a GPU has imported it
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
