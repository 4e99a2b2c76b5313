"""The package's way to labels with the models held in memory and no copies of the image.

Label for label what the package itself makes: its box around structures found at 6 mm, its grids,
its patches, its networks run by nnU-Net's own predictor. What it does by files, processes and
float64 copies of the whole image is done here in place; tests compare every voxel.

Runs in the worker's process; nothing else of osteoct is imported here but what does.
"""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform
from numpy.typing import NDArray

from osteoct.segment.nnunet.patches import PatchCounter
from osteoct.segment.nnunet.predictor import load_predictor, predict_image
from osteoct.segment.totalsegmentator.sampling import nearest_indices, zoom_linear

LOCATE: Final = "locate"
"""Stage in which structures are looked for at 6 mm."""

SPLIT_VOXELS, SPLIT_SLICES = 512 * 512 * 900, 200
"""Beyond these the package cuts an image of task ``total`` into three, whose seams show."""

Box = tuple[slice, slice, slice]


class OwnWayError(Exception):
    """An image that the package treats in a way of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Coarse:
    """Labels on a model's grid, in canonical orientation, and the image they belong to."""

    labels: NDArray[np.uint8]
    shape: tuple[int, ...]
    affine: NDArray[np.float64]

    def on_image(self) -> NDArray[np.uint8]:
        """Return the labels on the image's own grid: each voxel takes the nearest label."""
        canonical = self.labels[np.ix_(*self._indices())]
        back = ornt_transform(axcodes2ornt(("R", "A", "S")), io_orientation(self.affine))
        turned: NDArray[np.uint8] = apply_orientation(canonical, back)
        return turned

    def box_of(self, numbers: list[int], margin: NDArray[np.int64]) -> Box | None:
        """Return the box of some labels on the image's grid, or ``None`` if none is there."""
        indices = self._indices()
        hit = self.labels[np.ix_(*(np.unique(i) for i in indices))]
        seen: NDArray[np.bool_] = np.isin(hit, numbers)
        if not seen.any():
            return None
        box = []
        for axis, (to, flip) in enumerate(io_orientation(self.affine).astype(int)):
            others = tuple(a for a in range(3) if a != to)
            rows: NDArray[np.bool_] = np.any(seen, axis=others)
            is_inside = rows[np.unique(indices[to], return_inverse=True)[1]]
            inside = np.flatnonzero(is_inside if flip > 0 else is_inside[::-1])
            low = max(0, int(inside[0]) - int(margin[axis]))
            high = min(self.shape[axis], int(inside[-1]) + 1 + int(margin[axis]))
            box.append(slice(low, high))
        return box[0], box[1], box[2]

    def _indices(self) -> list[NDArray[np.intp]]:
        """Which label each row of the canonical image takes, per axis."""
        to = io_orientation(self.affine)[:, 0].astype(int)
        sizes = {int(canonical): self.shape[axis] for axis, canonical in enumerate(to)}
        return [nearest_indices(old, sizes[axis]) for axis, old in enumerate(self.labels.shape)]


class MemoryEngine:
    """Models held between images; the labels at 6 mm between the tasks on one image."""

    def __init__(self, weights: Path, locate: dict[str, Any], counter: PatchCounter) -> None:
        tables = importlib.import_module("totalsegmentator.map_to_binary")
        self._classes: dict[str, dict[int, str]] = tables.class_map
        self._parts: dict[str, dict[int, str]] = tables.class_map_5_parts
        self._part_of: dict[int, str] = tables.map_taskid_to_partname_ct
        self._tidy = importlib.import_module("totalsegmentator.postprocessing")
        self._weights, self._locate, self._counter = weights, locate, counter
        self._models: dict[tuple[str, str], Any] = {}
        self._located: Coarse | None = None
        self._load_s = 0.0

    def run(
        self, image: nibabel.Nifti1Image, task: dict[str, Any], device: str
    ) -> tuple[NDArray[Any], dict[str, str]]:
        """Return the labels of a task on the grid of ``image``, and their names by number."""
        names = self._classes[task["task"]]
        if not task["structures"]:
            return self._predict(image, task, device).on_image(), _as_text(names)
        kept = {n: name for n, name in names.items() if name in task["structures"]}
        labels = np.zeros(image.shape, np.uint8)
        box = self._find(image, sorted(kept), device)
        if box is not None:
            # the package cuts fractions off where it crops
            part = nibabel.Nifti1Image(_whole(image.slicer[box]), image.slicer[box].affine)
            labels[box] = self._predict(part, task, device).on_image()
            labels[box] *= np.isin(labels[box], list(kept))
        return labels, _as_text(kept)

    def take_times(self) -> dict[str, float]:
        """Return the seconds spent on loading models since this was last asked."""
        load_s, self._load_s = self._load_s, 0.0
        return {"load": load_s}

    def forget_image(self) -> None:
        """Let go of what belongs to one image; the models stay."""
        self._located = None

    def forget_models(self) -> None:
        """Let go of the models: their memory, and the GPU's, is free again."""
        self._models.clear()

    def _find(self, image: nibabel.Nifti1Image, numbers: list[int], device: str) -> Box | None:
        """The package's box around structures: where the 6 mm model sees them, and a margin."""
        if self._located is None:
            stage = self._counter.stage
            self._counter.begin(LOCATE)
            self._located = self._predict(image, self._locate, device)
            self._counter.begin(stage)
        margin = (np.array([self._locate["margin_mm"]] * 3) / image.header.get_zooms()).astype(int)
        return self._located.box_of(numbers, margin)

    def _predict(self, image: nibabel.Nifti1Image, task: dict[str, Any], device: str) -> Coarse:
        """Labels of the task's model on its own grid."""
        canonical = nibabel.as_closest_canonical(image)
        resampled = _resample(canonical, task["spacing_mm"])
        is_split = task["model"]["id"] in self._part_of and _is_split(resampled.shape)
        if is_split or 0 in resampled.shape:  # a lone slice has no thickness at 6 mm
            raise OwnWayError
        predictor = self._model(task["trained"], task["step"], device)
        labels = self._renumber(predict_image(predictor, resampled).astype(np.uint8), task)
        tidied = self._tidy.remove_auxiliary_labels(
            nibabel.Nifti1Image(labels, canonical.affine), task["task"]
        )
        return Coarse(labels=np.asarray(tidied.dataobj), shape=image.shape, affine=image.affine)

    def _renumber(self, seen: NDArray[np.uint8], task: dict[str, Any]) -> NDArray[np.uint8]:
        """From a part model's numbers to those of the whole task."""
        part = self._part_of.get(task["model"]["id"])
        if task["task"] != "total" or part is None or part not in self._parts:
            return seen
        number_of = {name: number for number, name in self._classes["total"].items()}
        table = np.zeros(256, np.uint8)
        for number, name in self._parts[part].items():
            table[number] = number_of[name]
        return table[seen]

    def _model(self, trained: str, step: float, device: str) -> Any:  # noqa: ANN401 - nnU-Net's predictor
        """The predictor of a model, loaded once per device."""
        key = (trained, device)
        if key not in self._models:
            clock, folder = time.perf_counter(), self._weights / trained
            self._models[key] = load_predictor(folder, device=device, step=step, folds=(0,))
            self._load_s += time.perf_counter() - clock
        return self._models[key]


def _resample(image: nibabel.Nifti1Image, spacing_mm: float) -> nibabel.Nifti1Image:
    """A canonical image on the model's grid, as the package's ``change_spacing`` has it."""
    # nibabel tells spacings in single precision, which moves the zoom and so belongs to it
    old, new = np.array(image.header.get_zooms()), np.array([spacing_mm] * 3)
    if np.array_equal(old, new):
        return image
    zoom = old / new
    affine = image.affine.copy()
    affine[:3, :3] = affine[:3, :3] / zoom
    return nibabel.Nifti1Image(zoom_linear(np.asanyarray(image.dataobj), zoom), affine)


def _is_split(shape: tuple[int, ...]) -> bool:
    return bool(np.prod(shape) > SPLIT_VOXELS and shape[2] > SPLIT_SLICES)


def _whole(image: nibabel.Nifti1Image) -> NDArray[np.int32]:
    return np.asanyarray(image.dataobj).astype(np.int32)


def _as_text(names: dict[int, str]) -> dict[str, str]:
    """Names by number, as JSON holds them."""
    return {str(number): name for number, name in names.items()}
