"""A backend for spine-segment's own hook that reads the levels of the phantom off its HU.

It stands in for the trained networks; everything around it is the package's and ours.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk  # noqa: N813 -- its own examples do
from nearest_hu import NearestHuSegmenter
from spine_segment.backend import SegmentationResult

from osteoct.anatomy import SCHEMES
from osteoct.errors import SegmentationError
from osteoct.geometry import Geometry
from osteoct.volume import CTVolume

VERSE = {s.level: n for n, s in SCHEMES["spine-segment"].structures.items()}
TOTAL = SCHEMES["totalsegmentator-v2"].structures
PROCESS, BODY = 1, 2


class HuBackend:
    """Labels by the rule of ``nearest_hu``, in the package's numbers; the sacrum is left out."""

    def segment(self, *, image, source_path, device, level_only=False):  # noqa: ARG002 - its protocol
        array = sitk.GetArrayFromImage(image)
        grid = Geometry.from_spacing(array.shape, (1.0, 1.0, 1.0))
        levels, parts = np.zeros(array.shape, np.uint8), np.zeros(array.shape, np.uint8)
        try:
            made = NearestHuSegmenter().segment(CTVolume(array=array, geometry=grid))
        except SegmentationError:
            return _result(image, levels, parts)
        for number in np.unique(made.vertebrae.array):
            level = TOTAL[number].level if number else None
            if level is not None:
                levels[made.vertebrae.array == number] = VERSE[level]
        parts[levels > 0] = PROCESS
        parts[(levels > 0) & (made.bodies.array > 0)] = BODY
        return _result(image, levels, parts)


def _result(image, *arrays):
    """Label maps on the grid of the image."""
    maps = [sitk.GetImageFromArray(array) for array in arrays]
    for labels in maps:
        labels.CopyInformation(image)
    return SegmentationResult(vertebral_level=maps[0], process_body=maps[1])


def create_backend():
    """What the hook calls."""
    return HuBackend()
