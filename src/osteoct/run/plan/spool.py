"""A temporary table on disk: what was found waits there, grouped, while more is found."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

_CACHE_KIB: Final = 16 * 1024
"""Memory that the table may take, however long it is."""

_TABLE = """
CREATE TABLE rows (
    major TEXT NOT NULL, minor TEXT NOT NULL, folder TEXT NOT NULL, place TEXT NOT NULL,
    size INTEGER NOT NULL, stamp TEXT NOT NULL, note TEXT NOT NULL, payload BLOB NOT NULL
)
"""


class Row(NamedTuple):
    """One thing found.

    ``major`` and ``minor`` are what it is grouped by (a study and a series, or a case id); ``note``
    says why it is no case, or nothing.
    """

    major: str
    minor: str = ""
    folder: str = ""
    place: str = ""
    size: int = 0
    stamp: str = ""
    note: str = ""
    payload: bytes = b""


class Spool:
    """The table; it may hold identifiers, so its file has no name while it is used.

    >>> with Spool() as spool:
    ...     spool.add([Row("b", place="2"), Row("a", place="1"), Row("b", place="0")])
    ...     [(major, [row.place for row in spool.rows(major)]) for major, _ in spool.groups()]
    [('a', ['1']), ('b', ['0', '2'])]
    """

    def __init__(self, scratch: Path | None = None) -> None:
        handle, name = tempfile.mkstemp(prefix="osteoct-plan-", suffix=".sqlite", dir=scratch)
        os.close(handle)
        self._path = Path(name)
        self._table = sqlite3.connect(name, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._table.execute(f"PRAGMA {pragma}")
        self._table.execute(_TABLE)
        self._is_grouped = False
        self._forget_name()

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows."""
        self._table.execute("BEGIN")
        self._table.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._table.execute("COMMIT")

    def groups(self) -> Iterator[tuple[str, int]]:
        """Every ``major`` that is not empty with its number of rows, in order."""
        self._group()
        yield from self._table.execute(
            "SELECT major, count(*) FROM rows WHERE major > '' GROUP BY major ORDER BY major"
        )

    def rows(self, major: str) -> Iterator[Row]:
        """The rows of a group in the order of their places."""
        self._group()
        found = self._table.execute("SELECT * FROM rows WHERE major = ? ORDER BY place", (major,))
        yield from map(Row._make, found)

    def in_order(self) -> Iterator[Row]:
        """Every row as it was added."""
        yield from map(Row._make, self._table.execute("SELECT * FROM rows ORDER BY rowid"))

    def rows_of(self, minor: str) -> Iterator[Row]:
        """The rows of a smaller group in the order of their places."""
        self._group()
        found = self._table.execute(
            "SELECT * FROM rows WHERE minor = ? AND minor > '' ORDER BY place", (minor,)
        )
        yield from map(Row._make, found)

    def loose(self) -> Iterator[Row]:
        """The rows that belong to no group."""
        self._group()
        found = self._table.execute(
            "SELECT * FROM rows WHERE major = '' ORDER BY folder, note, place"
        )
        yield from map(Row._make, found)

    def count_loose(self, folder: str, note: str) -> int:
        """Number of rows of a folder, with a note, that belong to no group."""
        self._group()
        (count,) = self._table.execute(
            "SELECT count(*) FROM rows WHERE major = '' AND folder = ? AND note = ?",
            (folder, note),
        ).fetchone()
        return int(count)

    def _group(self) -> None:
        """Sort once all rows are there."""
        if self._is_grouped:
            return
        self._table.execute("CREATE INDEX majors ON rows (major, place)")
        self._table.execute("CREATE INDEX minors ON rows (minor, place) WHERE minor > ''")
        self._table.execute("CREATE INDEX strays ON rows (folder, note, place) WHERE major = ''")
        self._is_grouped = True

    def _forget_name(self) -> None:
        """Take the file out of its folder where the system can: a kill then leaves nothing."""
        if os.name == "posix":
            self._path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._table.close()
        self._path.unlink(missing_ok=True)
