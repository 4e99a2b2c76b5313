"""The reference: the package's own function, called once per task.

Runs in the worker's process; nothing else of osteoct is imported here.
"""

from __future__ import annotations

import importlib
from typing import Any
from xml.etree import ElementTree as ET

import nibabel
import numpy as np
from numpy.typing import NDArray

GRID_TOLERANCE_MM = 1e-3
"""The package writes its affine in single precision."""


class ApiEngine:
    """Calls ``totalsegmentator.python_api.totalsegmentator``."""

    def __init__(self) -> None:
        module = importlib.import_module("totalsegmentator.python_api")
        self._predict: Any = module.totalsegmentator

    def run(
        self, image: nibabel.Nifti1Image, task: dict[str, Any], device: str
    ) -> tuple[NDArray[Any], dict[str, str]]:
        """Return the labels of a task on the grid of ``image``, and their names by number."""
        made = self._predict(
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
        is_same = np.allclose(made.affine, image.affine, atol=GRID_TOLERANCE_MM)
        if made.shape != image.shape or not is_same:
            msg = f"labels on another grid: {made.shape}, wanted {image.shape}"
            raise RuntimeError(msg)
        return np.asarray(made.dataobj), _names(made)

    def take_times(self) -> dict[str, float]:
        """Nothing: the package does not tell what it spends on what."""
        return {}

    def forget_image(self) -> None:
        """Nothing is kept of an image."""

    def forget_models(self) -> None:
        """Nothing is kept of a model."""


def _names(made: nibabel.Nifti1Image) -> dict[str, str]:
    """The label table that the package writes into its images."""
    tables = [e.get_content() for e in made.header.extensions]
    text = next((t for t in tables if b"<LabelTable" in t), None)
    if text is None:
        return {}
    labels = ET.fromstring(text.rstrip(b"\0")).iter("Label")  # noqa: S314 - the package's own
    return {label.attrib["Key"]: label.text or "" for label in labels}
