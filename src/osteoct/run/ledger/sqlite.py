"""A ledger in one file: nothing to install, one machine, any number of processes.

Write-ahead log: others read while one writes. What must survive a power cut is forced to the disk
when it is committed; the rest (who is working on what) follows with the next of it, in order.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Engine,
    QueuePool,
    SelectBase,
    create_engine,
    event,
    func,
    literal,
    select,
)
from sqlalchemy.exc import DBAPIError

from osteoct.errors import LedgerError
from osteoct.run.ledger.database import PATIENCE_S
from osteoct.run.ledger.tables import meta

_LOCKED: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NO_SHARED_MEMORY: Final = (
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
)
_WHATS: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_NOTADB: ("is not a ledger", "another file"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "restore it from a backup, or plan anew in a new store"),
    sqlite3.SQLITE_FULL: ("cannot be written", "free some space and resume"),
    sqlite3.SQLITE_READONLY: ("cannot be written", "give the user of the run write permission"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "look at the folder and its permissions"),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "look at the disk"),
}
_PRIMARY: Final = 0xFF
"""The lower byte of an SQLite error code is its kind, the rest a detail."""


class SqliteBackend:
    """Connections to the file of a ledger.

    Parameters
    ----------
    path
        The file.
    where
        How messages name it.
    create
        Whether the file is made when it is absent.
    vfs
        SQLite's layer to the operating system; another one in tests.
    """

    def __init__(
        self, path: Path, *, where: str, create: bool = True, vfs: str | None = None
    ) -> None:
        self.where = where
        self._uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        self._uri += f"&vfs={vfs}" if vfs else ""
        self.engine = _make_engine(self)
        self.has_log = True

    def connect(self) -> sqlite3.Connection:
        """Open the file as it is: it may turn out to be somebody else's."""
        connection = sqlite3.connect(
            self._uri, uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
        self.has_log = mode == "wal"
        return connection

    def prepare(self, connection: Connection) -> None:
        """Choose the write-ahead log, for good: the file remembers.

        Where files cannot be shared memory (some network file systems) SQLite keeps the rollback
        journal, or says so with an error; where another process is just making the same ledger,
        it chooses.
        """
        file = connection.connection.driver_connection
        assert isinstance(file, sqlite3.Connection)  # noqa: S101 -- made by connect()
        try:
            self._refuse_others(file)
            file.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            if error.sqlite_errorcode & _PRIMARY not in (*_NO_SHARED_MEMORY, *_LOCKED):
                raise self._line(error) from error
            if error.sqlite_errorcode & _PRIMARY in _NO_SHARED_MEMORY:
                file.execute("PRAGMA journal_mode = DELETE")
        (mode,) = file.execute("PRAGMA journal_mode").fetchone()
        self.has_log = mode == "wal"

    def _refuse_others(self, file: sqlite3.Connection) -> None:
        """Raise where a file holds the tables of another program."""
        found = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
        if found and meta.name not in found:
            raise LedgerError(
                "is not a ledger",
                where=self.where,
                found="tables of another program",
                wanted="a file of its own",
            )

    def clock(self) -> ColumnElement[float]:
        """The clock of this machine, which is the only one at work."""
        return literal(time.time(), Double)

    def listed(self, names: Collection[str]) -> SelectBase:
        """Names as one JSON parameter."""
        return select(func.json_each(json.dumps(list(names))).table_valued("value").c.value)

    def begin(self, connection: Connection, *, durable: bool) -> None:
        """Nothing: said before the transaction, see :func:`_begin`."""

    def lock_plan(self, connection: Connection) -> None:
        """Nothing: a transaction that writes is alone anyway."""

    def is_conflict(self, error: DBAPIError) -> bool:  # noqa: ARG002 -- as the other backend
        """Never: who waits too long is told so."""
        return False

    def is_dropped(self, error: DBAPIError) -> bool:  # noqa: ARG002 -- as the other backend
        """Never: a file does not go away."""
        return False

    def explain(self, error: DBAPIError) -> LedgerError:
        """One line by SQLite's code."""
        return self._line(error.orig)

    def _line(self, error: BaseException | None) -> LedgerError:
        """SQLite's own words name no path."""
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _LOCKED:
            return LedgerError(
                "is locked by another process",
                where=self.where,
                found=f"no answer for {PATIENCE_S:.0f} s",
                hint="end what holds it and resume; nothing that was finished is lost",
            )
        what, hint = _WHATS.get(code, ("failed", "look at the disk"))
        return LedgerError(what, where=self.where, found=str(error), hint=hint)


def _make_engine(backend: SqliteBackend) -> Engine:
    """Connections of the backend, kept open between transactions."""
    engine = create_engine("sqlite://", creator=backend.connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        _begin(backend, connection)

    return engine


def _begin(backend: SqliteBackend, connection: Connection) -> None:
    """Begin a transaction: one that writes asks for the lock at once, so that it never loses it."""
    options = connection.get_execution_options()
    if options.get("osteoct_reads"):
        connection.exec_driver_sql("BEGIN")
        return
    if not backend.has_log:
        level = "EXTRA"
    else:
        level = "FULL" if options.get("osteoct_durable", True) else "NORMAL"
    connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
