"""A batch from files to a table, as a user runs it, on small patients that are really measured."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteoct.analysis import analyze
from osteoct.cli import main
from osteoct.phantom.small import write_small_patient
from osteoct.run.batch import is_dead, make_owner

KEY = "a key for tests, not for patients"
PATTERNS = ("--ct", "*/ct.nii.gz", "--masks", "{parent}/masks.nii.gz", "--case-id", "{parent.name}")


@pytest.fixture(autouse=True)
def _own_key(monkeypatch):
    monkeypatch.setenv("OSTEOCT_KEY", KEY)
    monkeypatch.delenv("OSTEOCT_KEY_FILE", raising=False)
    monkeypatch.delenv("OSTEOCT_LEDGER", raising=False)


@pytest.fixture(scope="module")
def patient(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("patient")
    write_small_patient(folder)
    return folder


@pytest.fixture
def root(patient, tmp_path) -> Path:
    """Three good cases, one damaged CT and one without masks."""
    folder = tmp_path / "Doe^Jane"
    for name in ("a", "b", "c", "damaged", "maskless"):
        (folder / name).mkdir(parents=True)
        shutil.copy(patient / "ct.nii.gz", folder / name)
        shutil.copy(patient / "masks.nii.gz", folder / name)
    damaged = folder / "damaged" / "ct.nii.gz"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    (folder / "maskless" / "masks.nii.gz").unlink()
    return folder


def osteoct(*args: object):
    return CliRunner().invoke(main, [str(a) for a in args], prog_name="osteoct")


def table(store: Path, out: Path, *options: str) -> list[dict[str, str]]:
    assert osteoct("collect", store, "-o", out, *options).exit_code == 0
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_failed_cases_are_rows_and_the_others_are_right(root, tmp_path) -> None:
    """One bad case stops no other; the numbers are those of a single analysis; no path leaks."""
    store = tmp_path / "store"
    ran = osteoct("run", root, *PATTERNS, "-o", store, "--workers", 2, "--progress", "none")
    assert ran.exit_code == 1, ran.output
    rows = table(store, tmp_path / "t.csv")
    states = {row["case_id"]: (row["state"], row["failure_cause"]) for row in rows}
    assert states == {
        **dict.fromkeys("abc", ("done", "")),
        "damaged": ("failed", "input"),
        "maskless": ("refused", "input"),
    }
    alone = analyze(root / "a" / "ct.nii.gz", root / "a" / "masks.nii.gz", case_id="a")
    expected = {
        (str(v.level), m.protocol, str(m.region)): m.hu.mean_hu
        for v in alone.levels
        for m in v.regions
        if m.hu is not None
    }
    found = {
        (r["level"], r["protocol"], r["region"]): float(r["mean_hu"])
        for r in rows
        if r["case_id"] == "a" and r["mean_hu"]
    }
    assert found == expected
    assert found
    told = ran.output + (tmp_path / "t.csv").read_text() + osteoct("status", store).output
    assert "Doe" not in told.replace(str(tmp_path), "")


def test_what_is_done_is_not_done_again(root, tmp_path) -> None:
    """The same command measures new and changed cases alone; another protocol measures all."""
    store = tmp_path / "store"
    quiet = ("-o", store, "--workers", 1, "--progress", "none")
    osteoct("run", root, *PATTERNS, *quiet)
    before = {p: p.stat().st_mtime_ns for p in store.rglob("case.json")}
    again = osteoct("run", root, *PATTERNS, *quiet)
    assert "0 cases in" in again.stderr
    assert {p: p.stat().st_mtime_ns for p in store.rglob("case.json")} == before

    shutil.copytree(root / "a", root / "new")
    config = tmp_path / "config.toml"
    osteoct("run", root, *PATTERNS, *quiet)
    changed = {p for p in store.rglob("case.json") if p.stat().st_mtime_ns != before.get(p)}
    assert [p.parent.name for p in changed] == ["new"]

    config.write_text('protocols = ["body-core-4"]\n')
    osteoct("run", root, *PATTERNS, *quiet, "--config", config)
    rows = table(store, tmp_path / "t.csv")
    assert {r["protocol"] for r in rows if r["state"] == "done"} == {"body-core-4"}


def test_retry_only_and_limit(root, patient, tmp_path) -> None:
    """A mended file is measured on request; nothing else is touched."""
    store = tmp_path / "store"
    quiet = ("--workers", 1, "--progress", "none")
    part = osteoct("run", root, *PATTERNS, "-o", store, *quiet, "--limit", 1)
    assert part.exit_code == 1
    assert "1 done" in part.output
    assert "--resume" in part.stderr
    osteoct("run", store, "--resume", *quiet)
    shutil.copy(patient / "ct.nii.gz", root / "damaged")
    retried = osteoct("run", store, "--only", "damaged", *quiet)
    assert "1 cases in" in retried.stderr
    assert "4 done" in retried.output
    assert osteoct("run", store, "--only", "nobody", *quiet).exit_code == 2


def test_a_dry_run_writes_nothing(root, tmp_path) -> None:
    """It says how many, how large, and what would be refused."""
    told = osteoct("run", root, *PATTERNS, "-o", tmp_path / "store", "--dry-run")
    assert told.exit_code == 0
    assert told.stdout.startswith("4 cases,")
    assert "1 ×" in told.stdout
    assert not (tmp_path / "store").exists()


def test_status_for_machines(root, tmp_path) -> None:
    """One line of JSON, with reasons and findings."""
    store = tmp_path / "store"
    osteoct("run", root, *PATTERNS, "-o", store, "--workers", 1, "--progress", "none")
    told = osteoct("status", store, "--json")
    status = json.loads(told.stdout)
    assert told.exit_code == 1
    assert status["counts"]["done"] == 3
    assert {r["example_case_id"] for r in status["reasons"]} == {"damaged", "maskless"}


def test_a_lost_ledger_is_made_again_from_the_store(root, tmp_path) -> None:
    """Results that lie there are taken over, not measured again."""
    store = tmp_path / "store"
    quiet = ("-o", store, "--workers", 1, "--progress", "none")
    osteoct("run", root, *PATTERNS, *quiet)
    before = table(store, tmp_path / "before.csv")
    for file in store.glob("ledger.sqlite*"):
        file.unlink()
    again = osteoct("run", root, *PATTERNS, *quiet)
    assert "1 cases in" in again.stderr  # the damaged one alone
    assert table(store, tmp_path / "after.csv") == before


def test_what_a_killed_run_left_is_swept_when_nobody_writes(root, tmp_path) -> None:
    """Half a result, and one set aside whose replacement never came: that one returns."""
    store = tmp_path / "store"
    quiet = ("--workers", 1, "--progress", "none")
    osteoct("run", root, *PATTERNS, "-o", store, *quiet)
    before = table(store, tmp_path / "before.csv")
    (whole,) = list((store / "cases").glob("*/a"))
    (whole.parent / ".b.x.part").mkdir()
    aside = whole.parent / ".a.x.old"
    aside.mkdir()
    whole.rename(aside / "result")
    osteoct("run", store, "--resume", *quiet)
    assert whole.is_dir()
    assert not list(store.rglob(".*"))
    assert table(store, tmp_path / "after.csv") == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nowhere", "-o", "store"), "nowhere"),
        (("run", "x"), "--resume"),
        (("run", "x", "-o", "y", "--resume"), "--resume"),
        (("run", "nowhere", "--resume"), "osteoct run SOURCE -o STORE"),
        (("run", ".", "--masks", "m", "-o", "y"), "--ct"),
        (("run", ".", "--ct", "*.nii", "--masks", "{nobody}", "-o", "y"), "{parent}"),
        (("run", ".", "--ct", "*", "--masks", "m", "--gpus", "all", "-o", "y"), "0,1"),
        (("status", "nowhere"), "osteoct run SOURCE -o STORE"),
        (("collect", "nowhere", "-o", "t.csv"), "osteoct run SOURCE -o STORE"),
    ],
)
def test_wrong_use_is_one_line(arguments, words, tmp_path, monkeypatch) -> None:
    """What was wrong, and what would have been right."""
    monkeypatch.chdir(tmp_path)
    told = osteoct(*arguments)
    assert told.exit_code in {2, 3, 4}
    assert words in told.stderr
    assert "Traceback" not in told.output


def spawn(*args: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the interpreter that runs the tests
        [sys.executable, "-m", "osteoct", *map(str, args)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OSTEOCT_KEY": KEY},
        start_new_session=True,
    )


def finished(store):
    """Results in a store; folders that go while they are looked at count for nothing."""
    return sum("case.json" in names for _, _, names in os.walk(store))


@pytest.mark.slow
def test_kill_9_loses_nothing(root, tmp_path) -> None:
    """Killed three times at moments nobody chose and resumed, the table is that of a quiet run."""
    for name in "defg":
        shutil.copytree(root / "a", root / name)
    options = ("--workers", 1, "--progress", "none")
    osteoct("run", root, *PATTERNS, "-o", tmp_path / "quiet", *options)
    store, rng = tmp_path / "cut", random.Random(20261125)  # noqa: S311 - moments, no secrets
    begin = ("run", root, *PATTERNS, "-o", store, *options)
    for _ in range(3):
        done = finished(store)
        running = spawn(*(begin if done == 0 else ("run", store, "--resume", *options)))
        while running.poll() is None and finished(store) <= done:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.6))
        running.send_signal(signal.SIGKILL)
        running.communicate()
    assert osteoct("run", store, "--resume", *options).exit_code == 1
    assert table(store, tmp_path / "cut.csv") == table(tmp_path / "quiet", tmp_path / "quiet.csv")
    assert not [p for p in store.rglob("*") if p.suffix in {".part", ".old"}]


@pytest.mark.slow
def test_ctrl_c_ends_in_order(root, tmp_path) -> None:
    """130, the case in work is finished, the rest can be resumed, no worker stays."""
    store = tmp_path / "store"
    for number in range(12):
        shutil.copytree(root / "a", root / f"more{number}")
    running = spawn("run", root, *PATTERNS, "-o", store, "--workers", 1)
    while running.poll() is None and not finished(store):
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    status = json.loads(osteoct("status", store, "--json").stdout)
    assert status["counts"]["running"] == 0
    assert status["counts"]["done"] >= 1
    assert status["counts"]["pending"] >= 1


def test_an_owner_is_dead_only_when_it_is() -> None:
    """The running process lives, an ended one does not, of another machine nobody knows."""
    mine = make_owner()
    host, _, began, word = mine.rsplit(":", 3)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not is_dead(mine)
    assert is_dead(f"{host}:{ended.pid}:{began}:{word}")
    assert not is_dead(f"elsewhere:{ended.pid}:{began}:{word}")
    assert is_dead(f"{host}:{os.getpid()}:1.00:{word}")  # its number was given to another process
