"""One file carries the models to a machine without internet, and nothing of it is believed."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from osteoct.errors import SegmenterUnavailableError, UnreadableInputError
from osteoct.segment.weights.bundle import MANIFEST, export_bundle, import_bundle
from osteoct.segment.weights.catalogue import WeightsNeed
from osteoct.segment.weights.fetch import fetch
from osteoct.segment.weights.ledger import read_ledger
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.presence import find_faults
from osteoct.segment.weights.trust import Trust, check_unaltered, find_doubts, trust_of


@pytest.fixture
def bundle(best, tmp_path):
    """A bundle of the models of the best quality."""
    fetch(best)
    path = tmp_path / "weights.bundle"
    export_bundle([best], path)
    return path


@pytest.fixture
def elsewhere(best, tmp_path):
    """The same models on another machine, where none is."""
    place = WeightsFolder(path=tmp_path / "other machine", shown="there")
    return WeightsNeed(place=place, downloads=best.downloads)


def rewrite(path, change, *, method=zipfile.ZIP_STORED):
    """The same bundle with its files by name changed."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def retell(path, change):
    """The same bundle with another manifest."""

    def change_file(files):
        told = json.loads(files[MANIFEST])
        change(told)
        files[MANIFEST] = json.dumps(told).encode()

    rewrite(path, change_file)


def nothing_is_left(need):
    """Not a model, not a hidden folder, not a record."""
    return [p.name for p in need.place.path.glob("*") if not p.name.endswith(".lock")] == []


def test_out_and_in_again(bundle, best, elsewhere, models):
    """Every byte and every record, the way it came included."""
    assert import_bundle(bundle, [elsewhere]) == models.BEST
    assert find_faults(elsewhere) == {}
    assert check_unaltered(elsewhere) == check_unaltered(best)
    here = read_ledger(best.place).models[models.LOCATE]
    there = read_ledger(elsewhere.place).models[models.LOCATE]
    assert (there.origin, there.url, there.files) == ("bundle", here.url, here.files)
    assert trust_of(elsewhere.downloads[0], there) is Trust.RECORDED
    assert find_doubts(elsewhere) == ()


def test_it_is_an_archive_that_anybody_can_open(bundle):
    """The manifest comes first and says what it is; nothing is packed."""
    with zipfile.ZipFile(bundle) as archive:
        first, *others = archive.infolist()
        told = json.loads(archive.read(first))
    assert first.filename == MANIFEST
    assert told["schema"] == "osteoct.weights-bundle/1"
    assert len(told["models"]) == 3
    assert {entry.compress_type for entry in others} == {zipfile.ZIP_STORED}


def test_what_is_there_already_is_left_alone(bundle, elsewhere):
    """A second import takes nothing."""
    import_bundle(bundle, [elsewhere])
    assert import_bundle(bundle, [elsewhere]) == ()


def test_what_is_missing_is_left_out(best, tmp_path, models):
    """Of three one is there."""
    fetch(WeightsNeed(place=best.place, downloads=best.downloads[:1]))
    assert export_bundle([best], tmp_path / "b") == (models.LOCATE,)


def test_nothing_there_is_a_failure(best, tmp_path):
    """An empty bundle would be found out on the other machine."""
    with pytest.raises(SegmenterUnavailableError, match="no weights to export"):
        export_bundle([best], tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_altered_weights_are_not_exported(best, tmp_path, models):
    """They would be trusted elsewhere."""
    fetch(best)
    (best.place.path / models.LOCATE / best.downloads[0].needed[0]).write_text("{}")
    with pytest.raises(SegmenterUnavailableError, match="were altered"):
        export_bundle([best], tmp_path / "b")
    assert not (tmp_path / "b").exists()


def _cut(path, *_):
    path.write_bytes(path.read_bytes()[:-2000])


def _cut_a_little(path, *_):
    """Its directory is gone; the last checkpoint, an archive itself, ends like a whole one."""
    path.write_bytes(path.read_bytes()[:-500])


def _flip(path, *_):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _change_file(path, models):
    name = f"models/totalsegmentator/{models.BODIES}/{models.DOWNLOADS[models.BODIES].needed[2]}"
    rewrite(path, lambda files: files.update({name: files[name][:-1] + b"\1"}))


def _change_hash(path, _):
    def change(told):
        next(iter(told["models"][2]["record"]["files"].values()))["sha256"] = "0" * 64

    retell(path, change)


def _add(path, _):
    rewrite(path, lambda files: files.update({"models/more": b"x"}))


def _take_away(path, _):
    rewrite(path, lambda files: files.pop(list(files)[-1]))


def _slip(path, _):
    def change(files):
        told = json.loads(files[MANIFEST])
        model = told["models"][0]
        model["record"]["files"]["../../slip"] = {"sha256": "0" * 64, "size_bytes": 1}
        files[MANIFEST] = json.dumps(told).encode()
        files[f"models/totalsegmentator/{model['folder']}/../../slip"] = b"x"

    rewrite(path, change)


def _foreign(path, _):
    rewrite(path, lambda files: files.pop(MANIFEST))


def _newer(path, _):
    retell(path, lambda told: told.update(schema="osteoct.weights-bundle/2"))


def _unknown(path, _):
    def change(files):
        told = json.loads(files[MANIFEST])
        told["models"][0]["folder"] = "Dataset999"
        files[MANIFEST] = json.dumps(told).encode()

    rewrite(path, change)


def _no_archive(path, _):
    path.write_text("not an archive")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut, "cut off or damaged"),
        (_cut_a_little, "cut off or damaged"),
        (_flip, "cut off or damaged|altered"),
        (_change_file, "was altered"),
        (_change_hash, "was altered"),
        (_add, "other files than it tells of"),
        (_take_away, "other files than it tells of"),
        (_slip, "other files than it tells of"),
        (_foreign, "not a bundle"),
        (_newer, "not a bundle"),
        (_unknown, "does not know; found totalsegmentator Dataset999"),
        (_no_archive, "cut off or damaged"),
        (lambda path, _: path.unlink(), "no such file"),
    ],
)
def test_a_bundle_that_is_not_what_it_was_changes_nothing(bundle, elsewhere, models, damage, said):
    """All models are checked before the first becomes visible, and the good bundle then works."""
    good = bundle.read_bytes()
    damage(bundle, models)
    with pytest.raises(UnreadableInputError, match=said) as caught:
        import_bundle(bundle, [elsewhere])
    assert str(bundle) in caught.value.line
    assert nothing_is_left(elsewhere)
    assert not list(Path(elsewhere.place.path.parent).rglob("slip"))
    bundle.write_bytes(good)
    assert import_bundle(bundle, [elsewhere]) == models.BEST


def test_another_model_is_replaced_only_when_asked_for(bundle, elsewhere, server, models, know):
    """Nothing is lost: whose is it, and which is right?"""
    other = models.make_archive(models.LOCATE, seed=4)
    server.files[models.path_of(models.LOCATE)] = other
    server.etags[models.path_of(models.LOCATE)] = '"four"'
    know({models.LOCATE: other})
    first = WeightsNeed(place=elsewhere.place, downloads=elsewhere.downloads[:1])
    fetch(first, accept=[models.LOCATE])
    before = check_unaltered(first)
    with pytest.raises(SegmenterUnavailableError, match="--overwrite"):
        import_bundle(bundle, [elsewhere])
    with pytest.raises(SegmenterUnavailableError, match="--accept"):
        import_bundle(bundle, [elsewhere], overwrite=True)
    assert check_unaltered(first) == before
    taken = import_bundle(bundle, [elsewhere], overwrite=True, accept=[models.LOCATE])
    assert taken == models.BEST
    assert check_unaltered(first) != before


def test_a_known_hash_counts_more_than_what_the_bundle_says(bundle, elsewhere, know, models):
    """A bundle is consistent in itself and still not the published model."""
    archives = {models.LOCATE: models.make_archive(models.LOCATE)}
    know(archives)
    wrong = {elsewhere.downloads[0].needed[0]: "1" * 64}
    need = WeightsNeed(
        place=elsewhere.place,
        downloads=(
            replace(elsewhere.downloads[0], sha256=wrong, source="X"),
            *elsewhere.downloads[1:],
        ),
    )
    with pytest.raises(SegmenterUnavailableError, match="1111, X"):
        import_bundle(bundle, [need])
    assert nothing_is_left(need)
