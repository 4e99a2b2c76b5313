"""Transactions that end whole, and errors that end in one line, whatever the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, SelectBase
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from osteoct.errors import LedgerError

T = TypeVar("T")

PATIENCE_S: Final = 30.0
"""How long a locked file or an absent server is waited for: a server restarts in less."""

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
"""Between two attempts to reach a server; doubled each time, so that many machines spread."""


class Backend(Protocol):
    """What differs between databases."""

    where: str
    engine: Engine

    def clock(self) -> ColumnElement[float]:
        """The time now, in seconds since 1970, by the clock that leases are counted with."""
        ...

    def listed(self, names: Collection[str]) -> SelectBase:
        """A query whose rows are these names: any number of them in one parameter."""
        ...

    def begin(self, connection: Connection, *, durable: bool) -> None:
        """Say what a transaction that writes promises, before its first statement."""
        ...

    def prepare(self, connection: Connection) -> None:
        """Make an empty database ready for tables, outside any transaction."""
        ...

    def lock_plan(self, connection: Connection) -> None:
        """Let no other process record a plan until this transaction ends."""
        ...

    def is_conflict(self, error: DBAPIError) -> bool:
        """Whether the transaction was undone for another one and may simply be repeated."""
        ...

    def is_dropped(self, error: DBAPIError) -> bool:
        """Whether the connection is gone and a new one may serve."""
        ...

    def explain(self, error: DBAPIError) -> LedgerError:
        """One line for a user."""
        ...


class InDoubtError(Exception):
    """The connection was lost while a transaction was being sealed: it may have been or not."""

    def __init__(self, error: DBAPIError) -> None:
        self.error = error
        super().__init__(str(type(error).__name__))


class Database:
    """Runs pieces of work in transactions of their own.

    Parameters
    ----------
    backend
        SQLite or PostgreSQL.
    patience_s
        How long to wait for a server that is gone; by default :data:`PATIENCE_S`.
    """

    def __init__(self, backend: Backend, *, patience_s: float | None = None) -> None:
        self.backend = backend
        self._patience_s = PATIENCE_S if patience_s is None else patience_s

    def prepare(self) -> None:
        """Make an empty database ready for tables.

        Raises
        ------
        LedgerError
            It belongs to another program, or cannot be written.
        """
        try:
            with self.backend.engine.connect() as connection:
                self.backend.prepare(connection)
        except DBAPIError as error:
            raise self.backend.explain(error) from None

    def read(self, work: Callable[[Connection], T]) -> T:
        """Return what ``work`` reads, all of it from one moment.

        Raises
        ------
        LedgerError
            It cannot be read.
        """
        return self._patiently(lambda: self._once(work, options={"osteoct_reads": True}))

    def write(
        self,
        work: Callable[[Connection], T],
        *,
        durable: bool = True,
        verify: Callable[[Connection], T | None] | None = None,
    ) -> T:
        """Return what ``work`` did, once it is written; or nothing of it is.

        Parameters
        ----------
        durable
            Whether it has to survive a power cut. Without, it survives the end of the process.
        verify
            Called where the connection broke at the very end: returns what ``work`` would have
            returned if it was written, ``None`` if it was not. Without it, work that may be done
            twice is done again.

        Raises
        ------
        LedgerError
            It cannot be written: locked, full, unreachable.
        """

        def attempt() -> T:
            return self._once(work, options={"osteoct_durable": durable})

        def again() -> T:
            found = None if verify is None else self._once(verify, options={"osteoct_reads": True})
            return attempt() if found is None else found

        try:
            return self._patiently(attempt, in_doubt=True)
        except InDoubtError:
            return self._patiently(again)

    def _patiently(self, attempt: Callable[[], T], *, in_doubt: bool = False) -> T:
        """Repeat what was undone or found no server, until it succeeds or patience ends."""
        deadline = time.monotonic() + self._patience_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return attempt()
            except InDoubtError as doubt:
                if in_doubt:
                    raise
                error = doubt.error
            except DBAPIError as broken:
                error = broken
            passing = self.backend.is_conflict(error) or self.backend.is_dropped(error)
            if not passing or time.monotonic() + pause > deadline:
                raise self.backend.explain(error) from None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _once(self, work: Callable[[Connection], T], *, options: dict[str, Any]) -> T:
        """One transaction."""
        with self.backend.engine.connect().execution_options(**options) as connection:
            with connection.begin() as transaction:
                if not options.get("osteoct_reads"):
                    self.backend.begin(connection, durable=bool(options["osteoct_durable"]))
                result = work(connection)
                try:
                    transaction.commit()
                except (OperationalError, InterfaceError) as error:
                    if self.backend.is_dropped(error):
                        raise InDoubtError(error) from error
                    raise
            return result

    def close(self) -> None:
        """Close every connection."""
        self.backend.engine.dispose()
