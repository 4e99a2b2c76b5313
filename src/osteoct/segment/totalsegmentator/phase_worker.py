"""The process in which TotalSegmentator's classifier of the contrast phase runs.

It is told medians of organs, no image: nothing is segmented here, and no weights are needed. With
:mod:`.worker` the only place that knows the package, and by name.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from osteoct.segment.isolation.worker import Tell, serve

CLASSIFIER = "totalsegmentator.bin.totalseg_get_phase"
"""Imports xgboost before torch, as it must be on some systems."""


def classify(job: dict[str, Any], _folder: Path, _tell: Tell) -> dict[str, Any]:
    """Ask the package's own function, which takes statistics in place of an image."""
    ask = importlib.import_module(CLASSIFIER).get_ct_contrast_phase
    no_image = nibabel.Nifti1Image(np.zeros((1, 1, 1), np.int16), np.eye(4))
    told = list(ask(no_image, existing_stats=job["statistics"], quiet=True, device="cpu"))
    return {"phase": told[-1]["result"]}


if __name__ == "__main__":
    serve(classify)
