"""The process in which a model runs: ``python -m`` this module, with a private folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np

from osteoct.segment.isolation.worker import Tell, choose_device, serve
from osteoct.segment.nnunet.patches import PatchCounter
from osteoct.segment.nnunet.predictor import (
    hide_unneeded_trainers,
    load_predictor,
    predict_image,
)

STEP: Final = 0.5
"""Distance of neighbouring patches, in parts of their size: nnU-Net's own."""


class Worker:
    """Does one CT after another; the model is loaded with the first."""

    def __init__(self) -> None:
        self._counter = PatchCounter()
        self._predictor: Any = None

    def __call__(self, job: dict[str, Any], folder: Path, tell: Tell) -> dict[str, Any]:
        """Run the model on one CT; leave its labels in the folder."""
        clock = time.perf_counter()
        self._counter.reset(tell)
        self._counter.begin("start")
        device = choose_device(job["device"])
        self._load(job, device)
        middle = time.perf_counter()
        self._counter.begin("vertebrae")
        image = nibabel.Nifti1Image(
            np.load(folder / job["ct"], mmap_mode="r"), np.array(job["affine"], dtype=np.float64)
        )
        np.save(folder / "labels.npy", predict_image(self._predictor, image))
        return {
            "device": device,
            "seconds": {"start": middle - clock, "vertebrae": time.perf_counter() - middle},
            "patches": dict(self._counter.evaluated),
        }

    def _load(self, job: dict[str, Any], device: str) -> None:
        """Load the model, once."""
        if self._predictor is not None:
            return
        hide_unneeded_trainers()
        self._counter.watch()
        self._predictor = load_predictor(
            Path(job["model"]),
            device=device,
            step=STEP,
            folds=job["folds"],
            is_mirrored=job["is_mirrored"],
        )


if __name__ == "__main__":
    serve(Worker())
