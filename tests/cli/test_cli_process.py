"""What only a real process shows: streams, locales, exit codes as a shell sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
LATIN = {"PYTHONIOENCODING": "latin-1"}
BASH = shutil.which("bash") or "bash"


def test_exit_code_and_one_line(spawn, patient, tmp_path):
    """A refusal in a shell: code 3, one line, no traceback."""
    told = spawn("analyze", tmp_path, "--masks", patient.masks, "-o", tmp_path / "out")
    assert (told.code, told.out, len(told.said)) == (3, "", 1)
    assert "Traceback" not in told.err


@pytest.mark.parametrize("env", [ASCII, LATIN], ids=["ascii", "latin-1"])
def test_any_locale(spawn, patient, tmp_path, env):
    """A sign like ³ ends no analysis: output is UTF-8 whatever the locale."""
    told = spawn(
        *("analyze", patient.ct, "--masks", patient.masks, "--levels", "L1"),
        *("-o", tmp_path / "out"),
        env=env,
    )
    assert told.code == 0, told.err
    assert "cm³" in told.out


def test_module_and_script_are_one(spawn):
    """``python -m osteoct`` and the console script beside the interpreter."""
    script = Path(sys.executable).with_name("osteoct")
    if not script.exists():
        pytest.skip("the console script is not beside the interpreter")
    made = subprocess.run(  # noqa: S603 - the script beside the interpreter
        [script, "--version"], capture_output=True, text=True, check=True
    )
    assert made.stdout == spawn("--version").out


def test_reader_that_leaves(patient):
    """``osteoct … | head -1`` is no failure."""
    command = f"{sys.executable} -m osteoct rules --json | head -1; exit ${{PIPESTATUS[0]}}"
    made = subprocess.run(  # noqa: S603 - a pipe is what is tested
        [BASH, "-c", command], capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stdout, made.stderr) == (0, "[\n", "")
    assert patient.ct.is_file()


def test_closed_stdout(patient, tmp_path):
    """Cron jobs close it; the result is what counts."""
    out = tmp_path / "out"
    command = f"exec {sys.executable} -m osteoct analyze '{patient.ct}' --masks '{patient.masks}' "
    made = subprocess.run(  # noqa: S603 - a real process is what is tested
        [BASH, "-c", f"{command} --levels L1 -o '{out}' >&-"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OSTEOCT_KEY": "a key of a test, long enough"},
    )
    assert made.returncode == 0, made.stderr
    assert (out / "case.json").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_stdout(spawn):
    """Output that cannot be written is said, not hidden, and is no mistake of ours."""
    with Path("/dev/full").open("w") as full:
        made = subprocess.run(
            [sys.executable, "-m", "osteoct", "rules", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert made.returncode == 4
    assert "No space left on device" in made.stderr.splitlines()[0]
    assert "Traceback" not in made.stderr
    assert spawn("rules").code == 0


def test_pipe_does_not_hang(spawn, patient, tmp_path):
    """A named pipe nobody writes to, as CT and as masks."""
    os.mkfifo(tmp_path / "pipe.nii.gz")
    for ct, masks in (
        (tmp_path / "pipe.nii.gz", patient.masks),
        (patient.ct, tmp_path / "pipe.nii.gz"),
    ):
        told = spawn("analyze", ct, "--masks", masks, "-o", tmp_path / "out")
        assert told.code == 3
        assert "special file" in told.said[0]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_sigterm_leaves_nothing(tmp_path):
    """Batch systems end jobs with it: the folder that was being written is taken back."""
    command = [sys.executable, "-m", "osteoct", "demo", "-o", str(tmp_path / "out")]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr.readline().startswith("Making")
        deadline = time.monotonic() + 60
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        begun = [path.name for path in tmp_path.iterdir()]
        process.terminate()
        said = process.stderr.read()
    assert begun
    assert begun != ["out"]
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in said
