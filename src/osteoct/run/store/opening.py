"""From an address to a store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osteoct.run.remote import is_remote
from osteoct.run.store.folder import FolderStore
from osteoct.run.store.interface import Store


@contextmanager
def open_store(address: str) -> Iterator[Store]:
    """Yield the store at a path, or at an address such as ``s3://bucket/results``.

    Raises
    ------
    DependencyError
        The package for this kind of address is missing.
    OutputError
        It cannot be reached.
    """
    if not is_remote(address):
        yield FolderStore(Path(address))
        return
    from osteoct.run.store.objects import open_objects  # noqa: PLC0415 -- its package is optional

    with open_objects(address) as store:
        yield store
