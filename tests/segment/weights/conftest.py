"""Small models on a server of this machine, and a catalogue that knows them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from osteoct.segment.weights import catalogue
from osteoct.segment.weights.catalogue import find_needs

HERE = Path(__file__).parent


def _load(name):
    """A module beside the tests, which lie in no package."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


small = _load("small_models")
servers = _load("weights_server")


@pytest.fixture
def models():
    """The module of the small models."""
    return small


@pytest.fixture
def server_kit():
    """The module of the servers."""
    return servers


@pytest.fixture(autouse=True)
def _plain_network(monkeypatch):
    """No proxy and no mirror of the person who runs the tests; fetching is what is tested."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("OSTEOCT_OFFLINE", raising=False)
    # nothing but loopback may ever be asked
    monkeypatch.setenv("OSTEOCT_WEIGHTS_MIRROR", "http://127.0.0.1:9")


@pytest.fixture
def archives():
    """The archives of every small model."""
    return {f: small.make_archive(f) for f in (*small.BEST, small.THREE_MM)}


@pytest.fixture
def server(archives, monkeypatch):
    """Serves the archives and is the mirror of this process."""
    with servers.running(servers.Archives()) as made:
        made.files = {small.path_of(folder): data for folder, data in archives.items()}
        monkeypatch.setenv("OSTEOCT_WEIGHTS_MIRROR", made.url)
        yield made


@pytest.fixture
def know(monkeypatch):
    """Set what the catalogue of this process knows."""

    def tell(archives, **options):
        told = small.describe(archives, **options)
        monkeypatch.setattr(catalogue, "SOURCES", small.make_sources(told))
        return told

    return tell


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder of weights."""
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path / "weights"))
    monkeypatch.setenv("SPINE_SEGMENT_CACHE_DIR", str(tmp_path / "spine-segment"))
    return tmp_path / "weights"


@pytest.fixture
def best(archives, know, server, place):  # noqa: ARG001 - they set the scene
    """What ``--quality best`` needs, of unknown hashes, on a server that behaves."""
    know(archives)
    return find_needs("totalsegmentator", catalogue.Quality.BEST)[0]


@pytest.fixture
def one(best):
    """The same for the model of 6 mm alone."""
    first = best.downloads[:1]
    assert first[0].folder == small.LOCATE
    return catalogue.WeightsNeed(place=best.place, downloads=first)


@pytest.fixture
def command(archives, server, place, tmp_path):  # noqa: ARG001 - the place is set
    """Start ``osteoct`` in a process of its own with the catalogue of the small models."""
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(small.describe(archives)), encoding="utf-8")

    def start(*arguments, **environment):
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, HERE / "small_models.py", file, *map(str, arguments)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def run(command):
    """The same, waited for: exit code, standard output, standard error."""

    def wait(*arguments, **environment):
        process = command(*arguments, **environment)
        out, said = process.communicate(timeout=60)
        return process.returncode, out, said

    return wait
