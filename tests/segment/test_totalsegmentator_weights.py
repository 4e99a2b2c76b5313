"""Weights that are missing or cut off are found before the package would download them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from osteoct.errors import SegmenterUnavailableError
from osteoct.segment.interface import Quality
from osteoct.segment.totalsegmentator.plan import BODIES, PLANS
from osteoct.segment.totalsegmentator.weights import (
    CHECKPOINT,
    WeightsFolder,
    check_weights,
    find_fault,
    find_faults,
    weights_folder,
)

MODELS = PLANS[Quality.BEST].models


@pytest.fixture
def place(tmp_path):
    """A folder in which every model looks whole."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", b"x" * 1000)
    for model in MODELS:
        trained = tmp_path / model.trained
        (trained / CHECKPOINT).parent.mkdir(parents=True)
        (trained / CHECKPOINT).write_bytes(archive.getvalue())
        for name in ("plans.json", "dataset.json"):
            (trained / name).write_text(json.dumps({}), encoding="utf-8")
    return WeightsFolder(path=tmp_path, shown="the folder")


def test_whole_models_pass(place):
    """The check must be able to pass."""
    assert find_faults(place, MODELS) == {}
    check_weights(place, MODELS)


def _cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


@pytest.mark.parametrize("change", [Path.unlink, _cut_off, lambda f: f.write_bytes(b"")])
@pytest.mark.parametrize("name", [CHECKPOINT, "plans.json", "dataset.json"])
def test_each_file_must_be_there_whole(place, name, change):
    """A download that broke off at any point; the package would fail deep inside."""
    file = place.path / BODIES.trained / name
    file.write_bytes(file.read_bytes() + b" " * 40 if name != CHECKPOINT else file.read_bytes())
    if change is _cut_off and name != CHECKPOINT:
        file.write_text('{"a": ', encoding="utf-8")
    else:
        change(file)
    fault = find_fault(place.path, BODIES)
    assert fault is not None
    assert fault.startswith("incomplete")
    assert name in fault


def test_missing_models_are_all_named_with_what_brings_them(tmp_path):
    """One message with everything to do: the commands named are the package's own."""
    with pytest.raises(SegmenterUnavailableError) as caught:
        check_weights(WeightsFolder(path=tmp_path, shown="the folder"), MODELS)
    line = caught.value.line
    assert all(f"{model.folder} missing" in line for model in MODELS)
    assert "totalseg_download_weights -t total and" in line
    assert "totalseg_download_weights -t vertebrae_body" in line
    assert line.startswith("the folder: ")


def test_a_broken_model_must_be_deleted_first(place):
    """The package takes any folder that exists for a model that is there."""
    (place.path / BODIES.trained / CHECKPOINT).unlink()
    with pytest.raises(SegmenterUnavailableError, match="delete the incomplete folders, then run"):
        check_weights(place, MODELS)


def test_the_packages_own_variables_are_honoured():
    """In the package's order; the home folder is never written out, for it may name a person."""
    both = {"TOTALSEG_WEIGHTS_PATH": "/w", "TOTALSEG_HOME_DIR": "/h"}
    assert weights_folder(both).path == Path("/w")
    assert weights_folder({"TOTALSEG_HOME_DIR": "/h"}).path == Path("/h/nnunet/results")
    home = weights_folder({})
    assert home.path == Path.home() / ".totalsegmentator" / "nnunet" / "results"
    assert home.shown == "~/.totalsegmentator/nnunet/results"
