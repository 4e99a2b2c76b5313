"""What is shipped as known is complete, and fits the segmenters that use it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from osteoct.errors import ConfigError
from osteoct.segment.interface import Quality
from osteoct.segment.totalsegmentator.plan import PLANS
from osteoct.segment.totalsegmentator.weights import CHECKPOINT
from osteoct.segment.weights.catalogue import SOURCES, find_downloads, find_needs
from osteoct.segment.weights.place import spine_segment_folder, totalsegmentator_folder

ALL = [download for source in SOURCES for download in source.downloads]


@pytest.mark.parametrize("download", ALL, ids=lambda d: d.name)
def test_every_entry_is_complete(download):
    """An address over https, hashes that are hashes, a licence, a purpose."""
    assert download.url.startswith("https://github.com/")
    assert download.url.endswith(".zip")
    hashes = [*download.sha256.values(), download.archive_sha256 or "0" * 64]
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes)
    assert set(download.sha256) <= set(download.needed)
    assert bool(download.source) == download.is_known
    assert download.licence
    assert download.purpose
    assert download.qualities


@pytest.mark.parametrize("quality", Quality)
def test_the_catalogue_brings_what_the_plan_loads(quality):
    """Folder for folder and file for file; one missing would be fetched by nobody."""
    (need,) = find_needs("totalsegmentator", quality)
    models = PLANS[quality].models
    assert {d.folder for d in need.downloads} == {m.folder for m in models}
    for model, download in zip(
        models, find_downloads("totalsegmentator", [m.folder for m in models]), strict=True
    ):
        files = {f"{model.folder}/{name}" for name in download.needed}
        assert f"{model.trained}/{CHECKPOINT}" in files
        assert all(file.startswith(f"{model.trained}/") for file in files)


def test_names_are_used_once():
    """A model is named by ``--accept`` without its segmenter."""
    assert len({d.name for d in ALL}) == len(ALL)


def test_both_names_of_totalsegmentator_have_its_weights():
    """The reference through the package's own API uses the same."""
    assert find_needs("totalsegmentator-api")[0].downloads == find_needs()[0].downloads
    with pytest.raises(ConfigError, match="precomputed"):
        find_needs("precomputed")


def test_totalsegmentators_own_variables_are_honoured():
    """In the package's order; the home folder is never written out, for it may name a person."""
    both = {"TOTALSEG_WEIGHTS_PATH": "/w", "TOTALSEG_HOME_DIR": "/h"}
    assert totalsegmentator_folder(both).path == Path("/w")
    below_home = totalsegmentator_folder({"TOTALSEG_HOME_DIR": "/h"})
    assert below_home.path == Path("/h/nnunet/results")
    home = totalsegmentator_folder({})
    assert home.path == Path.home() / ".totalsegmentator" / "nnunet" / "results"
    assert home.shown == "~/.totalsegmentator/nnunet/results"


@pytest.mark.parametrize(
    ("system", "variables", "path", "shown"),
    [
        ("linux", {}, "~/.cache/spine-segment", "~/.cache/spine-segment"),
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/spine-segment", "XDG_CACHE_HOME=/c/spine-segment"),
        ("darwin", {}, "~/Library/Caches/spine-segment", "~/Library/Caches/spine-segment"),
        ("linux", {"SPINE_SEGMENT_CACHE_DIR": "/s"}, "/s", "SPINE_SEGMENT_CACHE_DIR=/s"),
    ],
)
def test_spine_segments_own_places_are_honoured(monkeypatch, system, variables, path, shown):
    """As its version 0.1.6 has them, system by system."""
    monkeypatch.setattr("sys.platform", system)
    place = spine_segment_folder(variables)
    assert place.path == Path(path).expanduser() / "models"
    assert place.shown == f"{shown}/models"
