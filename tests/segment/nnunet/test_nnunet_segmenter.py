"""A model of somebody's, run by the real nnU-Net: here a stand-in whose weights are set by hand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from osteoct.anatomy import LUMBAR, Level, Part
from osteoct.cli import main
from osteoct.errors import SegmentationError
from osteoct.geometry import Geometry
from osteoct.io.labels import read_labels
from osteoct.io.nifti import write_ct
from osteoct.segment.interface import SegmentOptions
from osteoct.segment.registry import make_segmenter
from osteoct.segment.testing import check_segmenter, dice_by_level
from osteoct.segment.totalsegmentator.plan import BODIES, VERTEBRAE
from osteoct.volume import CTVolume

pytestmark = [pytest.mark.totalsegmentator, pytest.mark.slow]

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "level-map.toml"


def _segmenter(weights, model=VERTEBRAE, **options):
    return make_segmenter(
        "nnunet", SegmentOptions(device="cpu", model=weights / model.trained, **options)
    )


MIDDLE = (Level.L2, Level.L3, Level.L4)
"""Levels of the part of the spine that is looked at."""


@pytest.fixture(scope="module")
def part(nearest_hu):
    """L2 to L4 on the model's own grid: nnU-Net's cubic resampling rings where bone is this sharp,
    and the stand-in takes the rings for other levels.
    """
    spine = nearest_hu.scan_spine(pixel_mm=1.5, slice_mm=1.5)
    box = tuple(slice(0, n) for n in spine.ct.geometry.shape[:2])
    height = spine.ct.geometry.shape[2]
    box = (*box, slice(int(0.3 * height), int(0.78 * height)))
    ct, vertebrae = spine.ct.cropped(box), spine.vertebrae.cropped(box)
    return replace(ct, array=np.ascontiguousarray(ct.array)), vertebrae


class Once:
    """A segmenter, its first result kept."""

    def __init__(self, segmenter):
        self.inner, self.made = segmenter, []
        self.name, self.describe, self.check = segmenter.name, segmenter.describe, segmenter.check

    def segment(self, ct):
        self.made.append(self.inner.segment(ct))
        return self.made[-1]


def test_it_keeps_the_rules_of_segmenters(weights, part, tmp_path):
    """Deterministic, the same in any orientation, refuses air: the whole kit, in one process."""
    (tmp_path / "map.toml").write_text("[vertebrae]\nL2 = 6\nL3 = 5\nL4 = 4\n")
    heard = []
    segmenter = _segmenter(weights, level_map=tmp_path / "map.toml", progress=heard.append)
    with segmenter:
        once = Once(segmenter)
        check_segmenter(once, part[0])
    told = once.made[0].provenance
    assert list(told.weights) == [f"{VERTEBRAE.folder}/fold_0"]
    assert told.patches["vertebrae"] > 0
    assert heard[-1].done == heard[-1].total


def test_a_model_with_telling_names_needs_no_map(weights, part):
    """TotalSegmentator's own names say what its labels are."""
    made = _segmenter(weights).segment(part[0])
    dice = dice_by_level(part[1], made.vertebrae)
    assert min(dice[level] for level in MIDDLE) > 0.9
    assert made.bodies is None


def test_the_example_map_gives_the_same_levels(weights, part):
    """Numbers, names and lists mean what they say; another orientation is undone."""
    made = _segmenter(weights, level_map=EXAMPLE).segment(part[0])
    levels = {s.level for s in made.vertebrae.structures.values() if s.part is Part.VERTEBRA}
    assert levels == {Level.T12, *LUMBAR}
    dice = dice_by_level(part[1], made.vertebrae)
    assert min(dice[level] for level in MIDDLE) > 0.9


def test_parts_join_and_bodies_stand_alone(weights, part, tmp_path):
    """Two labels may be one vertebra, and bodies may have labels of their own."""
    text = (
        'orientation = "PIR"\nfolds = [0]\n[vertebrae]\nL3 = ["vertebrae_L3", "vertebrae_L4"]\n'
        "L2 = 6\n[bodies]\nL2 = 6\ndisc = 1\n"
    )
    (tmp_path / "map.toml").write_text(text)
    made = _segmenter(weights, level_map=tmp_path / "map.toml").segment(part[0])
    truth = part[1]
    wanted = np.isin(
        truth.array,
        [n for n, s in truth.structures.items() if s.level in (Level.L3, Level.L4)],
    )
    number = next(n for n, s in made.vertebrae.structures.items() if s.level is Level.L3)
    found = made.vertebrae.array == number
    assert 2 * (wanted & found).sum() / (wanted.sum() + found.sum()) > 0.9
    assert made.bodies is not None
    assert {s.part for s in made.bodies.structures.values()} == {Part.BODY, Part.DISC}


def test_air_is_refused(weights):
    """Never empty masks."""
    grid = Geometry.from_spacing((40, 40, 40), (3.0, 3.0, 3.0))
    air = CTVolume(array=np.full(grid.shape, -1000, np.int16), geometry=grid)
    with pytest.raises(SegmentationError, match="no vertebrae were found"):
        _segmenter(weights).segment(air)


def call(*args):
    """Exit code and standard error."""
    result = CliRunner().invoke(main, [str(a) for a in args], prog_name="osteoct")
    return result.exit_code, result.stderr


def test_from_the_command_line_to_masks(weights, part, tmp_path):
    """What is written is what analyze reads."""
    write_ct(part[0], tmp_path / "ct.nii.gz")
    out = tmp_path / "masks.nii.gz"
    code, said = call(
        *("segment", tmp_path / "ct.nii.gz", "-o", out, "--device", "cpu"),
        *("--segmenter", "nnunet", "--model", weights / VERTEBRAE.trained),
        *("--level-map", EXAMPLE),
    )
    assert code == 0, said
    masks = read_labels(out, scheme=None, part=Part.VERTEBRA)
    assert {s.level for s in masks.structures.values() if s.level} == {Level.T12, *LUMBAR}


@pytest.fixture
def copy(weights, tmp_path):
    """A copy of the model that may be damaged."""
    folder = tmp_path / "model"
    shutil.copytree(weights / VERTEBRAE.trained, folder)
    return folder


def _cut(folder):
    file = folder / "fold_0" / "checkpoint_final.pth"
    file.write_bytes(file.read_bytes()[:1000])


def _change(name, **values):
    def change(folder):
        file = folder / name
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    return change


@pytest.mark.parametrize(
    ("damage", "code", "says"),
    [
        (shutil.rmtree, 4, "no plans.json"),
        (lambda f: (f / "dataset.json").write_text("{"), 4, "dataset.json: JSONDecodeError"),
        (lambda f: shutil.rmtree(f / "fold_0"), 4, "no fold with a checkpoint_final.pth"),
        (_cut, 4, "fold_0/checkpoint_final.pth is cut off (1000 bytes)"),
        (_change("dataset.json", channel_names={"0": "T1"}), 2, "channels T1"),
        (_change("dataset.json", channel_names={"0": "CT", "1": "PET"}), 2, "channels CT, PET"),
        (_change("dataset.json", labels={"background": 0, "thing": 1}), 2, "its labels: 1 thing"),
        (_change("dataset.json", labels={"background": 0, "L1": [1, 2]}), 2, "region-based"),
    ],
)
def test_a_folder_that_will_not_do_is_refused_before_anything_runs(
    copy, tmp_path, damage, code, says
):
    """One line that says what is wrong and what to do; nothing is written."""
    damage(copy)
    (tmp_path / "ct.nii.gz").write_bytes(b"not looked at")
    out = tmp_path / "masks.nii.gz"
    given = ("--segmenter", "nnunet", "--model", copy)
    got, said = call("segment", tmp_path / "ct.nii.gz", "-o", out, *given)
    assert (got, len(said.splitlines())) == (code, 1)
    assert says in said
    assert not out.exists()


def test_a_model_of_bodies_alone_is_no_segmenter_of_vertebrae(weights, tmp_path):
    """Bodies without vertebrae cannot be measured under the study's protocol."""
    given = ("--segmenter", "nnunet", "--model", weights / BODIES.trained)
    code, said = call("segment", tmp_path / "ct", "-o", tmp_path / "m.nii.gz", *given)
    assert code == 2
    assert "tell no vertebra" in said
    assert "1 vertebrae_body" in said


def test_no_model_is_a_usage_error(tmp_path):
    """Which one cannot be guessed."""
    code, said = call("segment", tmp_path, "-o", tmp_path / "m.nii.gz", "--segmenter", "nnunet")
    assert code == 2
    assert "--model FOLDER" in said
