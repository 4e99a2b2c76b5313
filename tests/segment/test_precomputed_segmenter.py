"""Masks from files behave as the masks of a model."""

from __future__ import annotations

import numpy as np
import pytest

from osteoct.errors import ConfigError
from osteoct.io.nifti import write_labels
from osteoct.segment.interface import SegmentOptions
from osteoct.segment.registry import make_segmenter
from osteoct.segment.testing import check_segmenter


@pytest.fixture
def options(coarse_spine, tmp_path):
    """Masks on the disk, their axes turned."""
    masks, bodies = tmp_path / "masks.nii.gz", tmp_path / "bodies.nii.gz"
    write_labels(coarse_spine.vertebrae.reoriented("RAS"), masks)
    write_labels(coarse_spine.body_and_discs, bodies)
    return SegmentOptions(masks=masks, body_masks=bodies)


def test_it_keeps_the_rules(options, coarse_spine):
    """All but one: masks that were made already are there whatever the image shows."""
    segmenter = make_segmenter("precomputed", options)
    check_segmenter(segmenter, coarse_spine.ct, skip=["refuses-nothing"])
    made = segmenter.segment(coarse_spine.ct)
    assert np.array_equal(made.vertebrae.array, coarse_spine.vertebrae.array)
    assert set(made.provenance.weights) == {"masks", "body-masks"}


def test_it_needs_masks(coarse_spine):
    """Said before the CT is read."""
    segmenter = make_segmenter("precomputed")
    for call in (segmenter.check, lambda: segmenter.segment(coarse_spine.ct)):
        with pytest.raises(ConfigError, match="--masks"):
            call()
