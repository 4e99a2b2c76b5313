"""Median HU of whole organs, as classifiers of the contrast phase are told them.

Nothing is left out at an organ's surface, unlike in :mod:`osteoct.measure.tissues`: the classifier
was trained on medians of whole labels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from osteoct.compartments.axes import thinned
from osteoct.compartments.boxes import label_boxes
from osteoct.measure.tissues import MOST_POINTS, look_up
from osteoct.volume import CTVolume, LabelVolume


@dataclass(frozen=True, kw_only=True)
class OrganMedian:
    """An organ within the image: its size there, and its median HU."""

    volume_mm3: float
    median_hu: float


def measure_organs(
    ct: CTVolume, labels: LabelVolume, names: Iterable[str]
) -> dict[str, OrganMedian]:
    """Measure whole organs by name; one that has no voxel in the image is not in the answer.

    Parameters
    ----------
    labels
        Labels on any grid of the CT's patient space.
    """
    wanted, boxes = frozenset(names), label_boxes(labels)
    found: dict[str, OrganMedian] = {}
    for label, box in boxes.items():
        structure = labels.structures.get(label)
        if structure is None or structure.name not in wanted:
            continue
        index = np.argwhere(labels.array[box] == label)
        some = thinned(index, MOST_POINTS) + np.array([s.start for s in box])
        hu, _ = look_up(ct, labels.geometry.to_patient(some))
        if hu.size:
            found[structure.name] = OrganMedian(
                volume_mm3=len(index) * labels.geometry.voxel_volume_mm3,
                median_hu=float(np.median(hu)),
            )
    return found
