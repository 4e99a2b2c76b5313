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

_LOCKED: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
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
        The file; it is made when first written.
    where
        How messages name it.
    vfs
        SQLite's layer to the operating system; another one in tests.
    """

    def __init__(self, path: Path, *, where: str, vfs: str | None = None) -> None:
        self.where = where
        self._uri = f"{path.absolute().as_uri()}?mode=rwc" + (f"&vfs={vfs}" if vfs else "")
        self.engine = _make_engine(self)
        self.has_log = True

    def connect(self) -> sqlite3.Connection:
        """Open the file; a rollback journal serves where files cannot be shared memory."""
        connection = sqlite3.connect(
            self._uri, uri=True, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY not in {
                sqlite3.SQLITE_IOERR,
                sqlite3.SQLITE_CANTOPEN,
                sqlite3.SQLITE_PROTOCOL,
            }:
                connection.close()
                raise
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        self.has_log = mode == "wal"
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

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
        code = getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY
        if code in _LOCKED:
            return LedgerError(
                "is locked by another process",
                where=self.where,
                found=f"no answer for {PATIENCE_S:.0f} s",
                hint="end what holds it and resume; nothing that was finished is lost",
            )
        what, hint = _WHATS.get(code, ("failed", "look at the disk"))
        return LedgerError(what, where=self.where, found=_text(error), hint=hint)


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


def _text(error: DBAPIError) -> str:
    """SQLite's own words, which name no path."""
    return str(error.orig)
