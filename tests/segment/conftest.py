"""A spine whose HU tell the levels, a segmenter that reads them, and stand-in weights."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _load(name):
    """A module beside the tests, which lie in no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def pytest_collection_modifyitems(items):
    """Skip what needs the real package, where it is not installed."""
    if find_spec("totalsegmentator") is not None:
        return
    reason = "TotalSegmentator is not installed here: nox -s segmentation runs these"
    for item in items:
        if item.get_closest_marker("totalsegmentator"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    """No test reads the key or the weights of the person who runs it."""
    for name in ("OSTEOCT_KEY_FILE", "OSTEOCT_DEBUG", "TOTALSEG_HOME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OSTEOCT_KEY", "a key for tests, not for patients")
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", "no-such-folder")


@pytest.fixture(scope="session")
def nearest_hu():
    """The module of the phantom and its segmenter."""
    return _load("nearest_hu")


@pytest.fixture(scope="session")
def coarse_spine(nearest_hu):
    """A scan of 2 mm voxels; tests only read it."""
    return nearest_hu.scan_spine(pixel_mm=2.0, slice_mm=2.0)


@pytest.fixture(scope="session")
def spine(nearest_hu):
    """A scan of 1.0 × 1.0 × 1.5 mm; tests only read it."""
    return nearest_hu.scan_spine(pixel_mm=1.0, slice_mm=1.5)


@pytest.fixture
def plugin(nearest_hu, tmp_path, monkeypatch):  # noqa: ARG001 - loaded by name
    """The test's segmenter installed as any package would install one; returns its name."""
    info = tmp_path / "site" / "nearest_hu-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nearest-hu\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[osteoct.segmenters]\nnearest-hu = nearest_hu:NearestHuSegmenter\n"
        "nearest-hu-tissues = nearest_hu:TissueHuSegmenter\n"
        "broken = no_such_module:Nothing\nother = builtins:str\n"
    )
    monkeypatch.syspath_prepend(info.parent)
    return "nearest-hu"


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A folder of stand-in weights, made in a process of its own: torch stays out of this one."""
    folder = tmp_path_factory.mktemp("weights")
    environment = {**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))}
    subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, HERE / "standin.py", folder], check=True, env=environment, timeout=120
    )
    return folder
