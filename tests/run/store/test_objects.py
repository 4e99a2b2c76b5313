"""A result in an object store is there whole or not at all; tested against a real S3 server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import zipfile

import pytest

from osteoct.errors import DependencyError, OutputError, UnreadableInputError
from osteoct.run import remote
from osteoct.run.remote import connect, download
from osteoct.run.store.interface import Store
from osteoct.run.store.objects import ObjectStore, pack, read_entry
from osteoct.run.store.opening import open_store

ADDRESS = "s3://scans/batch"


@pytest.fixture
def store(s3):  # noqa: ARG001 -- it runs meanwhile
    with open_store(ADDRESS) as opened:
        yield opened


def test_a_result_is_one_object_and_comes_back(s3, store, make_result):
    """The same promises as in a folder, through the same protocol."""
    assert isinstance(store, Store)
    assert isinstance(store, ObjectStore)
    assert not store.has("case-1", "k1")
    assert store.folder_of("case-1") is None
    place = store.put("case-1", "k1", make_result("case-1"))
    assert place == "cases/ba/case-1.zip"
    assert s3.objects() == ["batch/cases/ba/case-1.zip"]
    assert store.has("case-1", "k1")
    assert not store.has("case-1", "k2")
    assert store.open_result("case-1").case_id == "case-1"
    store.put("case-2", "k2", make_result("case-2"))
    assert sorted(result.case_id for result in store.results()) == ["case-1", "case-2"]
    folder = store.folder_of("case-1")
    assert (folder / "pictures" / "L1.png").read_bytes() == b"picture"
    assert (folder / "levels.csv").read_bytes() == b"table"


def test_a_new_result_replaces_the_whole_old_one(store, make_result):
    """One put exchanges everything."""
    store.put("case-1", "k1", make_result("case-1"))
    store.put("case-1", "k2", make_result("case-1", filling=b"new", name="again"))
    assert store.has("case-1", "k2")
    assert (store.folder_of("case-1") / "levels.csv").read_bytes() == b"new"


def test_numbers_of_a_large_result_come_without_its_pictures(store, make_result):
    """A table of a hundred thousand cases must not fetch every picture."""
    folder = make_result("case-1", filling=os.urandom(3_000_000))
    (folder / "work-of-another.bin").write_bytes(os.urandom(400_000))
    store.put("case-1", "k1", folder)
    read = []
    cat_file = store._system.cat_file
    store._system.cat_file = lambda *args, **kw: read.append(cat_file(*args, **kw)) or read[-1]
    try:
        assert store.open_result("case-1").case_id == "case-1"
    finally:
        del store._system.cat_file
    assert sum(map(len, read)) <= 256 * 1024


def test_masks_come_back_by_their_key(store, make_masks):
    """A worker on another machine finds what one segmented."""
    assert store.masks("s1") is None
    store.put_masks("s1", make_masks(b"one"))
    assert (store.masks("s1") / "vertebrae.nii.gz").read_bytes() == b"one"
    store.put_masks("s1", make_masks(b"two", name="again"))
    assert (store.masks("s1") / "vertebrae.nii.gz").read_bytes() == b"two"


def test_the_store_keeps_small_files_of_its_own(store):
    """What was asked of the batch lies beside its results."""
    assert store.read_text("store.toml") is None
    store.write_text("store.toml", "a = 1\n")
    assert store.read_text("store.toml") == "a = 1\n"
    store.check()


def test_missing_and_damaged_results_are_told_apart(s3, store, make_result):
    """The table of a batch has a row for each, with the reason."""
    with pytest.raises(UnreadableInputError, match="case-1: its result is missing"):
        store.open_result("case-1")
    store.put("case-1", "k1", make_result("case-1"))
    place = s3.root / "scans" / "batch" / "cases" / "ba" / "case-1.zip"
    place.write_bytes(place.read_bytes()[:-30])
    with pytest.raises(UnreadableInputError, match="case-1: its result is damaged"):
        store.open_result("case-1")
    assert not store.has("case-1", "k1")


@pytest.mark.usefixtures("s3")
def test_nothing_stays_on_this_machine(make_result, tmp_path, monkeypatch):
    """Archives hold images of persons; a worker's disk is not where they belong."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    with open_store(ADDRESS) as store:
        store.put("case-1", "k1", make_result("case-1"))
        assert [p for p in store.scratch.iterdir() if p.suffix == ".zip"] == []
        assert store.folder_of("case-1") is not None
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_server_killed_in_the_middle_of_a_put_leaves_nothing_half(s3, store, make_result):
    """The upload takes seconds at this rate and is cut after a moment; the old result stays."""
    store.put("case-1", "k1", make_result("case-1", filling=b"old"))
    s3.kill()
    s3.rate = "200k"
    s3.start()
    big = make_result("case-1", filling=os.urandom(2_000_000), name="big")
    killer = threading.Timer(1.0, s3.kill)
    killer.start()
    with pytest.raises(OutputError, match="cannot be put into the store") as caught:
        store.put("case-1", "k2", big)
    killer.join()
    assert s3.secret not in caught.value.line
    assert s3.access not in caught.value.line
    s3.rate = None
    s3.start()
    assert store.has("case-1", "k1")
    assert not store.has("case-1", "k2")
    assert (store.folder_of("case-1") / "levels.csv").read_bytes() == b"old"
    store.put("case-1", "k2", big)
    assert store.has("case-1", "k2")


def test_a_store_out_of_reach_is_one_line(s3_stopped):
    """A table or a resume without its store ends with a reason, not a traceback."""
    with open_store(ADDRESS) as store:
        for act in (store.check, lambda: store.has("case-1", "k"), lambda: list(store.results())):
            with pytest.raises(OutputError, match="the store cannot be") as caught:
                act()
            assert "\n" not in caught.value.line
            assert str(s3_stopped.port) not in caught.value.line


def test_a_wrong_key_or_bucket_is_one_line(s3, monkeypatch, forget_s3):
    """What was wrong is said without the account."""
    with open_store("s3://no-such-bucket/x") as store, pytest.raises(OutputError) as caught:
        store.check()
    assert "cannot be written" in caught.value.line
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    forget_s3()
    with open_store(ADDRESS) as store, pytest.raises(OutputError) as caught:
        store.check()
    assert "the store cannot be written; found PermissionError" in caught.value.line
    assert s3.access not in caught.value.line


def test_inputs_are_fetched_as_file_or_folder(s3, tmp_path):
    """A CT is one object; masks may be a prefix with a mask for each vertebra."""
    folder = s3.root / "scans" / "a"
    (folder / "segmentations").mkdir(parents=True)
    (folder / "ct.nii.gz").write_bytes(b"image")
    (folder / "segmentations" / "vertebrae_L1.nii.gz").write_bytes(b"L1")
    (folder / "segmentations" / "vertebrae_L2.nii.gz").write_bytes(b"L2")
    path = download("s3://scans/a/ct.nii.gz", tmp_path / "ct")
    assert path == tmp_path / "ct.nii.gz"
    assert path.read_bytes() == b"image"
    path = download("s3://scans/a/segmentations", tmp_path / "masks")
    assert {p.name for p in path.iterdir()} == {"vertebrae_L1.nii.gz", "vertebrae_L2.nii.gz"}
    with pytest.raises(UnreadableInputError, match=r"cannot be fetched; found FileNotFoundError"):
        download("s3://scans/a/none.nii.gz", tmp_path / "none")


def test_an_input_that_does_not_fit_is_refused_before_it_is_fetched(s3, tmp_path, monkeypatch):
    """Exactly at the limit it is fetched; a byte more is not."""
    (s3.root / "scans" / "ct.zip").write_bytes(bytes(1000))
    monkeypatch.setattr(remote, "MAX_TOTAL_BYTES", 1000)
    assert download("s3://scans/ct.zip", tmp_path / "ct").stat().st_size == 1000
    monkeypatch.setattr(remote, "MAX_TOTAL_BYTES", 999)
    with pytest.raises(UnreadableInputError, match="is too large; found 1000 bytes"):
        download("s3://scans/ct.zip", tmp_path / "again")
    monkeypatch.setattr(remote, "MAX_TOTAL_BYTES", 1000)
    monkeypatch.setattr(remote, "_SPARE_BYTES", 2**62)
    with pytest.raises(OutputError, match="no room to fetch the input"):
        download("s3://scans/ct.zip", tmp_path / "again")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("again")] == []


def test_equal_results_make_equal_archives(make_result, tmp_path):
    """An archive says nothing of when it was packed, and tables find their files at its end."""
    first, second = make_result("case-1"), make_result("case-1", name="again")
    time.sleep(0.01)
    pack(first, tmp_path / "1.zip")
    pack(second, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.namelist() == ["levels.csv", "pictures/L1.png", "case.json"]


def test_only_what_was_fetched_is_read(make_result, tmp_path):
    """Bytes that were left out are never taken for content."""
    pack(make_result("case-1", filling=os.urandom(5000)), tmp_path / "1.zip")
    content = (tmp_path / "1.zip").read_bytes()
    before = len(content) - 30_000 if len(content) > 30_000 else 4000
    assert read_entry(content[before:], "case.json", before=before).startswith(b"{")
    with pytest.raises(zipfile.BadZipFile):
        read_entry(content[before:], "levels.csv", before=before)
    with pytest.raises(KeyError):
        read_entry(content, "none.csv", before=0)


def test_without_the_package_a_hint_says_what_to_install():
    """Object stores are an extra."""
    code = (
        "import sys; sys.modules['s3fs'] = None\n"
        "from osteoct.run.store.opening import open_store\n"
        "open_store('s3://b/x').__enter__()"
    )
    done = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "pip install 'osteoct[s3]'" in done.stderr
    assert DependencyError.__name__ in done.stderr


def test_an_unknown_kind_of_address_is_an_input_error():
    """A slip of the pen in the scheme."""
    with pytest.raises(UnreadableInputError, match=r"unknown kind of address; found s4"):
        connect("s4://bucket/x")
