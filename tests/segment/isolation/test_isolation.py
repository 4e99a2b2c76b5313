"""The process apart: no network, no leftovers, failures sorted, one process for many jobs."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from osteoct.errors import SegmentationError, SegmenterUnavailableError
from osteoct.segment.isolation import worker
from osteoct.segment.isolation.session import Session, private_environment

START = "from osteoct.segment.isolation import worker; import sys, time; "


def _run_code(code):
    return subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", START + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', 9), timeout=2)",
        "socket.getaddrinfo('localhost', 80)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:9/')",
    ],
)
def test_the_network_is_refused(attempt):
    """Even a package that tries, cannot."""
    done = _run_code(f"import socket; worker.refuse_network(); {attempt}")
    assert done.returncode != 0
    assert "the network is not used here" in done.stderr


def test_processes_on_this_machine_still_talk():
    """Process pools use sockets of the file system."""
    done = _run_code(
        "import socket; worker.refuse_network(); a, b = socket.socketpair(); a.sendall(b'x'); "
        "print(b.recv(1))"
    )
    assert done.stdout.strip() == "b'x'"


def test_it_ends_with_its_caller_and_takes_its_folder_along(tmp_path):
    """A killed caller cannot clean up; its end of the pipe closes all the same."""
    folder = tmp_path / "private"
    folder.mkdir()
    (folder / "ct.npy").write_bytes(b"image")
    code = "worker.end_with_parent(__import__('pathlib').Path(sys.argv[1])); print(1, flush=True); "
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", START + code + "time.sleep(60)", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout.readline()
    clock = time.monotonic()
    process.stdin.close()
    assert process.wait(20) < 0
    process.stdout.close()
    assert time.monotonic() - clock < 10
    assert not folder.exists()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), "memory"),
        (RuntimeError("Some background workers are no longer alive"), "memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "gpu-memory"),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
            "gpu-memory",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "gpu-memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk"),
        (OSError("526500 requested and 151488 written"), "disk"),
        (SystemExit(1), "exit"),
        (IndexError("index 1 is out of bounds"), "failed"),
        (LookupError("0 GPUs that torch 2 can use"), "device"),
        (worker.NetworkRefusedError(1, "no"), "network"),
    ],
)
def test_failures_are_sorted(error, kind):
    """Each kind has its own advice."""
    assert worker.tell_failure(error)["kind"] == kind


def test_a_network_error_is_found_below_others():
    """Libraries wrap it several times."""
    outer = ConnectionError("max retries")
    outer.__cause__ = OSError("no route")
    outer.__cause__.__context__ = worker.NetworkRefusedError(1, "no")
    assert worker.tell_failure(outer)["kind"] == "network"


WORK = """
import os, signal, subprocess, sys, time
from osteoct.segment.isolation.worker import serve
seen = []
def work(job, folder, tell):
    seen.append(job["n"])
    print("noise")
    tell(stage="one", done=1, total=2)
    if job.get("do"):
        exec(job["do"])
    (folder / "left.txt").write_text("x")
    return {"pid": os.getpid(), "seen": seen, "home": os.environ["HOME"], "stdin": sys.stdin.read()}
serve(work)
"""


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A program of its own behind a session, in a temporary folder that can be looked into."""
    (tmp_path / "a_program.py").write_text(WORK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    temporary = tmp_path / "t"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return Session("a_program", title="A program", where="a-program", prepare=lambda _: {})


def _run(session, **job):
    with session.job_folder() as folder:
        return session.run({"n": 1, **job}, folder)


def test_one_process_does_job_after_job(session):
    """Models are loaded once; what a program prints disturbs nothing; its input is empty."""
    heard = []
    with session:
        with session.job_folder() as folder:
            first = session.run({"n": 1}, folder, hear=heard.append)
            assert (folder / "left.txt").is_file()
        assert not folder.exists()
        second = _run(session, n=2)
        assert first["pid"] == second["pid"]
        assert second["seen"] == [1, 2]
        assert first["home"].startswith(str(session.folder))
        assert first["stdin"] == ""
    assert heard == [{"stage": "one", "done": 1, "total": 2}]


def test_nothing_is_left_when_the_session_ends(session, tmp_path):
    """Neither a folder nor a process, also of those that the program started itself."""
    late = tmp_path / "late"
    child = f"import time; time.sleep(1.5); open({str(late)!r}, 'w')"
    with session:
        _run(session, do=f"subprocess.Popen([sys.executable, '-c', {child!r}])")
    assert not any((tmp_path / "t").iterdir())
    time.sleep(2.5)
    assert not late.exists()


def test_a_failure_costs_one_job(session):
    """The next job finds a new process."""
    with session:
        first = _run(session)
        with pytest.raises(SegmentationError, match="A program failed; found ValueError: no"):
            _run(session, do="raise ValueError('no')")
        second = _run(session)
    assert second["pid"] != first["pid"]
    assert second["seen"] == [1]


@pytest.mark.parametrize(
    ("do", "error", "says"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", SegmenterUnavailableError, "ran out of memory"),
        ("os._exit(3)", SegmentationError, "ended with code 3"),
        ("raise SystemExit('stop')", SegmentationError, "gave up; found SystemExit: stop"),
    ],
)
def test_a_process_that_ends_is_told_from_one_that_works(session, do, error, says):
    """The system kills without a word; a program may end the whole process."""
    with session, pytest.raises(error, match=says):
        _run(session, do=do)


def test_a_child_that_outlives_the_process_does_not_hold_the_caller(session):
    """It keeps the pipe open, through which nothing will ever come."""
    clock = time.monotonic()
    do = "subprocess.Popen(['sleep', '60'], close_fds=False); os._exit(3)"
    with session, pytest.raises(SegmentationError, match="code 3"):
        _run(session, do=do)
    assert time.monotonic() - clock < 20


def test_a_job_may_take_so_long_and_no_longer(session):
    """A program that hangs costs one case, not the batch."""
    with session, session.job_folder() as folder:
        with pytest.raises(SegmenterUnavailableError, match="took longer than it may; found more"):
            session.run({"n": 1, "do": "time.sleep(60)"}, folder, limit_s=1.0)
        assert session.run({"n": 2}, folder, limit_s=60.0)["seen"] == [2]


@pytest.fixture
def small_disk(tmp_path):
    """A temporary folder on a file system of 256 kB, or a skip where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if (
        shutil.which("mount") is None
        or subprocess.run(mount, capture_output=True, check=False).returncode  # noqa: S603 - ours
    ):
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)  # noqa: S603, S607 - ours


@pytest.mark.parametrize("write", [np.save, lambda path, array: path.write_bytes(array)])
def test_a_temporary_folder_that_is_full_is_said(session, small_disk, monkeypatch, write):
    """Whoever of the two writes; with space again the next job works."""
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    with session:
        with (
            pytest.raises(SegmenterUnavailableError, match="ran out of disk space") as caught,
            session.job_folder() as folder,
        ):
            write(folder / "ct.npy", np.zeros(2**20, np.uint8))
        assert "TMPDIR" in caught.value.line
        assert str(small_disk) not in caught.value.line
        do = "import numpy; numpy.save(folder / 'l.npy', numpy.zeros(2**20, 'u1'))"
        with pytest.raises(SegmenterUnavailableError, match="ran out of disk space"):
            _run(session, do=do)
        assert _run(session)["seen"] == [1]
    assert not any(small_disk.iterdir())


@pytest.mark.parametrize("kind", ["missing", "a file"])
def test_without_a_temporary_folder_one_line_says_so(session, tmp_path, monkeypatch, kind):
    """A container whose only writable folder was not named."""
    place = tmp_path / "place"
    if kind == "a file":
        place.write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with pytest.raises(SegmenterUnavailableError, match="no temporary folder") as caught, session:
        raise AssertionError
    assert "TMPDIR" in caught.value.line
    assert str(tmp_path) not in caught.value.line


def test_names_of_private_folders_stay_private(session):
    """They hold the temporary folder's path, which is the machine's affair."""
    with session, pytest.raises(SegmentationError) as caught:
        _run(session, do="raise ValueError(str(folder / 'file'))")
    assert "…" in caught.value.line
    assert "osteoct-" not in caught.value.line


def test_settings_of_the_caller_do_not_reach_the_program(tmp_path, monkeypatch):
    """A variable left from nnU-Net's own training would move its folders."""
    monkeypatch.setenv("nnUNet_results", "/elsewhere")  # the variable's own spelling
    environment = private_environment(tmp_path)
    assert "nnUNet_results" not in environment
    for name in ("HOME", "TMPDIR", "MPLCONFIGDIR"):
        assert environment[name].startswith(str(tmp_path))
