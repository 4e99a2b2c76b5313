"""What a store is, and what it writes beside a result."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, Protocol, runtime_checkable

from pydantic import Field

from osteoct.record import Record
from osteoct.records import CaseResult

WORK_FILE: Final = "work.json"
"""Beside ``case.json``: which work the result is of."""

MASKS_FILE: Final = "masks.json"
"""What makes a folder one of masks; written by :mod:`osteoct.run.work.masks`."""


class WorkRecord(Record):
    """The work that a result in a store is of."""

    schema_: Literal["osteoct.work/1"] = Field(default="osteoct.work/1", alias="schema")
    case_id: str
    key: str


@runtime_checkable
class Store(Protocol):
    """Keeps results and masks; each is there whole or not at all, whatever dies meanwhile."""

    @property
    def address(self) -> str:
        """As the user named it."""
        ...

    @property
    def scratch(self) -> Path | None:
        """Folder for files on their way into the store; ``None`` for the system's own."""
        ...

    def check(self) -> None:
        """Write and remove something small.

        Raises
        ------
        OutputError
            Nothing can be written: full, read-only, unreachable.
        """
        ...

    def has(self, case_id: str, key: str) -> bool:
        """Whether the result of this work lies here."""
        ...

    def put(self, case_id: str, key: str, folder: Path) -> str:
        """Keep the files of a result, in place of an older one; ``folder`` may be empty afterwards.

        Returns
        -------
        str
            Where it lies below the store.

        Raises
        ------
        OutputError
            It is no whole result of this case, or cannot be written; an older one is untouched.
        """
        ...

    def folder_of(self, case_id: str) -> Path | None:
        """Folder of a result, for reading until the next call; ``None`` without one."""
        ...

    def open_result(self, case_id: str) -> CaseResult:
        """Return the numbers of a case.

        Raises
        ------
        UnreadableInputError
            There is no result, or it is damaged.
        """
        ...

    def results(self) -> Iterator[CaseResult]:
        """Yield the numbers of every case, one after the other.

        Raises
        ------
        UnreadableInputError
            One is damaged.
        """
        ...

    def masks(self, segment_key: str) -> Path | None:
        """Folder of the masks of a key, for reading until the next call; ``None`` without them."""
        ...

    def put_masks(self, segment_key: str, folder: Path) -> None:
        """Keep the files of a folder as the masks of a key, in place of older ones.

        Raises
        ------
        OutputError
            They cannot be written.
        """
        ...

    def read_text(self, name: str) -> str | None:
        """Return a small file of the store itself, or ``None``."""
        ...

    def write_text(self, name: str, text: str) -> None:
        """Keep a small file of the store itself.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        ...

    def sweep(self, *, older_than_s: float) -> int:
        """Remove what processes left that died while writing; return how many things."""
        ...


def spread(name: str) -> str:
    """Return the folder for a name, two signs, the same on every machine.

    >>> spread("case-1"), spread("case-2")
    ('ba', '34')
    """
    return sha256(name.encode()).hexdigest()[:2]
