"""Opening a ledger: the right kind of database, with the right tables."""

from __future__ import annotations

from sqlalchemy import Connection, insert, inspect, select

from osteoct.errors import LedgerError
from osteoct.run.ledger.address import postgresql_url, shown, sqlite_path
from osteoct.run.ledger.database import Backend, Database
from osteoct.run.ledger.sqlite import SqliteBackend
from osteoct.run.ledger.tables import SCHEMA, meta, metadata

_SCHEMA_KEY = "schema"


def open_database(url: str, *, create: bool) -> Database:
    """Open the database of a ledger; see :meth:`osteoct.run.ledger.ledger.Ledger.open`."""
    path, where = sqlite_path(url), shown(url)
    if path is not None and not create and not path.is_file():
        raise _absent(where)
    backend = (
        _postgresql(url, where) if path is None else SqliteBackend(path, where=where, create=create)
    )
    try:
        check_schema(Database(backend, patience_s=0), create=create)
    except BaseException:
        backend.engine.dispose()
        raise
    return Database(backend)


def check_schema(database: Database, *, create: bool) -> None:
    """Make the tables where there are none; refuse those of another version or program."""
    found = database.read(_schema_of)
    if found is None and create:
        database.prepare()
        database.write(lambda c: _make_tables(database.backend, c))
        found = database.read(_schema_of)
    if found is None:
        raise _absent(database.backend.where)
    if found != SCHEMA:
        raise LedgerError(
            "is of another version of osteoct",
            where=database.backend.where,
            found=found,
            wanted=SCHEMA,
            hint="use the osteoct that made it, or plan anew in a new store",
        )


def _postgresql(url: str, where: str) -> Backend:
    from osteoct.run.ledger.postgresql import PostgresqlBackend  # noqa: PLC0415 -- its driver is optional

    return PostgresqlBackend(postgresql_url(url), where=where)


def _absent(where: str) -> LedgerError:
    return LedgerError(
        "holds no ledger",
        where=where,
        wanted="one that a run began",
        hint="osteoct run SOURCE -o STORE",
    )


def _schema_of(connection: Connection) -> str | None:
    """What the ledger says of itself; ``None`` where there is no ledger."""
    if not inspect(connection).has_table(meta.name):
        return None
    return connection.scalar(select(meta.c.value).where(meta.c.key == _SCHEMA_KEY))


def _make_tables(backend: Backend, connection: Connection) -> None:
    """Make the tables, unless another process just did."""
    backend.lock_plan(connection)
    if _schema_of(connection) is not None:
        return
    metadata.create_all(connection)
    connection.execute(insert(meta).values(key=_SCHEMA_KEY, value=SCHEMA))
