"""The process around the package: no network, no leftovers, failures sorted."""

from __future__ import annotations

import errno
import subprocess
import sys
import time

import pytest

from osteoct.segment.totalsegmentator import worker
from osteoct.segment.totalsegmentator.plan import BODIES
from osteoct.segment.totalsegmentator.process import (
    private_folder,
    worker_environment,
)
from osteoct.segment.totalsegmentator.weights import WeightsFolder

START = "from osteoct.segment.totalsegmentator import worker; import sys, time; "


def _run(code):
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
    done = _run(f"import socket; worker.refuse_network(); {attempt}")
    assert done.returncode != 0
    assert "the network is not used here" in done.stderr


def test_processes_on_this_machine_still_talk():
    """Process pools use sockets of the file system."""
    done = _run(
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
        (OSError(errno.ENOSPC, "No space left on device"), "disk"),
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


def test_the_private_folder_links_weights_and_goes_away(tmp_path):
    """Nothing is copied; nothing of the user's is touched when it is removed."""
    file = tmp_path / BODIES.folder / "a"
    file.parent.mkdir()
    file.write_text("kept")
    with private_folder(WeightsFolder(path=tmp_path, shown="w"), [BODIES]) as folder:
        assert (folder / "weights" / BODIES.folder).is_symlink()
        assert '"send_usage_stats": false' in (
            folder / "totalsegmentator" / "config.json"
        ).read_text(encoding="utf-8")
        environment = worker_environment(folder)
    assert not folder.exists()
    assert file.read_text() == "kept"
    for name in ("HOME", "TMPDIR", "TOTALSEG_HOME_DIR", "TOTALSEG_WEIGHTS_PATH", "MPLCONFIGDIR"):
        assert environment[name].startswith(str(folder))


def test_settings_of_the_caller_do_not_reach_the_package(tmp_path, monkeypatch):
    """A variable left from nnU-Net's own training would move its folders."""
    monkeypatch.setenv("nnUNet_results", "/elsewhere")  # the variable's own spelling
    assert "nnUNet_results" not in worker_environment(tmp_path)
