"""What is said before anything runs: package, version, weights. No package is needed here."""

from __future__ import annotations

import io
import sys

import pytest

from osteoct.errors import DependencyError, SegmenterUnavailableError, WeightsMissingError
from osteoct.segment.interface import SegmentOptions
from osteoct.segment.registry import make_segmenter
from osteoct.segment.spine_segment.segmenter import SpineSegmentSegmenter
from osteoct.segment.spine_segment.stages import Listener
from osteoct.segment.weights.catalogue import WeightsUser
from osteoct.segment.weights.condition import accept

NAMES = ("spine-locator", "vertebra-locator", "vertebra-segmenter", "process-body-segmenter")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package of that name and version, and a torch, as far as looking goes."""

    def make(version):
        site = tmp_path / "site"
        info = site / f"spine_segment-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: spine-segment\nVersion: {version}\n"
        )
        for name in ("spine_segment", "torch"):
            (site / name).mkdir()
            (site / name / "__init__.py").touch()
        monkeypatch.syspath_prepend(site)

    return make


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty place of weights; returns the folder of the bundle's files."""
    monkeypatch.setenv("SPINE_SEGMENT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models" / "v0.1.0" / "weights"


@pytest.fixture
def segmenter(install, place):  # noqa: ARG001 - they set the scene
    """The segmenter, the package installed, its weights not there."""
    install("0.1.6")
    return SpineSegmentSegmenter(SegmentOptions())


def _fill(place):
    """Files of the right names."""
    place.mkdir(parents=True)
    for name in NAMES:
        (place / f"{name}.pt").write_bytes(name.encode() * 100)


def test_it_is_registered_and_its_weights_can_be_fetched():
    """The first use announces and fetches what a ``WeightsUser`` lacks."""
    made = make_segmenter("spine-segment")
    assert isinstance(made, SpineSegmentSegmenter)
    assert isinstance(made, WeightsUser)
    assert [d.name for d in made.needed_weights().downloads] == ["spine-segment-v0.1.0"]


def test_without_the_package_one_line_says_what_to_install(monkeypatch, place):  # noqa: ARG001
    """Nothing is computed, nothing fetched."""
    monkeypatch.setitem(sys.modules, "spine_segment", None)
    segmenter = SpineSegmentSegmenter(SegmentOptions())
    with pytest.raises(DependencyError) as caught:
        segmenter.check()
    assert "spine-segment is not installed" in caught.value.line
    assert "pip install 'osteoct[spine-segment]'" in caught.value.line
    state = segmenter.describe()
    assert not state.is_installed
    assert state.hint is not None
    assert "pip install 'osteoct[spine-segment]'" in state.hint


@pytest.mark.parametrize("version", ["0.1.5", "0.2.0"])
def test_unknown_versions_are_refused(install, place, version):  # noqa: ARG001 - the place is set
    """Their files or labels may mean something else."""
    install(version)
    with pytest.raises(DependencyError) as caught:
        SpineSegmentSegmenter(SegmentOptions()).check()
    assert f"found {version}; wanted 0.1.6 or newer, below 0.2" in caught.value.line


@pytest.mark.parametrize("version", ["0.1.6", "0.1.10"])
def test_known_versions_go_on_to_the_weights(install, place, version):
    """From the oldest known on; 10 is more than 6."""
    install(version)
    _fill(place)
    segmenter = SpineSegmentSegmenter(SegmentOptions())
    accept(segmenter.needed_weights(), ["spine-segment-v0.1.0"])
    segmenter.check()
    assert segmenter.describe().version == version


def test_missing_weights_say_what_brings_them(segmenter):
    """The failure is the one that has them fetched on first use."""
    with pytest.raises(WeightsMissingError) as caught:
        segmenter.check()
    assert "spine-segment-v0.1.0 missing" in caught.value.line
    assert "osteoct weights fetch --segmenter spine-segment" in caught.value.line
    state = segmenter.describe()
    assert state.weights == {"spine-segment-v0.1.0": "missing"}
    assert state.licence == "none stated in its package (program and models)"
    assert state.hint is not None
    assert "osteoct weights fetch --segmenter spine-segment" in state.hint


@pytest.mark.parametrize("name", NAMES)
def test_weights_that_were_cut_off_are_told(segmenter, place, name):
    """A file without content is no model."""
    _fill(place)
    (place / f"{name}.pt").write_bytes(b"")
    with pytest.raises(WeightsMissingError) as caught:
        segmenter.check()
    assert f"weights/{name}.pt is cut off (0 bytes)" in caught.value.line


def test_altered_weights_stop_it(segmenter, place):
    """One of the networks is unpickled whole by the package: only known bytes may reach it."""
    _fill(place)
    with pytest.raises(SegmenterUnavailableError) as caught:
        segmenter.check()
    assert "the weights spine-segment-v0.1.0 were altered" in caught.value.line
    assert not isinstance(caught.value, WeightsMissingError)


def test_another_backend_needs_no_weights(install, place):  # noqa: ARG001 - the place is set
    """The bundle is that of the package's own networks."""
    install("0.1.6")
    SpineSegmentSegmenter(SegmentOptions(), backend="somebody:make").check()


def test_printed_lines_become_stages():
    """Lines of version 0.1.6, cut anywhere; whatever else is printed is kept in the log."""
    told, log = [], io.StringIO()
    listener = Listener(lambda **said: told.append(said), log)
    text = (
        "[spine-segment] loading native PyTorch checkpoints from x\nsomething else\n"
        "[spine-segment] running spine localization model\n"
        "[spine-segment] running vertebra segmentation model for 2 landmarks\n"
        "[spine-segment] preparing vertebra segmentation patch 1/2 label=20\n"
        "[spine-segment] preparing vertebra segmentation patch 2/2 label=21\n"
        "[spine-segment] running process/body relabel model from vertebral segmentation\n"
    )
    for start in range(0, len(text), 7):
        listener.write(text[start : start + 7])
    listener.begin(None)
    assert log.getvalue() == text
    assert told == [
        {"stage": "start"},
        {"stage": "locate"},
        {"stage": "vertebrae"},
        {"stage": "vertebrae", "done": 0, "total": 2},
        {"stage": "vertebrae", "done": 1, "total": 2},
        {"stage": "vertebrae", "done": 2, "total": 2},
        {"stage": "bodies"},
    ]
    assert list(listener.seconds) == ["start", "locate", "vertebrae", "bodies"]
    assert listener.patches == {"vertebrae": 2}
