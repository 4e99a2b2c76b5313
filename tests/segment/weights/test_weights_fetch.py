"""A model is there whole, checked and recorded, or not at all; nothing that was there is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import threading
import zipfile
from contextlib import contextmanager
from io import BytesIO

import pytest

from osteoct.errors import ConfigError, SegmenterUnavailableError
from osteoct.segment.weights.catalogue import WeightsNeed, find_needs
from osteoct.segment.weights.condition import look_at
from osteoct.segment.weights.fetch import UNPACKED_PER_ARCHIVE, fetch, plan_fetch
from osteoct.segment.weights.ledger import LEDGER_FILE, read_ledger
from osteoct.segment.weights.lock import LOCK_FILE, locked
from osteoct.segment.weights.presence import find_faults
from osteoct.segment.weights.progress import Stage
from osteoct.segment.weights.transfer import Patience
from osteoct.segment.weights.trust import Trust, check_unaltered, trust_of
from osteoct.segment.weights.writing import check_space, free_bytes

QUICK = Patience(tries=2, first_wait_s=0.01)


def bring(need, **options):
    """Fetch without long waits."""
    return fetch(need, patience=QUICK, **options)


def names_in(folder):
    return sorted(p.name for p in folder.iterdir())


def read_all(folder):
    """Every file below a folder by its name."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_everything_needed_is_there_afterwards(best, models, server, archives):
    """Files as published, records of each, and nothing else left behind."""
    assert bring(best) == models.BEST
    assert find_faults(best) == {}
    for folder in models.BEST:
        assert read_all(best.place.path / folder) == models.make_files(folder)
    assert names_in(best.place.path) == sorted([*models.BEST, LEDGER_FILE, LOCK_FILE])
    assert server.sent == sum(len(archives[f]) for f in models.BEST)
    record = read_ledger(best.place).models[models.LOCATE]
    assert record.origin == "fetch"
    assert record.url == best.downloads[0].url
    assert record.archive_bytes == len(archives[models.LOCATE])
    assert set(record.files) == set(best.downloads[0].needed)


def test_what_is_there_is_not_fetched_again(best, server):
    """Nothing is asked, and the plan says so beforehand."""
    bring(best)
    server.asked.clear()
    assert plan_fetch(best).downloads == ()
    assert bring(best) == ()
    assert server.asked == []


def test_the_plan_tells_size_source_and_what_is_here(best, server, archives, models):
    """What is announced is what will be sent."""
    plan = plan_fetch(best)
    assert plan.total_bytes == sum(len(archives[f]) for f in models.BEST)
    assert plan.here_bytes == 0
    assert plan.host == server.url.removeprefix("http://")
    server.break_after = [0, 0]
    server.break_after[0] = 40_000
    server.statuses = [200, 404]
    with pytest.raises(SegmenterUnavailableError):
        bring(best)
    assert plan_fetch(best).here_bytes == 40_000


def test_the_plan_does_not_guess_a_size(place):
    """One archive's size is not published: no sum."""
    (need,) = find_needs("spine-segment")
    assert plan_fetch(need).total_bytes is None
    assert not place.exists()


@pytest.fixture
def serve(server, models, know, place):  # noqa: ARG001 - the place is set
    """Put another archive on the server; the catalogue knows its size unless told otherwise."""

    def put(data, *, is_known_size=True):
        server.files[models.path_of(models.LOCATE)] = data
        server.etags[models.path_of(models.LOCATE)] = f'"{len(data)}-{hash(data)}"'
        if is_known_size:
            know({models.LOCATE: data})
        (need,) = find_needs("totalsegmentator")
        return WeightsNeed(place=need.place, downloads=need.downloads[:1])

    return put


def zipped(files):
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def linked(folder, name):
    """An archive with a symbolic link in it."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        info = zipfile.ZipInfo(f"{folder}/{name}")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return made.getvalue()


BAD = {
    "cut-off": lambda m: m.make_archive(m.LOCATE)[:-1000],
    "a page": lambda _: b"<html>Please log in</html>",
    "empty": lambda _: b"",
    "flipped": lambda m: _flip(m.make_archive(m.LOCATE)),
    "slip": lambda m: zipped({"../out.txt": b"x"} | _good(m)),
    "absolute": lambda m: zipped({"/tmp/osteoct-out.txt": b"x"} | _good(m)),  # noqa: S108 - refused
    "link": lambda m: linked(m.LOCATE, m.DOWNLOADS[m.LOCATE].needed[0]),
    "other model": lambda m: m.make_archive(m.VERTEBRAE),
    "no checkpoint": lambda m: zipped(dict(list(_good(m).items())[:2])),
    "cut-off checkpoint": lambda m: zipped(
        {n: d[:-100] if n.endswith(".pth") else d for n, d in _good(m).items()}
    ),
}


def _good(models):
    files = models.make_files(models.LOCATE)
    return {f"{models.LOCATE}/{name}": data for name, data in files.items()}


def _flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_changes_nothing_and_the_next_run_works(serve, models, kind, tmp_path):
    """Each kind is refused in one line, nothing of it stays, and a good archive then comes in."""
    need = serve(BAD[kind](models))
    with pytest.raises(SegmenterUnavailableError) as caught:
        bring(need)
    assert "nothing was changed" in caught.value.line
    assert names_in(need.place.path) == [LOCK_FILE]
    assert not (tmp_path / "out.txt").exists()
    assert bring(serve(models.make_archive(models.LOCATE))) == (models.LOCATE,)


@pytest.mark.parametrize("top", ["another-name/", ""])
def test_archives_may_name_the_folder_otherwise(serve, models, top):
    """spine-segment's bundle may hold its files at the top; its own program takes both."""
    files = {f"{top}{n}": d for n, d in models.make_files(models.LOCATE).items()}
    need = serve(zipped(files))
    assert bring(need) == (models.LOCATE,)
    assert read_all(need.place.path / models.LOCATE) == models.make_files(models.LOCATE)


def test_an_archive_of_another_size_is_refused_unless_accepted(one, serve, models):
    """Of a model without a known hash the size is all that is known; equal size is taken."""
    other = zipped({**_good(models), "x": b""})
    assert len(other) != one.downloads[0].archive_bytes
    need = serve(other, is_known_size=False)
    with pytest.raises(SegmenterUnavailableError, match=f"{len(other)} bytes") as caught:
        bring(need)
    assert f"--accept {models.LOCATE}" in caught.value.line
    assert names_in(need.place.path) == [LOCK_FILE]
    assert bring(need, accept=[models.LOCATE]) == (models.LOCATE,)
    record = read_ledger(need.place).models[models.LOCATE]
    assert trust_of(need.downloads[0], record) is Trust.ACCEPTED


def test_a_known_hash_must_be_met(best, archives, know, server, models):
    """The same size, another content: refused with both hashes; nothing but --accept helps."""
    told = know(archives, known=archives)[models.LOCATE]
    other = _same_size(models, len(archives[models.LOCATE]))
    server.files[models.path_of(models.LOCATE)] = other
    (need,) = find_needs("totalsegmentator", best.downloads[0].qualities[1])
    for _ in range(2):
        with pytest.raises(SegmenterUnavailableError) as caught:
            bring(need)
        assert told["archive_sha256"] in caught.value.line
        assert names_in(need.place.path) == [LOCK_FILE]
    with pytest.raises(ConfigError, match="no such model"):
        bring(need, accept=["another"])
    server.files[models.path_of(models.LOCATE)] = archives[models.LOCATE]
    assert models.LOCATE in bring(need)
    record = read_ledger(need.place).models[models.LOCATE]
    assert trust_of(need.downloads[0], record) is Trust.KNOWN


def _same_size(models, size):
    """A sound archive of the model with other content and a given size."""
    base = models.make_archive(models.LOCATE, seed=9, size=150_000)
    made = BytesIO(base)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("pad", b"p")
    short = size - len(made.getvalue())
    made = BytesIO(base)
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("pad", b"p" * (1 + short))
    assert len(made.getvalue()) == size
    return made.getvalue()


def test_what_was_recorded_first_must_come_again(serve, models):
    """Fetched again with other bytes of the same size: refused, and the old model stays."""
    good = models.make_archive(models.LOCATE)
    need = serve(good)
    bring(need)
    before = read_all(need.place.path)
    need = serve(_same_size(models, len(good)))
    with pytest.raises(SegmenterUnavailableError, match="recorded on 20"):
        bring(need, again=True)
    assert read_all(need.place.path) == before
    assert bring(need, again=True, accept=[models.LOCATE]) == (models.LOCATE,)
    assert read_ledger(need.place).models[models.LOCATE].is_accepted
    assert bring(need, again=True) == (models.LOCATE,)


@pytest.mark.parametrize("name", [0, 1, 2])
def test_an_incomplete_model_is_replaced(one, models, name):
    """What TotalSegmentator's own download left when it was killed."""
    folder = one.place.path / models.LOCATE
    for file, data in models.make_files(models.LOCATE).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)
    (folder / one.downloads[0].needed[name]).write_bytes(b"PK\x03\x04 half")
    assert bring(one) == (models.LOCATE,)
    assert read_all(folder) == models.make_files(models.LOCATE)


def test_a_model_that_was_found_is_recorded(one, models):
    """TotalSegmentator put it there: nothing is known of it until somebody asks for it."""
    folder = one.place.path / models.LOCATE
    for file, data in models.make_files(models.LOCATE).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)
    assert read_ledger(one.place).models == {}
    check_unaltered(one)
    assert not (one.place.path / LEDGER_FILE).exists()
    assert bring(one) == ()
    assert read_ledger(one.place).models[models.LOCATE].origin == "found"


def test_an_altered_model_is_not_passed_over(one, models):
    """A fetch that finds it says so; asked for again it brings the published one."""
    bring(one)
    file = one.place.path / models.LOCATE / one.downloads[0].needed[0]
    file.write_text('{"altered": 1}')
    with pytest.raises(SegmenterUnavailableError, match="were altered"):
        bring(one)
    assert bring(one, again=True) == (models.LOCATE,)
    check_unaltered(one)


def test_what_a_killed_process_left_is_cleaned_up(one, models):
    """Killed while unpacking, and between the two renames of a replacement."""
    bring(one)
    place = one.place.path
    (place / f".osteoct-{models.LOCATE}.new").mkdir()
    (place / models.LOCATE).rename(place / f".osteoct-{models.LOCATE}.old")
    assert bring(one) == ()
    assert names_in(place) == sorted([models.LOCATE, LEDGER_FILE, LOCK_FILE])
    check_unaltered(one)


def test_an_interrupted_replacement_is_finished(one, server, models):
    """Ended while the new one was fetched: the old one is used on, the next fetch finishes it."""
    bring(one)
    server.break_after = [50_000, 0, 0]
    with pytest.raises(SegmenterUnavailableError, match="broke off"):
        bring(one, again=True)
    check_unaltered(one)
    assert [d.name for d in plan_fetch(one).downloads] == [models.LOCATE]
    server.break_after, server.sent = [], 0
    assert bring(one) == (models.LOCATE,)
    assert server.sent == one.downloads[0].archive_bytes - 50_000
    assert plan_fetch(one).downloads == ()


def test_killed_between_the_renames_of_a_replacement(serve, models):
    """Its record is written and the old model lies aside; the archive, whole, is still there."""
    need = serve(models.make_archive(models.LOCATE))
    bring(need)
    place = need.place.path
    old = read_all(place / models.LOCATE)
    need = serve(models.make_archive(models.LOCATE, seed=2))
    bring(need, again=True, accept=[models.LOCATE])
    shutil.rmtree(place / models.LOCATE)
    for name, data in old.items():
        file = place / f".osteoct-{models.LOCATE}.old" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (place / f"{models.LOCATE}.zip.part").write_bytes(b"PK")
    assert bring(need) == (models.LOCATE,)
    assert read_all(place / models.LOCATE) == models.make_files(models.LOCATE, seed=2)
    check_unaltered(need)


def test_a_damaged_record_is_no_reason_to_trust(one):
    """Without it an altered model would pass unseen."""
    bring(one)
    (one.place.path / LEDGER_FILE).write_text("{")
    with pytest.raises(SegmenterUnavailableError, match="delete it and run osteoct weights fetch"):
        check_unaltered(one)
    (one.place.path / LEDGER_FILE).unlink()
    assert bring(one) == ()
    check_unaltered(one)


def test_a_folder_below_a_file_cannot_be_made(one):
    """One line with the place and another way out."""
    one.place.path.parent.mkdir(exist_ok=True)
    one.place.path.write_text("a file")
    with pytest.raises(SegmenterUnavailableError, match="TOTALSEG_WEIGHTS_PATH") as caught:
        bring(one)
    assert "cannot be written" in caught.value.line


def _mount(folder, *options):
    """A file system of our own, or a skip where none may be mounted."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(  # noqa: S603 - ours
            command, capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no file system may be mounted here")


def test_a_read_only_home(one, server):
    """Where no folder can be made, nothing is asked of the network either."""
    with (
        _small_disk(one.place.path, "1m,ro"),
        pytest.raises(SegmenterUnavailableError, match="Read-only file system") as caught,
    ):
        bring(one)
    assert "make it writable" in caught.value.line
    assert server.asked == []


def test_weights_on_a_read_only_disk_can_be_used(one, models):
    """Fetched once by their owner, shared by many: a run reads them and writes nothing."""
    with _small_disk(one.place.path, "2m"):
        bring(one)
        remount = ["mount", "-o", "remount,ro", one.place.path]
        subprocess.run(remount, check=True)  # noqa: S603 - ours
        assert set(check_unaltered(one)) == {models.LOCATE}
        assert [c.is_sound for c in look_at(one)] == [True]
        assert bring(one) == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_may_not_be_written(one):
    """A folder of another user."""
    one.place.path.mkdir(mode=0o500)
    with pytest.raises(SegmenterUnavailableError, match="cannot be written"):
        bring(one)


@contextmanager
def _small_disk(folder, size):
    """A file system of a given size at a folder."""
    _mount(folder, "-o", f"size={size}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)  # noqa: S603, S607 - ours


def test_a_disk_that_is_too_small_is_told_before_the_first_byte(one, server):
    """What is free and what is wanted; the server is not asked."""
    with _small_disk(one.place.path, "300k"):
        with pytest.raises(SegmenterUnavailableError, match="no space for the weights") as caught:
            bring(one)
        assert "kB free; wanted" in caught.value.line
        assert server.asked == []


@pytest.mark.parametrize("stage", [Stage.RECEIVING, Stage.UNPACKING])
def test_a_disk_that_fills_meanwhile(one, server, archives, models, stage):
    """Others write to it: one message, what has arrived is kept, and the next run goes on."""
    filler = one.place.path / "others"

    def fill(progress):
        if progress.stage is stage and not filler.exists():
            filler.write_bytes(b"x" * (free_bytes(one.place) - 100_000))

    with _small_disk(one.place.path, "700k"):
        with pytest.raises(SegmenterUnavailableError, match="no space for the weights"):
            bring(one, hear=fill)
        assert not (one.place.path / models.LOCATE).exists()
        assert [n for n in names_in(one.place.path) if n.endswith(".new")] == []
        filler.unlink()
        server.sent, kept = 0, plan_fetch(one).here_bytes
        assert kept > 50_000
        assert bring(one) == (models.LOCATE,)
        assert server.sent == len(archives[models.LOCATE]) - kept


def test_space_is_judged_exactly_at_its_limit(one):
    """As much as is free is enough; a byte more is not. A disk of our own, where nobody writes."""
    with _small_disk(one.place.path, "300k"):
        free = free_bytes(one.place)
        check_space(one.place, free)
        with pytest.raises(SegmenterUnavailableError, match="no space"):
            check_space(one.place, free + 1)


def test_room_is_kept_for_what_is_unpacked():
    """Of the one model whose sizes are known both ways: 135 386 075 and 164 950 141 bytes."""
    assert UNPACKED_PER_ARCHIVE >= 164_950_141 / 135_386_075


def test_two_fetches_at_once_bring_it_once(best, server, archives, models):
    """The second waits, says so, and then finds it there."""
    server.pause_s = 0.01
    told, brought = [], []

    def work():
        brought.append(bring(best, hear=told.append))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(brought) == [(), models.BEST]
    assert [p.stage for p in told].count(Stage.WAITING) == 1
    assert server.sent == sum(len(archives[f]) for f in models.BEST)


def test_a_lock_is_free_again_after_its_block(one):
    """Whatever ended the block."""
    told = []

    def fail():
        with locked(one.place, lambda: told.append(1)):
            raise ValueError("x")

    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            fail()
    assert told == []


def test_a_file_system_without_locks_is_no_hindrance(one, models, monkeypatch):
    """Cluster file systems may have none; the refusal is that of such a system."""

    def refuse(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", refuse)
    assert bring(one) == (models.LOCATE,)


def test_the_record_is_readable_by_people(one, models):
    """A JSON file with its schema; a newer one is not misread."""
    bring(one)
    file = one.place.path / LEDGER_FILE
    told = json.loads(file.read_text(encoding="utf-8"))
    assert told["schema"] == "osteoct.weights/1"
    assert set(told["models"]) == {models.LOCATE}
    file.write_text(json.dumps(told | {"schema": "osteoct.weights/2"}))
    with pytest.raises(SegmenterUnavailableError, match="cannot be read"):
        read_ledger(one.place)
