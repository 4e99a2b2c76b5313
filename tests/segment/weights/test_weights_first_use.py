"""``analyze`` and ``segment`` fetch what is missing once, after saying so, and never unasked."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import osteoct
from osteoct.cli import main
from osteoct.errors import WeightsMissingError
from osteoct.io.nifti import write_ct, write_labels
from osteoct.segment.interface import Quality, SegmentOptions
from osteoct.segment.registry import make_segmenter
from osteoct.segment.weights.catalogue import WeightsUser
from osteoct.segment.weights.presence import check_presence, fetch_command
from osteoct.segment.weights.trust import check_unaltered


def call(*arguments):
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], prog_name="osteoct")
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def ct(coarse_spine, tmp_path_factory):
    """The coarse spine on the disk."""
    path = tmp_path_factory.mktemp("ct") / "ct.nii.gz"
    write_ct(coarse_spine.ct, path)
    return path


@pytest.fixture
def hungry(plugin, nearest_hu, one, monkeypatch):
    """The test's segmenter, as one that needs weights; it is named by what is returned."""

    def check(_):
        check_presence(one)
        check_unaltered(one)

    kind = nearest_hu.NearestHuSegmenter
    monkeypatch.setattr(kind, "needed_weights", lambda _: one, raising=False)
    monkeypatch.setattr(kind, "check", check)
    return plugin


@pytest.mark.parametrize("command", ["analyze", "segment"])
def test_weights_are_fetched_once_and_announced(hungry, ct, server, tmp_path, command):
    """Size, source, destination and how to forbid it, before the first byte; then never again."""
    out = tmp_path / "out.nii.gz"
    code, _, said = call(command, ct, "-o", out, "--segmenter", hungry)
    assert code == 0
    first = said.splitlines()[0]
    assert first.startswith("fetching 201 kB of weights from 127.0.0.1:")
    assert first.endswith("; this is done once; --offline forbids it")
    assert out.exists()
    server.asked.clear()
    code, _, said = call(command, ct, "-o", out, "--segmenter", hungry, "--overwrite")
    assert code == 0
    assert "fetching" not in said
    assert server.asked == []


@pytest.mark.parametrize("command", ["analyze", "segment"])
@pytest.mark.parametrize("is_option", [True, False])
def test_offline_forbids_it(hungry, ct, server, tmp_path, monkeypatch, command, is_option):
    """Exit code 4, one line, and what brings the weights otherwise."""
    if not is_option:
        monkeypatch.setenv("OSTEOCT_OFFLINE", "1")
    out, extra = tmp_path / "out.nii.gz", ("--offline",) if is_option else ()
    code, _, said = call(command, ct, "-o", out, "--segmenter", hungry, *extra)
    assert code == 4
    (line,) = said.splitlines()
    for words in ("missing", "forbids fetching", "osteoct weights fetch", "osteoct weights import"):
        assert words in line
    assert server.asked == []
    assert not out.exists()


@pytest.mark.parametrize("command", ["analyze", "segment"])
def test_nothing_is_fetched_for_what_would_be_refused(hungry, ct, server, tmp_path, command):
    """A misspelt path, a place that is taken, wrong usage: told before megabytes move."""
    taken = tmp_path / "taken.nii.gz"
    taken.write_text("mine")
    out = tmp_path / "out.nii.gz"
    assert call(command, tmp_path / "no-such-ct", "-o", out, "--segmenter", hungry)[0] == 3
    assert call(command, ct, "-o", taken, "--segmenter", hungry)[0] == 2
    if command == "analyze":
        for extra in (("--body-masks", ct), ("--case-id", "../x"), ("--levels", "L9")):
            assert call(command, ct, "-o", out, "--segmenter", hungry, *extra)[0] == 2
    assert server.asked == []


def test_a_fetch_that_fails_is_told_and_the_next_works(hungry, ct, server, tmp_path):
    """The network went: exit code 4, nothing written, and the next run goes on."""
    server.statuses = [404]
    out = tmp_path / "out.nii.gz"
    code, _, said = call("segment", ct, "-o", out, "--segmenter", hungry)
    assert code == 4
    assert "404" in said.splitlines()[-1]
    assert not out.exists()
    assert call("segment", ct, "-o", out, "--segmenter", hungry)[0] == 0


def test_altered_weights_stop_before_the_ct_is_read(hungry, one, ct, server, tmp_path):
    """They are never fetched over in silence."""
    out = tmp_path / "out.nii.gz"
    assert call("segment", ct, "-o", out, "--segmenter", hungry)[0] == 0
    server.asked.clear()
    (one.place.path / one.downloads[0].folder / one.downloads[0].needed[0]).write_text("{}")
    code, _, said = call("analyze", ct, "-o", tmp_path / "o", "--segmenter", hungry)
    assert code == 4
    assert "were altered" in said
    assert server.asked == []


def test_the_library_never_fetches(hungry, ct, server):
    """A program that uses osteoct decides itself."""
    with pytest.raises(WeightsMissingError, match="osteoct weights fetch"):
        osteoct.analyze(ct, segmenter=make_segmenter(hungry))
    assert server.asked == []


@pytest.fixture
def spine_segment(models, know, server, place, tmp_path, monkeypatch):  # noqa: ARG001 - the scene
    """Its package as far as looking goes, and a bundle of noise on the server, none here."""
    site = tmp_path / "site"
    for name in ("spine_segment", "torch"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").touch()
    info = site / "spine_segment-0.1.6.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spine-segment\nVersion: 0.1.6\n")
    monkeypatch.syspath_prepend(site)
    archive = models.make_archive("v0.1.0")
    know({"v0.1.0": archive})
    server.files[models.path_of("v0.1.0")] = archive
    return tmp_path / "spine-segment" / "models" / "v0.1.0" / "weights"


def test_spine_segments_bundle_comes_on_first_use_too(spine_segment, ct, server, tmp_path):
    """It lands where its own program keeps it; that it is noise is then told in one line."""
    out = tmp_path / "out.nii.gz"
    asked = ("segment", ct, "-o", out, "--segmenter", "spine-segment", "--device", "cpu")
    assert call(*asked, "--offline")[0] == 4
    assert not spine_segment.exists()
    code, _, said = call(*asked)
    first, *_, last = said.splitlines()
    assert first.startswith("fetching ")
    assert "of weights from 127.0.0.1:" in first
    assert len(list(spine_segment.glob("*.pt"))) == 4
    assert code == 3
    assert "spine-segment failed" in last
    assert str(tmp_path) not in last
    assert not out.exists()
    server.asked.clear()
    call(*asked)
    assert server.asked == []


def test_masks_need_no_weights(ct, coarse_spine, server, tmp_path):
    """Nothing is asked for where nothing is segmented."""
    masks = tmp_path / "m.nii.gz"
    write_labels(coarse_spine.vertebrae, masks)
    assert call("analyze", ct, "--masks", masks, "-o", tmp_path / "o")[0] == 0
    assert server.asked == []


@pytest.mark.parametrize(
    ("quality", "has_tissues", "command"),
    [
        (Quality.BEST, False, "osteoct weights fetch"),
        (Quality.FAST, False, "osteoct weights fetch --quality fast"),
        (Quality.BEST, True, "osteoct weights fetch --quality all"),
    ],
)
def test_totalsegmentator_says_what_it_needs(quality, has_tissues, command):
    """The default segmenter takes part, whether or not its package is installed."""
    options = SegmentOptions(quality=quality, with_tissues=has_tissues)
    segmenter = make_segmenter("totalsegmentator", options)
    assert isinstance(segmenter, WeightsUser)
    assert fetch_command(segmenter.needed_weights().downloads) == command
