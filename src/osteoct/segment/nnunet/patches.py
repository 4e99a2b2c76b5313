"""Counting network patches: what segmenting costs, and how far it has come.

Nothing else of osteoct is imported here but the worker's side of the process.
"""

from __future__ import annotations

import importlib
from collections import Counter
from typing import Any, Final

from osteoct.segment.isolation.worker import Tell

PREDICTOR_MODULE: Final = "nnunetv2.inference.predict_from_raw_data"

_LIST, _EVALUATE = "_internal_get_sliding_window_slicers", "_internal_maybe_mirror_and_predict"
"""nnU-Net's methods that list the patches of an image and evaluate one of them."""


class PatchCounter:
    """Counts what nnU-Net evaluates, per stage, and tells of it."""

    def __init__(self) -> None:
        self._tell: Tell = _say_nothing
        self.stage = ""
        self.evaluated: Counter[str] = Counter()
        self._listed: Counter[str] = Counter()

    def reset(self, tell: Tell) -> None:
        """Begin anew for another image."""
        self._tell = tell
        self.evaluated.clear()
        self._listed.clear()

    def begin(self, stage: str) -> None:
        """Count for another stage from now on, and tell that it has begun."""
        self.stage = stage
        self._tell(stage=stage)

    def watch(self) -> None:
        """Let every predictor of this process tell of its patches.

        The two methods are nnU-Net's own affair: where a version has others, nothing is counted.
        """
        predictor = importlib.import_module(PREDICTOR_MODULE).nnUNetPredictor
        if not (hasattr(predictor, _LIST) and hasattr(predictor, _EVALUATE)):
            return
        list_patches, evaluate = getattr(predictor, _LIST), getattr(predictor, _EVALUATE)

        def list_and_count(this: object, *given: object) -> Any:  # noqa: ANN401 - nnU-Net's own
            found = list_patches(this, *given)
            self._listed[self.stage] += len(found)
            return found

        def evaluate_and_count(this: object, *given: object) -> Any:  # noqa: ANN401 - nnU-Net's own
            made = evaluate(this, *given)
            self.evaluated[self.stage] += 1
            done, total = self.evaluated[self.stage], self._listed[self.stage]
            self._tell(stage=self.stage, done=done, total=total)
            return made

        setattr(predictor, _LIST, list_and_count)
        setattr(predictor, _EVALUATE, evaluate_and_count)


def _say_nothing(**said: object) -> None:
    """Before the first image there is nobody to tell."""
