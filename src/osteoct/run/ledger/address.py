"""Where a ledger lies, and what of that may be shown: never a password."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from osteoct.errors import LedgerError

VARIABLE: Final = "OSTEOCT_LEDGER"
"""Environment variable with the address; the only place where an address may hold a password."""

_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = ("postgresql", "postgres", "postgresql+psycopg")
_SECRET: Final = ("password", "sslpassword", "sslkey", "passfile")
"""Parameters that say how to get in; everything else says where."""


def sqlite_address(path: Path) -> str:
    """Return the address of a ledger in a file.

    >>> sqlite_address(Path("/work/store/ledger.sqlite"))
    'sqlite:////work/store/ledger.sqlite'
    """
    return f"{_SQLITE}{path}"


def sqlite_path(address: str) -> Path | None:
    """Return the file of an SQLite address, or ``None`` where it is none.

    Taken as it is: a path may hold ``?`` or ``%``.
    """
    return Path(address[len(_SQLITE) :]) if address.startswith(_SQLITE) else None


def postgresql_url(address: str) -> URL:
    """Return the parts of a PostgreSQL address.

    Raises
    ------
    LedgerError
        It is none. The message does not repeat it, as it may hold a password.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _POSTGRESQL:
        raise LedgerError(
            "is no address of a ledger",
            where="ledger",
            found="something else" if url is None else f"{url.drivername}://…",
            wanted="sqlite:///PATH or postgresql://[USER@]HOST[:PORT]/DATABASE",
        )
    return url.set(drivername="postgresql+psycopg")


def chosen_address(option: str | None, environment: Mapping[str, str]) -> str | None:
    """Return the address a user chose: the option, or else the environment; ``None`` for neither.

    Raises
    ------
    LedgerError
        The option holds a password: whoever lists the processes of the machine would see it.
    """
    if option is None:
        return environment.get(VARIABLE) or None
    if sqlite_path(option) is None and _has_secret(postgresql_url(option)):
        raise LedgerError(
            "a password does not belong on the command line",
            where="--ledger",
            wanted="an address without it",
            hint=f"put it into ~/.pgpass, PGPASSWORD or {VARIABLE}",
        )
    return option


def storable(address: str) -> str:
    """Return an address that may be written down: without password.

    >>> storable("postgresql://ann:secret@db.example/ct?sslmode=require&password=x")
    'postgresql://ann@db.example/ct?sslmode=require'
    """
    if sqlite_path(address) is not None:
        return address
    url = postgresql_url(address)
    url = url.set(drivername="postgresql").difference_update_query(_SECRET)
    return URL.create(
        url.drivername,
        username=url.username,
        host=url.host,
        port=url.port,
        database=url.database,
        query=url.query,
    ).render_as_string(hide_password=False)


def shown(address: str) -> str:
    """Return how messages name a ledger: the name of its file, or server and database.

    >>> shown("sqlite:////home/jane/store/ledger.sqlite")
    'ledger.sqlite'
    >>> shown("postgresql://ann:secret@db.example:5432/ct?sslmode=require")
    'postgresql://db.example:5432/ct'
    """
    path = sqlite_path(address)
    if path is not None:
        return path.name
    url = postgresql_url(address)
    host = url.host or "localhost"
    port = "" if url.port is None else f":{url.port}"
    return f"postgresql://{host}{port}/{url.database or ''}"


def _has_secret(url: URL) -> bool:
    return url.password is not None or any(name in url.query for name in _SECRET)
