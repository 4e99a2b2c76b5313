"""Small patients are small, and what they were made of is what is measured in them."""

from __future__ import annotations

import pytest

from osteoct.analysis import analyze
from osteoct.anatomy import Level
from osteoct.phantom.small import ONE_LEVEL, TWO_LEVELS, write_small_patient
from osteoct.phantom.spine import BoneMake
from osteoct.protocols import Region


@pytest.mark.parametrize(
    ("scanner", "levels", "shape"),
    [
        (ONE_LEVEL, (Level.L1,), (52, 55, 24)),
        (TWO_LEVELS, (Level.L1, Level.L2), (70, 74, 45)),
    ],
    ids=["one", "two"],
)
def test_the_core_has_the_hu_it_was_made_with(tmp_path, scanner, levels, shape):
    """Tests of batches compare with this truth; a core too small to be measured would have none."""
    write_small_patient(tmp_path, scanner, bone=BoneMake(other_trabecular_hu=180.0))
    result = analyze(
        tmp_path / "ct.nii.gz",
        tmp_path / "masks.nii.gz",
        body_masks=tmp_path / "body-masks.nii.gz",
        case_id="small",
    )
    assert result.grid.shape == shape
    for level in levels:
        core = result.level(level).region("body-core-4", Region.TRABECULAR)
        assert core.hu.mean_hu == pytest.approx(180.0, abs=5.0)
