"""Trees by their address: of this machine, of an object store, or of both mixed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from osteoct.run.plan.object_store import RemoteTree
from osteoct.run.plan.places import Descend, LocalTree, OnError, Place, Tree
from osteoct.run.remote import is_remote


def open_tree(source: str | Path) -> Tree:
    """The tree of a folder or of a URL that fsspec knows.

    Raises
    ------
    ConfigError
        The URL holds a user name, a password or a query.
    UnreadableInputError
        There is no such folder.
    DependencyError
        fsspec, or its package for this kind of store, is missing.
    """
    source = str(source)
    if source.startswith("file://"):
        source = source.removeprefix("file://")
    if is_remote(source):
        return RemoteTree(source)
    return LocalTree(Path(source))


class Everywhere:
    """What paths and URLs of a manifest point to; relative paths begin at one folder."""

    is_remote = False

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._trees: dict[str, Tree] = {}

    def walk(
        self,
        *,
        descend: Descend | None = None,
        is_one: Descend | None = None,
        on_error: OnError | None = None,
    ) -> Iterator[Place]:
        """Everything below the folder."""
        tree = self._tree_of(self._folder)
        return tree.walk(descend=descend, is_one=is_one, on_error=on_error)

    def look(self, address: str) -> Place | None:
        """A file, folder or object."""
        place = self.whole(address)
        return self._tree_of(place).look(place)

    def open(self, address: str) -> BinaryIO:
        """Open a file or an object."""
        place = self.whole(address)
        return self._tree_of(place).open(place)

    def whole(self, address: str) -> str:
        """An absolute path or URL."""
        address = address.removeprefix("file://")
        if is_remote(address) or Path(address).is_absolute():
            return address
        return f"{self._folder.rstrip('/')}/{address}"

    def _tree_of(self, address: str) -> Tree:
        """The tree of an address: one for this machine, one per bucket."""
        root = "/"
        if is_remote(address):
            scheme, _, rest = address.partition("://")
            root = f"{scheme}://{rest.partition('/')[0]}"
        elif Path(address).drive:
            root = Path(address).anchor
        if root not in self._trees:
            self._trees[root] = open_tree(root)
        return self._trees[root]
