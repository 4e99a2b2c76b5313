"""Masks drawn too wide: arches that touch are no body, and no label leaks into another."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.compartments.column import stand_column
from osteoct.io.labels import read_labels
from osteoct.phantom.faults.outlines import grow_masks
from osteoct.phantom.faults.subject import make_subject
from osteoct.tidy.bodies import _find_swollen
from osteoct.tidy.column import read_column
from osteoct.tidy.sampled import sample
from osteoct.volume import CTVolume


@pytest.mark.parametrize("reach_mm", [1.5, 2.0])
def test_expert_masks_grown_keep_their_names(shared_data, reach_mm):
    """The arches of L4 and L5 touch and are as deep as a body; each body still bears one name."""
    path = shared_data / "verse-masks" / "sub-verse010_seg-vert_msk.nii.gz"
    masks = read_labels(path, scheme="verse").reoriented("RAS")
    ct = CTVolume(array=np.zeros(masks.array.shape, np.int16), geometry=masks.geometry)
    grown = grow_masks(make_subject(ct, masks), reach_mm).vertebrae
    bones = stand_column(grown).vertebrae
    reading = read_column(sample(grown, bones), bones)
    assert reading.mixups == ()
    assert len(reading.lumps.lumps) == 5
    sizes = [lump.volume_cm3 for lump in reading.lumps.lumps]
    assert max(sizes) < 1.6 * np.median(sizes)


@pytest.mark.parametrize(
    ("sizes", "swollen"),
    [
        ([10, 10, 10, 13, 10], []),
        ([10, 10, 10, 14, 10], [3]),
        ([10, 10, 10, 10, 14], [4]),
        ([10, 10, 10, 5, 10], []),
        ([10, 12, 15, 19, 24], []),
        ([10], []),
    ],
)
def test_what_is_swollen(sizes, swollen):
    """Beyond what clean bodies differ by, of both neighbours and of most; at the limit not yet."""
    assert _find_swollen(sizes) == swollen
