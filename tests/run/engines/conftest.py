"""A cluster of several processes on this machine: a head and other nodes, as on several hosts."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

_LONG_S = 60.0
"""Far more than a node takes to start: only what fails waits for it."""

_QUICK = {
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "3",
    "RAY_health_check_timeout_ms": "1000",
}
"""A dead node is noticed after 2 s instead of 20."""


def wait_until(is_so: Callable[[], bool], *, seconds: float = _LONG_S) -> bool:
    """Whether something becomes so in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return is_so()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a node with all it started, as a host that loses power."""
    if process.poll() is None:
        parent = psutil.Process(process.pid)
        for one in (*parent.children(recursive=True), parent):
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
    process.wait()


@dataclass(kw_only=True, eq=False)
class Cluster:
    """Nodes that were started with ``ray start``, each a family of processes."""

    port: int
    client_port: int
    folder: str
    environment: dict[str, str]
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a node; it may take a moment until it is counted."""
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter
            [
                *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block"),
                *("--disable-usage-stats", "--object-store-memory=80000000"),
                *("--node-ip-address=127.0.0.1", *arguments),
            ],
            env={**self.environment, **environment},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.nodes.append(process)
        return process

    def join(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start another node of the cluster."""
        return self.start(f"--address={self.address}", *arguments, **environment)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


STAGES = Path(__file__).parent / "stages"
"""Stages that the nodes can import by name."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A head with one core, and a node with one core and one GPU that is only counted."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs ray: pip install 'osteoct[cluster]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        paths = [str(STAGES), os.environ.get("PYTHONPATH", "")]
        made = Cluster(
            port=_free_port(),
            client_port=_free_port(),
            folder=tempfile.mkdtemp(prefix="ray-test-"),
            environment={
                **os.environ,
                **_QUICK,
                "RAY_USAGE_STATS_ENABLED": "0",
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            },
        )
        try:
            made.start(
                *("--head", f"--port={made.port}", f"--temp-dir={made.folder}"),
                *("--num-cpus=1", "--num-gpus=0", "--include-dashboard=false"),
                f"--ray-client-server-port={made.client_port}",
            )
            assert wait_until(lambda: _listens(made.port))
            made.join("--num-cpus=1", "--num-gpus=1")
            yield made
        finally:
            for node in made.nodes:
                kill(node)
            shutil.rmtree(made.folder, ignore_errors=True)
