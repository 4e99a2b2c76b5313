"""A small patient on the disk, and the command as a user calls it, here or in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteoct.cli import main
from osteoct.phantom.small import TWO_LEVELS, write_small_patient

KEY = "a key for tests, not for patients"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a user sees of a call."""

    code: int
    out: str
    err: str

    @property
    def said(self):
        """Lines on stderr."""
        return self.err.splitlines()


@dataclass(frozen=True, kw_only=True)
class Patient:
    """Where the images of the small patient lie."""

    folder: Path

    @property
    def dicom(self):
        return self.folder / "ct-dicom"

    @property
    def ct(self):
        return self.folder / "ct.nii.gz"

    @property
    def masks(self):
        return self.folder / "masks.nii.gz"

    @property
    def bodies(self):
        return self.folder / "body-masks.nii.gz"


@pytest.fixture(autouse=True)
def _own_key(monkeypatch):
    """No test reads or makes the key of the person who runs it."""
    monkeypatch.delenv("OSTEOCT_KEY_FILE", raising=False)
    monkeypatch.delenv("OSTEOCT_DEBUG", raising=False)
    monkeypatch.setenv("OSTEOCT_KEY", KEY)


@pytest.fixture(scope="session")
def patient(tmp_path_factory):
    """The small patient; tests only read it."""
    folder = tmp_path_factory.mktemp("patient")
    write_small_patient(folder, TWO_LEVELS, dicom=True)
    return Patient(folder=folder)


def call_command(*args):
    """Call the command in this process."""
    result = CliRunner().invoke(main, [str(a) for a in args], prog_name="osteoct")
    return Outcome(code=result.exit_code, out=result.stdout, err=result.stderr)


def spawn_command(*args, **options):
    """Call the command in a process of its own, in the environment of a clean shell."""
    made = subprocess.run(  # noqa: S603 - the interpreter that runs the tests
        [sys.executable, "-m", "osteoct", *map(str, args)],
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, "OSTEOCT_KEY": KEY, **options.pop("env", {})},
        **options,
    )
    return Outcome(code=made.returncode, out=made.stdout.decode(), err=made.stderr.decode())


@pytest.fixture
def osteoct():
    """The command, in this process."""
    return call_command


@pytest.fixture
def spawn():
    """The command, in a process of its own."""
    return spawn_command


@pytest.fixture(scope="session")
def analysed(patient, tmp_path_factory):
    """One analysis of the small patient with ``--json``: what was said, and the folder it made."""
    out = tmp_path_factory.mktemp("analysed") / "result"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSTEOCT_KEY", KEY)
        said = call_command(
            *("analyze", patient.dicom, "--masks", patient.masks, "--body-masks", patient.bodies),
            *("--levels", "L1-L3", "--json", "-o", out),
        )
    return said, out


@pytest.fixture
def analyze(osteoct, patient, tmp_path):
    """Analyse the small patient, or an image of it stored in another way."""

    def call(ct=None, *options, masks=None, out=None):
        return osteoct(
            *("analyze", ct or patient.dicom, "--masks", masks or patient.masks),
            *("--levels", "L1,L2", "-o", out or tmp_path / "result", *options),
        )

    return call
