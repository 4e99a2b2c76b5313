"""A segmenter whose masks are those of the phantom, as any package would bring one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from osteoct.segment.interface import SegmentOptions
from osteoct.segment.precomputed import PrecomputedSegmenter

MASKS = "OSTEOCT_TEST_MASKS"
"""Variable that says where the masks lie."""


class PhantomMasksSegmenter(PrecomputedSegmenter):
    """Finds the vertebrae of one phantom in every image of its grid."""

    name = "phantom-masks"

    def __init__(self, options: SegmentOptions) -> None:
        super().__init__(replace(options, masks=Path(os.environ[MASKS])))

    def describe(self):
        return super().describe().model_copy(update={"name": self.name})

    def segment(self, ct):
        made = super().segment(ct)
        told = made.provenance.model_copy(update={"name": self.name})
        return replace(made, provenance=told)
