"""Bytes that are not those that are known or came first are noticed before anything is computed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import pytest

from osteoct.errors import SegmenterUnavailableError
from osteoct.records import Severity
from osteoct.segment.weights.catalogue import WeightsNeed
from osteoct.segment.weights.condition import accept, look_at
from osteoct.segment.weights.fetch import fetch
from osteoct.segment.weights.hashes import hash_once
from osteoct.segment.weights.trust import check_unaltered, find_doubts


@pytest.fixture
def here(one):
    """A need whose model was fetched."""
    fetch(one)
    return one


def alter(need, number=2):
    """Change one byte of a file, keeping its size and its time of modification."""
    file = need.place.path / need.downloads[0].folder / need.downloads[0].needed[number]
    state, data = file.stat(), bytearray(file.read_bytes())
    data[-1 if file.suffix == ".json" else 100] ^= 1
    if file.suffix == ".json":
        data = file.read_bytes().replace(b"0", b"1")
    file.write_bytes(data)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file.stat().st_size == state.st_size
    return file


def test_what_was_fetched_passes_with_its_hashes(here, models):
    """What is returned is what the result records."""
    hashes = check_unaltered(here)[models.LOCATE]
    assert hashes == {
        name: hashlib.sha256(data).hexdigest()
        for name, data in models.make_files(models.LOCATE).items()
    }


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_changed_byte_is_told_with_both_hashes(here, number):
    """In the checkpoint, and in the texts that say how it is used; the size stays the same."""
    before = check_unaltered(here)[here.downloads[0].folder]
    file = alter(here, number)
    with pytest.raises(SegmenterUnavailableError, match="were altered") as caught:
        check_unaltered(here)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    assert found in caught.value.line
    assert before[here.downloads[0].needed[number]] in caught.value.line
    for word in ("osteoct weights verify", "fetch --again", "recorded on"):
        assert word in caught.value.line


def test_a_published_hash_counts_without_a_record(here):
    """Weights that another program put there, of which the hash is known."""
    download = here.downloads[0]
    known = {name: hash_once(here.place.path / download.folder / name) for name in download.needed}
    (here.place.path / "osteoct-weights.json").unlink()
    right = WeightsNeed(place=here.place, downloads=(replace(download, sha256=known, source="X"),))
    check_unaltered(right)
    wrong = {**known, download.needed[0]: "0" * 64}
    need = WeightsNeed(place=here.place, downloads=(replace(download, sha256=wrong, source="X"),))
    with pytest.raises(SegmenterUnavailableError, match="0000, X"):
        check_unaltered(need)


def test_accepted_weights_are_named_in_every_result(here):
    """The way round is loud: by name, recorded, and a finding."""
    assert find_doubts(here) == ()
    alter(here)
    accept(here, ["another"])
    with pytest.raises(SegmenterUnavailableError):
        check_unaltered(here)
    accept(here, [here.downloads[0].name])
    check_unaltered(here)
    (doubt,) = find_doubts(here)
    assert (doubt.code, doubt.severity) == ("weights-accepted", Severity.WARNING)
    assert here.downloads[0].name in doubt.message


def test_accepting_what_is_right_changes_nothing(here):
    """It must not turn a good model into a doubtful one."""
    accept(here, [here.downloads[0].name])
    assert find_doubts(here) == ()


def test_accepted_weights_may_not_change_again(here):
    """What was accepted is these bytes and no others."""
    alter(here)
    accept(here, [here.downloads[0].name])
    alter(here, 0)
    with pytest.raises(SegmenterUnavailableError, match="were altered"):
        check_unaltered(here)


def test_conditions_tell_what_is_there(best, models):
    """Present, altered, incomplete and missing; every byte was read."""
    fetch(best)
    need = WeightsNeed(place=best.place, downloads=best.downloads[:1])
    alter(need)
    (best.place.path / models.VERTEBRAE / best.downloads[1].needed[0]).unlink()
    (told, incomplete, present) = look_at(best)
    assert (told.state, told.is_sound) == ("altered", False)
    assert "checkpoint_final.pth: found sha256" in told.problems[0]
    assert incomplete.state.startswith("incomplete: ")
    assert "plans.json is missing" in incomplete.state
    assert (present.state, present.trust, present.is_sound) == ("present", "recorded", True)
    assert present.compared_with.startswith("recorded on 20")


def test_a_file_is_hashed_once_while_it_stays_the_same(tmp_path, monkeypatch):
    """A batch of a thousand patients reads its models once; a changed file is read again."""
    read = []
    real = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda f, n: read.append(f.name) or real(f, n))
    file = tmp_path / "model"
    file.write_bytes(b"one")
    assert hash_once(file) == hash_once(file) == hashlib.sha256(b"one").hexdigest()
    assert len(read) == 1
    file.write_bytes(b"two")
    assert hash_once(file) == hashlib.sha256(b"two").hexdigest()
    assert len(read) == 2
