"""Weights that are missing or cut off are found before the package would download them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from osteoct.errors import SegmenterUnavailableError, WeightsMissingError
from osteoct.segment.interface import Quality
from osteoct.segment.totalsegmentator.plan import BODIES, PLANS
from osteoct.segment.totalsegmentator.weights import CHECKPOINT, hash_weights, weights_needed
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.presence import check_presence, find_fault, find_faults

MODELS = PLANS[Quality.BEST].models
(BODIES_DOWNLOAD,) = weights_needed([BODIES]).downloads


@pytest.fixture
def need(tmp_path):
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
    return weights_needed(MODELS, WeightsFolder(path=tmp_path, shown="the folder"))


def test_whole_models_pass(need):
    """The check must be able to pass."""
    assert find_faults(need) == {}
    check_presence(need)


def _cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


@pytest.mark.parametrize("change", [Path.unlink, _cut_off, lambda f: f.write_bytes(b"")])
@pytest.mark.parametrize("name", [CHECKPOINT, "plans.json", "dataset.json"])
def test_each_file_must_be_there_whole(need, name, change):
    """A download that broke off at any point; the package would fail deep inside."""
    file = need.place.path / BODIES.trained / name
    file.write_bytes(file.read_bytes() + b" " * 40 if name != CHECKPOINT else file.read_bytes())
    if change is _cut_off and name != CHECKPOINT:
        file.write_text('{"a": ', encoding="utf-8")
    else:
        change(file)
    fault = find_fault(need.place.path, BODIES_DOWNLOAD)
    assert fault is not None
    assert fault.startswith("incomplete")
    assert name in fault


def test_missing_models_are_all_named_with_what_brings_them(tmp_path):
    """One message with everything to do, with internet and without."""
    need = weights_needed(MODELS, WeightsFolder(path=tmp_path, shown="the folder"))
    with pytest.raises(WeightsMissingError) as caught:
        check_presence(need)
    line = caught.value.line
    assert all(f"{model.folder} missing" in line for model in MODELS)
    assert "osteoct weights fetch brings them" in line
    assert "osteoct weights import FILE" in line
    assert "TOTALSEG_WEIGHTS_PATH" in line
    assert line.startswith("the folder: ")


def test_a_broken_model_can_be_fetched_as_well(need):
    """A fetch puts a whole one in its place."""
    (need.place.path / BODIES.trained / CHECKPOINT).unlink()
    with pytest.raises(WeightsMissingError, match="osteoct weights fetch"):
        check_presence(need)


def test_what_may_not_be_read_is_not_to_be_fetched(need, monkeypatch):
    """Of another user: fetching would not help. Root may read anything, so the refusal is made."""

    def refuse(_):
        raise PermissionError

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(SegmenterUnavailableError, match="cannot be read") as caught:
        check_presence(need)
    assert not isinstance(caught.value, WeightsMissingError)


def test_a_result_names_the_checkpoints_by_their_hashes(need):
    """Of all files of a model it is the one that computes; the others are compared as well."""
    hashes = hash_weights(need, MODELS)
    data = (need.place.path / BODIES.trained / CHECKPOINT).read_bytes()
    assert set(hashes) == {model.folder for model in MODELS}
    assert hashes[BODIES.folder] == hashlib.sha256(data).hexdigest()
