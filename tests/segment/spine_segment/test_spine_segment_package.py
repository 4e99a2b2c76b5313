"""The real spine-segment: with its own networks on drawn weights, and with a backend of ours.

Its trained weights are not at hand. What is tested is all that lies around them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from osteoct.anatomy import LUMBAR, SCHEMES, Level, Part
from osteoct.errors import SegmentationError, SegmenterUnavailableError
from osteoct.geometry import Geometry
from osteoct.segment.interface import SegmentOptions
from osteoct.segment.spine_segment.segmenter import SpineSegmentSegmenter
from osteoct.segment.spine_segment.stages import STAGES
from osteoct.segment.testing import check_segmenter, dice_by_level
from osteoct.volume import CTVolume

HERE = Path(__file__).parent
WHOLE = ("spine_segment", "torch")

pytestmark = [
    pytest.mark.totalsegmentator,
    pytest.mark.skipif(
        any(find_spec(name) is None for name in WHOLE),
        reason="spine-segment is not installed here: nox -s segmentation runs these",
    ),
]

FOUND = {Level.T12, *LUMBAR}


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory):
    """The bundle of drawn numbers, made in a process of its own: torch stays out of this one."""
    folder = tmp_path_factory.mktemp("spine-segment")
    script = HERE / "random_weights.py"
    subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, script, folder], check=True, timeout=120
    )
    return folder


@pytest.fixture
def drawn(random_weights, monkeypatch):
    """The package finds that bundle where it keeps its own."""
    monkeypatch.setenv("SPINE_SEGMENT_CACHE_DIR", str(random_weights))


@pytest.fixture(scope="module")
def hu():
    """A held segmenter whose networks are replaced by the backend that reads HU; what it heard."""
    heard = []
    with pytest.MonkeyPatch.context() as patch:
        folders = (HERE, HERE.parent, os.environ.get("PYTHONPATH", ""))
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, folders)))
        options = SegmentOptions(device="cpu", progress=heard.append)
        with SpineSegmentSegmenter(options, backend="hu_backend:create_backend") as segmenter:
            yield segmenter


@pytest.fixture(scope="module")
def made(hu, coarse_spine):
    """What it makes of the phantom."""
    return hu.segment(coarse_spine.ct)


@pytest.fixture
def noise():
    """A CT of bright noise, small enough for the real networks on a CPU."""
    grid = Geometry.from_spacing((24, 24, 24), (2.0, 2.0, 2.0))
    values = np.random.default_rng(0).integers(-100, 400, grid.shape)
    return CTVolume(array=values.astype(np.int16), geometry=grid)


def test_it_keeps_the_rules_of_segmenters(hu, coarse_spine):
    """Grid, names, order, bodies, provenance, equal in any orientation, air refused."""
    check_segmenter(hu, coarse_spine.ct)


def test_levels_and_bodies_are_those_that_the_backend_labelled(made, coarse_spine, nearest_hu):
    """Nothing is lost or moved on the way through files, numbers and orientations."""
    said = nearest_hu.NearestHuSegmenter().segment(coarse_spine.ct)
    dice = dice_by_level(said.vertebrae, made.vertebrae)
    assert {level for level, value in dice.items() if value > 0.95} == FOUND
    assert all(value == 1.0 for level, value in dice.items() if level in FOUND)
    assert made.bodies is not None
    for number, structure in made.bodies.structures.items():
        whole = _mask(said.vertebrae, structure.level)
        wanted = whole & (said.bodies.array == 1)
        np.testing.assert_array_equal(made.bodies.array == number, wanted)
    assert {s.part for s in made.bodies.structures.values()} == {Part.BODY}


def _mask(labels, level):
    """Voxels of a level."""
    numbers = [n for n, s in labels.structures.items() if s.level is level]
    return np.isin(labels.array, numbers)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "IAL"])
def test_orientation_changes_no_voxel(hu, made, coarse_spine, codes):
    """The CT is turned before the package sees it, and the labels are turned back."""
    turned = coarse_spine.ct.reoriented(codes)
    again = hu.segment(turned)
    assert again.vertebrae.geometry == turned.geometry
    back = again.vertebrae.reoriented(coarse_spine.ct.geometry.axis_codes)
    np.testing.assert_array_equal(back.array, made.vertebrae.array)


@pytest.mark.parametrize("shear", [0.0, 0.9e-3])
def test_an_oblique_grid_is_kept(hu, made, coarse_spine, shear):
    """Neither rotated axes nor the rounding of a header's cosines move a label."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", [14, -8, 5], degrees=True).as_matrix()
    affine[:3, :3] @= np.array([[1, 0, shear], [0, 1, 0], [0, 0, 1]])
    geometry = coarse_spine.ct.geometry
    tilted = Geometry(shape=geometry.shape, affine=affine @ geometry.affine)
    again = hu.segment(replace(coarse_spine.ct, geometry=tilted))
    assert again.vertebrae.geometry == tilted
    np.testing.assert_array_equal(again.vertebrae.array, made.vertebrae.array)
    np.testing.assert_array_equal(again.bodies.array, made.bodies.array)


def test_the_record_names_the_backend_and_no_weights(made):
    """Masks that the package's models did not make must not carry their hashes."""
    told = made.provenance
    assert (told.engine, told.weights, told.device) == ("hu_backend:create_backend", {}, "cpu")
    assert made.findings == ()


def test_the_real_networks_run_and_find_nothing(drawn, noise):  # noqa: ARG001 - the place is set
    """Bundle, both locators and device are real; networks that know nothing find no vertebra."""
    heard = []
    segmenter = SpineSegmentSegmenter(SegmentOptions(device="cpu", progress=heard.append))
    with pytest.raises(SegmentationError, match="no vertebrae were found") as caught:
        segmenter.segment(noise)
    assert not isinstance(caught.value, SegmenterUnavailableError)
    assert "vertebra localization found no valid landmarks" in caught.value.line
    assert len(caught.value.line.splitlines()) == 1
    assert [progress.stage for progress in heard] == ["start", "locate"]


def test_drawn_weights_are_told_of(drawn):  # noqa: ARG001 - the place is set
    """A bundle that is not the published one is used only because it was accepted by name."""
    segmenter = SpineSegmentSegmenter(SegmentOptions(device="cpu"))
    segmenter.check()
    assert [finding.code for finding in segmenter._doubts()] == ["weights-accepted"]
    assert segmenter.describe().hint is None


@pytest.mark.parametrize(
    ("options", "backend", "error", "says"),
    [
        ({"limit_s": 0.01}, "hu_backend", SegmenterUnavailableError, "took longer than it may"),
        ({}, "no_such_module", SegmentationError, "spine-segment failed; found ModuleNotFound"),
        ({"device": "gpu:99"}, "hu_backend", SegmenterUnavailableError, "has no such device"),
    ],
)
def test_a_failure_is_one_line(options, backend, error, says, noise):
    """Time, the package's own failures, and a GPU that is not there."""
    segmenter = SpineSegmentSegmenter(
        SegmentOptions(**({"device": "cpu"} | options)), backend=backend
    )
    with pytest.raises(error, match=says) as caught:
        segmenter.segment(noise)
    assert len(caught.value.line.splitlines()) == 1


def test_it_prints_the_words_that_stages_are_told_by():
    """Another version may print others: progress would be lost without a word."""
    folder = Path(find_spec("spine_segment").origin).parent
    printed = re.findall(
        r"_print_progress\(([^)]*)", (folder / "native_torch_backend.py").read_text("utf-8")
    )
    for words, stage in STAGES:
        assert any(words.search(line) for line in printed), stage


SEQUENCE = """
from spine_segment.graph_resources import load_spine_graph_resources
from spine_segment.native_torch_backend import _landmark_label_from_index as number

successors = load_spine_graph_resources()[0]
steps = [(number(a), number(b)) for a in range(26) for b in successors[a]]
print([step for step in steps if 28 in step])
"""


def test_28_is_a_thirteenth_thoracic_vertebra():
    """Its README calls 28 the sacrum; the sequence its models obey puts it between T12 and L1."""
    asked = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", SEQUENCE], check=True, capture_output=True, text=True, timeout=60
    )
    structures = SCHEMES["spine-segment"].structures
    assert asked.stdout.strip() == "[(19, 28), (28, 20)]"
    assert [structures[n].level for n in (19, 28, 20)] == [Level.T12, Level.T13, Level.L1]
