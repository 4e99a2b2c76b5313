"""A ledger on a server: several machines work on one batch.

Who works on what is decided by the server, by its own clock; rows that another machine is just
claiming are passed over instead of waited for.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Double,
    SelectBase,
    Text,
    bindparam,
    cast,
    create_engine,
    extract,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from osteoct.errors import DependencyError, LedgerError
from osteoct.run.ledger.database import PATIENCE_S

_CONFLICTS: Final = ("40001", "40P01")
"""Serialization failure and deadlock: the server undid one of two transactions."""

_LOCKED: Final = "55P03"
"""A lock was not given within ``lock_timeout``."""

_FULL: Final = "53100"
_GONE: Final = ("08", "57P")
"""Classes of codes: the connection is lost; the server is being stopped or started."""

_CONNECT_S: Final = 10
"""A server in reach answers in less."""

_PLAN_LOCK: Final = 0x6F73_7465_6F63_7401
"""Any number that nothing else in the database uses: ``osteoct`` and 1."""

_OPTIONS: Final = f"-c lock_timeout={int(PATIENCE_S * 1000)} -c timezone=UTC"


class PostgresqlBackend:
    """Connections to the server of a ledger.

    Parameters
    ----------
    url
        With whatever it takes to get in; never shown.
    where
        How messages name it.
    """

    def __init__(self, url: URL, *, where: str) -> None:
        self.where = where
        given = url.query.get("options")
        options = f"{given} {_OPTIONS}" if isinstance(given, str) else _OPTIONS
        settings: dict[str, str | int] = {
            "options": options,
            "connect_timeout": _CONNECT_S,
            "keepalives_idle": 30,
            "tcp_user_timeout": int(PATIENCE_S * 1000),
            "application_name": "osteoct",
        }
        try:
            self.engine = create_engine(
                url.difference_update_query(["options"]), connect_args=settings
            )
        except ImportError as error:
            raise DependencyError(
                "a ledger in PostgreSQL needs a package",
                found=str(error.name or error),
                hint="pip install 'osteoct[postgres]'",
            ) from error

    def clock(self) -> ColumnElement[float]:
        """The clock of the server: the machines need not agree on the time."""
        return cast(extract("epoch", func.clock_timestamp()), Double)

    def listed(self, names: Collection[str]) -> SelectBase:
        """Names as one array."""
        return select(func.unnest(bindparam(None, list(names), type_=ARRAY(Text))))

    def begin(self, connection: Connection, *, durable: bool) -> None:
        """Do not wait for the server's disk where a power cut may undo the transaction."""
        if not durable:
            connection.execute(text("SET LOCAL synchronous_commit = off"))

    def prepare(self, connection: Connection) -> None:
        """Nothing: a server is ready."""

    def lock_plan(self, connection: Connection) -> None:
        """Hold a lock of the server that has no table."""
        connection.execute(select(func.pg_advisory_xact_lock(_PLAN_LOCK)))

    def is_conflict(self, error: DBAPIError) -> bool:
        """Whether the server chose this transaction to resolve a deadlock."""
        return _code(error) in _CONFLICTS

    def is_dropped(self, error: DBAPIError) -> bool:
        """Whether the server is gone, or going."""
        if error.connection_invalidated:
            return True
        code = _code(error)
        if code:
            return code.startswith(_GONE)
        return isinstance(error, OperationalError | InterfaceError)

    def explain(self, error: DBAPIError) -> LedgerError:
        """One line by the server's code; of its own words, the first line."""
        code = _code(error)
        if code == _LOCKED:
            return LedgerError(
                "is locked by another process",
                where=self.where,
                found=f"no answer for {PATIENCE_S:.0f} s",
                hint="end what holds it and resume; nothing that was finished is lost",
            )
        if code == _FULL:
            return LedgerError(
                "cannot be written", where=self.where, found="disk full", hint="free space, resume"
            )
        if self.is_dropped(error):
            return LedgerError(
                "cannot be reached",
                where=self.where,
                found=self._words(error),
                hint="look at the server and resume; nothing that was finished is lost",
            )
        return LedgerError("failed", where=self.where, found=self._words(error))

    def _words(self, error: DBAPIError) -> str:
        """First line of the server's words, without any secret of the address."""
        lines = str(error.orig).strip().splitlines()
        words = lines[0] if lines else type(error.orig).__name__
        password = self.engine.url.password
        return words.replace(password, "***") if password else words


def _code(error: DBAPIError) -> str:
    """SQLSTATE, or nothing where the server was never reached."""
    return getattr(error.orig, "sqlstate", None) or ""
