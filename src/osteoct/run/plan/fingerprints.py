"""Fingerprints of files and folders; the rules are in :mod:`osteoct.run.keys`."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from osteoct.run.keys import keyed
from osteoct.run.plan.choices import FingerprintKind
from osteoct.run.plan.places import MEMBER, Place, Tree
from osteoct.run.plan.trees import open_tree

_CHUNK: Final = 1 << 20


class Fingerprinter:
    """Tells files of a tree from each other.

    Parameters
    ----------
    secret
        The key of pseudonyms.
    """

    def __init__(self, tree: Tree, secret: bytes, kind: FingerprintKind) -> None:
        self._tree = tree
        self._secret = secret
        self.reads_content = kind is FingerprintKind.CONTENT

    def of(self, place: Place) -> tuple[str, int]:
        """Fingerprint and size in bytes of a file, or of all files below a folder.

        Raises
        ------
        OSError
            Content was asked for and cannot be read.
        """
        if not place.is_folder:
            return self._of_file(place), place.size
        files = [(p.relative, *self.of(p)) for p in open_tree(place.address).walk()]
        parts = [f"{name}\0{mark}" for name, mark, _ in sorted(files)]
        return keyed(self._secret, "folder", *parts), sum(size for *_, size in files)

    def of_address(self, address: str, size: int) -> str:
        """Fingerprint of a file by its mark; of a member of an archive by the archive's."""
        place = self._tree.look(address.rpartition("::")[2])
        stamp = "" if place is None else place.stamp
        return keyed(self._secret, "stamp", address, size, stamp)

    def of_content(self, address: str) -> str:
        """Hash of the bytes of a file."""
        digest = hashlib.sha256()
        with self._opened(address) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return keyed(self._secret, "content", digest.digest())

    @contextmanager
    def _opened(self, address: str) -> Iterator[IO[bytes]]:
        """A file, or a member of an archive."""
        member, _, archive = address.removeprefix(MEMBER).rpartition("::")
        if not address.startswith(MEMBER):
            with self._tree.open(address) as file:
                yield file
            return
        with (
            self._tree.open(archive) as outer,
            zipfile.ZipFile(outer) as unpacked,
            unpacked.open(member) as file,
        ):
            yield file

    def _of_file(self, place: Place) -> str:
        if self.reads_content:
            return self.of_content(place.address)
        return keyed(self._secret, "stamp", place.address, place.size, place.stamp)
