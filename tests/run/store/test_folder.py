"""A result in a folder is there whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from osteoct.errors import OutputError, UnreadableInputError
from osteoct.run.store.folder import FolderStore
from osteoct.run.store.interface import Store
from osteoct.run.store.opening import open_store


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "store")


def files_of(folder: Path) -> set[str]:
    """All files below a folder, hidden ones as well."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_a_path_opens_a_folder(tmp_path):
    """The protocol is what workers see; an address without a scheme is a path."""
    with open_store(str(tmp_path / "store")) as store:
        assert isinstance(store, FolderStore)
        assert isinstance(store, Store)


def test_a_result_comes_back_with_its_key(store, make_result, tmp_path):
    """Adopting a result found in the store needs both: the numbers and the work they are of."""
    assert not store.has("case-1", "k1")
    place = store.put("case-1", "k1", make_result("case-1"))
    assert place == "cases/ba/case-1"
    assert store.has("case-1", "k1")
    assert not store.has("case-1", "k2")
    assert not store.has("case-2", "k1")
    assert store.open_result("case-1").case_id == "case-1"
    assert [result.case_id for result in store.results()] == ["case-1"]
    assert files_of(tmp_path / "store" / place) == {
        "case.json",
        "levels.csv",
        "pictures/L1.png",
        "work.json",
    }


def test_a_new_result_replaces_the_whole_old_one(store, make_result):
    """Nothing of two measurements is ever mixed."""
    old = make_result("case-1")
    (old / "agreement.csv").write_text("only in the old one")
    store.put("case-1", "k1", old)
    store.put("case-1", "k2", make_result("case-1", filling=b"new", name="again"))
    folder = store.folder_of("case-1")
    assert (folder / "levels.csv").read_bytes() == b"new"
    assert not (folder / "agreement.csv").exists()
    assert store.has("case-1", "k2")


def test_what_is_no_whole_result_of_the_case_is_refused(store, make_result):
    """A worker that mixes up two cases must not put one under the other's name."""
    store.put("case-1", "k1", make_result("case-1", filling=b"good"))
    with pytest.raises(OutputError, match=r"result of another case; found case-2"):
        store.put("case-1", "k2", make_result("case-2", name="other"))
    bad = make_result("case-1", name="damaged")
    (bad / "case.json").write_text('{"schema": "osteoct.case/1"', encoding="utf-8")
    with pytest.raises(OutputError, match="is no whole result"):
        store.put("case-1", "k2", bad)
    (bad / "case.json").unlink()
    with pytest.raises(OutputError, match=r"wanted case\.json"):
        store.put("case-1", "k2", bad)
    assert (store.folder_of("case-1") / "levels.csv").read_bytes() == b"good"
    assert store.has("case-1", "k1")


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden"])
def test_a_name_never_leads_out_of_the_store(store, make_masks, name):
    """Names come from patterns and ledgers; none of them may choose another folder."""
    with pytest.raises(OutputError, match="cannot be a file name"):
        store.has(name, "k")
    with pytest.raises(OutputError, match="cannot be a file name"):
        store.put_masks(name, make_masks())


def test_missing_and_damaged_results_are_told_apart_from_good_ones(store, make_result):
    """The table of a batch has a row for each, with the reason."""
    with pytest.raises(UnreadableInputError, match="case-1: its result is missing"):
        store.open_result("case-1")
    store.put("case-1", "k1", make_result("case-1"))
    (store.folder_of("case-1") / "case.json").write_text(json.dumps({"case_id": 3}))
    with pytest.raises(UnreadableInputError, match=r"case-1: its result is damaged.*problems in"):
        store.open_result("case-1")
    (store.folder_of("case-1") / "work.json").write_text("")
    assert not store.has("case-1", "k1")


def test_masks_come_back_by_their_key(store, make_masks):
    """A changed protocol measures anew with the masks that lie here."""
    assert store.masks("s1") is None
    store.put_masks("s1", make_masks(b"one"))
    store.put_masks("s1", make_masks(b"two", name="again"))
    assert (store.masks("s1") / "vertebrae.nii.gz").read_bytes() == b"two"
    assert store.masks("s2") is None
    empty = make_masks(name="no record")
    (empty / "masks.json").unlink()
    with pytest.raises(OutputError, match=r"are no whole masks; wanted masks\.json"):
        store.put_masks("s2", empty)


def test_the_store_keeps_small_files_of_its_own(store):
    """What was asked of the batch lies beside its results."""
    assert store.read_text("store.toml") is None
    store.write_text("store.toml", "a = 1\n")
    assert store.read_text("store.toml") == "a = 1\n"


FULL = """
import resource, signal, sys
from pathlib import Path
from osteoct.errors import OutputError
from osteoct.run.store.folder import FolderStore
root, first, second = map(Path, sys.argv[1:4])
store = FolderStore(root)
store.put("case-1", "k1", first)
if len(sys.argv) > 4:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), resource.RLIM_INFINITY))
files = lambda: sorted(p for p in root.rglob("*") if p.is_file())
before = files()
for act in (lambda: store.put("case-1", "k2", second), store.check):
    try:
        act()
    except OutputError as error:
        print(error.line)
same = files() == before and store.has("case-1", "k1")
print("unchanged" if same else "CHANGED", (store.folder_of("case-1") / "levels.csv").read_text())
"""


def fill_up(make_result, command: list[str], *limit: str) -> list[str]:
    """Put a result that fits, and one that does not; what was said of it, line by line."""
    first, second = make_result("case-1", filling=b"old"), make_result("case-1", name="second")
    (second / "levels.csv").write_bytes(bytes(2_000_000))
    command = [*command, sys.executable, "-c", FULL, "ROOT", str(first), str(second), *limit]
    root = first.parents[1] / "full"
    root.mkdir()
    command = [str(root) if word == "ROOT" else word.replace("ROOT", str(root)) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode and "osteoct" not in done.stderr:
        pytest.skip(f"no disk of a chosen size on this machine: {done.stderr.strip()[:80]}")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_full_disk_leaves_nothing_behind(make_result):
    """A disk of a mebibyte: the old result is untouched, and the message says why."""
    on_small_disk = 'mount -t tmpfs -o size=1m osteoct "ROOT" && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", on_small_disk, "sh"]
    if shutil.which(command[0]) is None:
        pytest.skip("no disk of a chosen size on this machine: unshare is missing")
    put, check, after = fill_up(make_result, command)
    assert "disk full or file size limit reached" in put
    assert "No space left on device" in put
    assert "disk full" in check
    assert after == "unchanged old"


def test_a_limit_of_file_size_leaves_nothing_behind(make_result):
    """The same where a disk cannot be made: the record of the work no longer fits."""
    put, check, after = fill_up(make_result, [], "20")
    assert "disk full or file size limit reached" in put
    assert "disk full or file size limit reached" in check
    assert after == "unchanged old"


WRITER = """
import shutil, sys
from pathlib import Path
from osteoct.run.store.folder import FolderStore
store, source = FolderStore(Path(sys.argv[1])), Path(sys.argv[2])
print("ready", flush=True)
number = 0
while True:
    made = store.scratch / "made"
    shutil.copytree(source, made, dirs_exist_ok=True)
    (made / "levels.csv").write_text(f"k{number}")
    store.put("case-1", f"k{number}", made)
    number += 1
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_result(store, make_result, tmp_path):
    """kill -9 while results replace each other: after a sweep one of them is there, entire."""
    source = make_result("case-1")
    store.put("case-1", "first", make_result("case-1", filling=b"first", name="first"))
    for round_ in range(6):
        writer = subprocess.Popen(  # noqa: S603 -- our own interpreter
            [sys.executable, "-c", WRITER, tmp_path / "store", source], stdout=subprocess.PIPE
        )
        with writer:
            writer.stdout.readline()
            time.sleep(0.013 * (round_ + 1))
            writer.send_signal(signal.SIGKILL)
        store.sweep(older_than_s=0)
        folder = store.folder_of("case-1")
        assert store.has("case-1", (folder / "levels.csv").read_text())
        assert {p.name for p in folder.iterdir()} == {
            "case.json",
            "levels.csv",
            "pictures",
            "work.json",
        }
    left = [name for name in files_of(tmp_path / "store") if not name.startswith("cases/ba/case-1")]
    assert left == []


def test_a_sweep_spares_what_is_being_written(store, make_result, tmp_path):
    """Another machine may be writing into the same folder."""
    store.put("case-1", "k1", make_result("case-1"))
    part = tmp_path / "store" / "cases" / "ba" / ".case-1.abc.part"
    part.mkdir()
    (store.scratch / "osteoct-out-x").mkdir()
    assert store.sweep(older_than_s=60) == 0
    assert part.exists()
    assert store.sweep(older_than_s=0) == 2
    assert not part.exists()
    assert store.has("case-1", "k1")


@pytest.mark.parametrize("by_sweep", [True, False])
def test_an_old_result_set_aside_returns_when_its_replacement_never_came(
    store, make_result, by_sweep
):
    """It may hold a person's decisions, which are nowhere else."""
    store.put("case-1", "k1", make_result("case-1"))
    folder = store.folder_of("case-1")
    aside = folder.with_name(".case-1.abc.old")
    aside.mkdir()
    folder.rename(aside / "result")
    assert not store.has("case-1", "k1")
    if by_sweep:
        store.sweep(older_than_s=0)
    else:
        assert store.folder_of("case") is None, "a name that begins alike is another case"
        assert store.folder_of("case-1") == folder, "the worker of the same case, right after"
    assert store.has("case-1", "k1")
    assert not aside.exists()


def test_a_read_only_place_is_one_line(tmp_path):
    """A store where a file already stands cannot be made."""
    (tmp_path / "store").write_text("a file")
    with pytest.raises(OutputError, match="store: cannot be written"):
        FolderStore(tmp_path / "store").check()


def test_a_store_that_can_be_written_passes_its_check(store, tmp_path):
    """The check of a good store leaves nothing."""
    store.check()
    assert files_of(tmp_path / "store") == set()
