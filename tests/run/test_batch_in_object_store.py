"""From an object store and into one, against a real server: the same numbers as on a disk."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteoct.cli import main
from osteoct.phantom.small import write_small_patient

PATTERNS = ("--ct", "*/ct.nii.gz", "--masks", "{parent}/masks.nii.gz", "--case-id", "{parent.name}")


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "root"
    (folder / "a").mkdir(parents=True)
    write_small_patient(folder / "a")
    shutil.copytree(folder / "a", folder / "b")
    return folder


def osteoct(*args: object):
    return CliRunner().invoke(main, [str(a) for a in args], prog_name="osteoct")


def rows(store: object, out: Path, *options: str) -> list[list[str]]:
    told = osteoct("collect", store, "-o", out, *options)
    assert told.exit_code == 0, told.output
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_from_an_object_store_into_one(root, s3, tmp_path, monkeypatch) -> None:
    """Images come from ``s3://``, results go there, and the table is that of a run on a disk."""
    monkeypatch.setenv("OSTEOCT_KEY", "a key for tests, not for patients")
    monkeypatch.delenv("OSTEOCT_KEY_FILE", raising=False)
    shutil.copytree(root, s3.root / "scans" / "in")
    quiet = ("--workers", 1, "--progress", "none")
    ledger = ("--ledger", f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    store = "s3://scans/results"
    ran = osteoct("run", "s3://scans/in", *PATTERNS, "-o", store, *quiet, *ledger)
    assert ran.exit_code == 0, ran.output
    assert osteoct("run", root, *PATTERNS, "-o", tmp_path / "disk", *quiet).exit_code == 0
    assert rows(store, tmp_path / "s3.csv") == rows(tmp_path / "disk", tmp_path / "disk.csv")
    assert [name for name in s3.objects() if name.endswith(".zip")]
    again = osteoct("run", "s3://scans/in", *PATTERNS, "-o", store, *quiet, *ledger)
    assert "2 unchanged" in again.stderr
    assert s3.secret not in (tmp_path / "ledger.sqlite").read_bytes().decode("latin-1")


@pytest.mark.usefixtures("s3")
def test_an_object_store_without_a_ledger_is_refused(root) -> None:
    """A ledger needs a file system or a database."""
    told = osteoct("run", root, *PATTERNS, "-o", "s3://scans/results")
    assert told.exit_code == 2
    assert "--ledger" in told.stderr
