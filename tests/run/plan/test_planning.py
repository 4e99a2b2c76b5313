"""From a source to work with keys; what the plan found reaches the result."""

from __future__ import annotations

import pytest

from osteoct.config import AnalysisConfig
from osteoct.errors import ConfigError
from osteoct.io.dicom.series import read_dicom
from osteoct.run.plan.choices import Patterns, SegmenterChoice, make_choices
from osteoct.run.plan.opening import open_source
from osteoct.run.plan.planning import plan
from osteoct.run.records import Cause, Refusal
from osteoct.run.store.opening import open_store
from osteoct.run.work.measuring import MeasuringStage

SEGMENTER = SegmenterChoice(version="1")


@pytest.fixture
def planned(secret):
    """The plan of a source."""

    def make(root, **chosen):
        choices = make_choices(root, **chosen)
        return list(plan(open_source(choices, secret=secret), choices, secret=secret))

    return make


def test_a_plan_made_twice_is_the_same(study, planned, tmp_path):
    """Otherwise every case of an archive would be done again."""
    study(tmp_path / "a", "1.2.10")
    study(tmp_path / "b", "1.2.20", skip=(2,))
    assert planned(tmp_path, segmenter=SEGMENTER) == planned(tmp_path, segmenter=SEGMENTER)


def test_a_late_slice_is_new_work_of_the_same_case(study, planned, tmp_path):
    """The case keeps its name, and its masks are made again."""
    study(tmp_path / "a", n=5, uid="1.9")
    (before,) = planned(tmp_path, segmenter=SEGMENTER)
    study(tmp_path / "late", n=6, uid="1.9")
    for number in range(5):
        (tmp_path / "late" / f"{number:03d}.dcm").unlink()
    (after,) = planned(tmp_path, segmenter=SEGMENTER)
    assert after.voxels > before.voxels
    assert after.case_id == before.case_id
    assert after.key != before.key
    assert after.segment_key != before.segment_key


def test_a_new_series_that_is_not_taken_keeps_the_masks(study, planned, tmp_path):
    """The choice is told anew in the result; the CT is the same."""
    study(tmp_path / "a", n=8)
    (before,) = planned(tmp_path, segmenter=SEGMENTER)
    study(tmp_path / "b", n=4)
    (after,) = planned(tmp_path, segmenter=SEGMENTER)
    assert after.inputs == before.inputs
    assert after.segment_key == before.segment_key
    assert after.key != before.key


def test_nothing_to_make_masks_is_told_at_once(study, planned, tmp_path):
    """Not after an hour of reading."""
    study(tmp_path / "a")
    (refusal,) = planned(tmp_path)
    assert isinstance(refusal, Refusal)
    assert refusal.cause is Cause.CONFIGURATION


def test_masks_that_exist_need_no_segmenter(planned, tmp_path):
    """Nothing is segmented, and the key tells so."""
    for name in ("ct.nii.gz", "seg.nii.gz"):
        (tmp_path / name).write_bytes(b"x")
    patterns = Patterns(ct="ct.nii.gz", masks="{parent}/seg.nii.gz")
    (item,) = planned(tmp_path, patterns=patterns)
    assert item.segment_key is None
    assert planned(tmp_path, patterns=patterns, segmenter=SEGMENTER) == [item]


def test_a_manifest_takes_no_patterns(planned, tmp_path):
    """It names its files itself."""
    with pytest.raises(ConfigError, match="a manifest names its files itself"):
        planned(tmp_path / "m.csv", patterns=Patterns(ct="*"))


def test_the_worker_hands_on_what_the_plan_found(study, planned, tmp_path):
    """It sees the chosen files alone and would not know of the tie; the reader of all does."""
    study(tmp_path / "in" / "a", tags={"SeriesNumber": 1}, n=3)
    study(tmp_path / "in" / "b", tags={"SeriesNumber": 2}, n=3)
    (item,) = planned(tmp_path / "in", segmenter=SEGMENTER)
    with open_store(str(tmp_path / "store")) as store:
        prepared = MeasuringStage(store, AnalysisConfig()).prepare(item)
    codes = [finding.code for finding in prepared.read.volume.findings]
    prepared.files.close()
    assert codes[:2] == ["series-tie", "series-chosen"]
    assert read_dicom(tmp_path / "in").findings == prepared.read.volume.findings[:2]
