"""A store in an object store: one archive for a case, written by a single put.

An object is there whole or not at all; so is a result. The small files that tables need lie at the
end of the archive, where one request fetches them together with the archive's directory.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from osteoct.errors import OutputError, UnreadableInputError
from osteoct.io.archive import DAMAGED, unpack_archive
from osteoct.io.output import RESULT_FILE
from osteoct.records import CaseResult
from osteoct.run.remote import connect, reaching
from osteoct.run.store.interface import MASKS_FILE, WORK_FILE, spread
from osteoct.run.store.verifying import (
    check_masks,
    check_name,
    parse_key,
    parse_result,
    seal_result,
)

_LAST: Final = (MASKS_FILE, RESULT_FILE, WORK_FILE)
"""Files at the end of an archive, in this order."""

_TAIL_BYTES: Final = 256 * 1024
"""The end of an archive that is read for them: ``case.json`` of six levels packs into 20 KB."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, so that equal files make equal archives."""


class ObjectStore:
    """Results in archives of an object store.

    Parameters
    ----------
    address
        Such as ``s3://bucket/results``.
    scratch
        Folder of this machine for archives on their way.
    """

    def __init__(self, address: str, scratch: Path) -> None:
        self._address = address
        self._scratch = scratch
        self._system, self._root = connect(address)

    @property
    def address(self) -> str:
        """As the user named it; it holds no credentials."""
        return self._address

    @property
    def scratch(self) -> Path | None:
        """On this machine."""
        return self._scratch

    def check(self) -> None:
        """Write and remove a small object."""
        probe = f"{self._root}/probes/{uuid.uuid4().hex}"
        with reaching("the store cannot be written", OutputError):
            self._system.pipe_file(probe, b"osteoct")
            self._system.rm_file(probe)

    def has(self, case_id: str, key: str) -> bool:
        """Whether the result of this work lies here."""
        with reaching("the store cannot be read", OutputError):
            try:
                content = self._read_end(self._case(case_id), WORK_FILE)
            except (FileNotFoundError, KeyError, *DAMAGED):
                return False
        return parse_key(content) == key

    def put(self, case_id: str, key: str, folder: Path) -> str:
        """Pack a result and put it under its name at once."""
        seal_result(folder, case_id, key)
        name = self._case(case_id)
        self._put_archive(folder, name)
        return name.removeprefix(self._root).lstrip("/")

    def folder_of(self, case_id: str) -> Path | None:
        """A result, fetched and unpacked."""
        return self._unpacked(self._case(case_id), "case")

    def open_result(self, case_id: str) -> CaseResult:
        """Return the numbers of a case; the pictures are not fetched."""
        with reaching("the store cannot be read", OutputError):
            try:
                content = self._read_end(self._case(case_id), RESULT_FILE)
            except FileNotFoundError as error:
                raise UnreadableInputError("its result is missing", where=case_id) from error
            except (KeyError, *DAMAGED) as error:
                raise UnreadableInputError("its result is damaged", where=case_id) from error
        return parse_result(content, case_id)

    def results(self) -> Iterator[CaseResult]:
        """Yield the numbers of every case; names are listed folder by folder."""
        for folder in self._names(f"{self._root}/cases", "directory"):
            for name in self._names(folder, "file"):
                yield self.open_result(name.rsplit("/", 1)[-1].removesuffix(".zip"))

    def masks(self, segment_key: str) -> Path | None:
        """Masks, fetched and unpacked."""
        return self._unpacked(self._masks(segment_key), "masks")

    def put_masks(self, segment_key: str, folder: Path) -> None:
        """Pack masks and put them under their name at once."""
        check_masks(folder, segment_key)
        self._put_archive(folder, self._masks(segment_key))

    def read_text(self, name: str) -> str | None:
        """Return an object at the top of the store, or ``None``."""
        with reaching("the store cannot be read", OutputError):
            try:
                content: bytes = self._system.cat_file(f"{self._root}/{name}")
            except FileNotFoundError:
                return None
        return content.decode()

    def write_text(self, name: str, text: str) -> None:
        """Put an object at the top of the store."""
        with reaching("the store cannot be written", OutputError):
            self._system.pipe_file(f"{self._root}/{name}", text.encode())

    def sweep(self, *, older_than_s: float) -> int:  # noqa: ARG002 -- as every store
        """Nothing: what was not put is not there."""
        return 0

    def _case(self, case_id: str) -> str:
        return f"{self._root}/cases/{spread(case_id)}/{check_name(case_id)}.zip"

    def _masks(self, segment_key: str) -> str:
        return f"{self._root}/masks/{spread(segment_key)}/{check_name(segment_key)}.zip"

    def _names(self, folder: str, kind: str) -> list[str]:
        """Names directly below a prefix, sorted."""
        with reaching("the store cannot be read", OutputError):
            try:
                entries = self._system.ls(folder, detail=True)
            except FileNotFoundError:
                return []
        return sorted(str(entry["name"]) for entry in entries if entry["type"] == kind)

    def _put_archive(self, folder: Path, name: str) -> None:
        """Pack on this machine, put, and keep nothing."""
        packed = self._scratch / f"{uuid.uuid4().hex}.zip"
        try:
            with reaching("cannot be put into the store", OutputError):
                pack(folder, packed)
                self._system.put_file(str(packed), name)
        finally:
            packed.unlink(missing_ok=True)

    def _unpacked(self, name: str, role: str) -> Path | None:
        """Fetch an archive in place of the last one of its kind."""
        folder = self._scratch / role
        shutil.rmtree(folder, ignore_errors=True)
        packed = self._scratch / f"{role}.zip"
        try:
            with reaching("the store cannot be read", OutputError):
                try:
                    self._system.get_file(name, str(packed))
                except FileNotFoundError:
                    return None
            folder.mkdir()
            unpack_archive(packed, folder)
        finally:
            packed.unlink(missing_ok=True)
        return folder

    def _read_end(self, name: str, entry: str) -> bytes:
        """One of the last files of an archive."""
        size = int(self._system.info(name)["size"])
        start = max(0, size - _TAIL_BYTES)
        end = self._system.cat_file(name, start=start, end=size)
        try:
            return read_entry(end, entry, before=start)
        except DAMAGED:
            if start == 0:
                raise
            return read_entry(self._system.cat_file(name), entry, before=0)


@contextmanager
def open_objects(address: str, scratch: Path | None = None) -> Iterator[ObjectStore]:
    """Yield the store at an address; files of this machine are gone afterwards.

    Raises
    ------
    DependencyError
        The package for this kind of address is missing.
    """
    with tempfile.TemporaryDirectory(prefix="osteoct-store-", dir=scratch) as folder:
        yield ObjectStore(address, Path(folder))


def pack(folder: Path, target: Path) -> None:
    """Pack the files of a folder; small ones that are asked for alone come last."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    ordered = [name for name in names if name not in _LAST]
    ordered += [name for name in _LAST if name in names]
    with zipfile.ZipFile(target, "w") as archive:
        for name in ordered:
            info = zipfile.ZipInfo(name, _EPOCH)
            is_packed = name.endswith((".gz", ".png"))
            info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
            with names[name].open("rb") as source, archive.open(info, "w", force_zip64=True) as to:
                shutil.copyfileobj(source, to)


def read_entry(end: bytes, entry: str, *, before: int) -> bytes:
    """Read a file from the end of an archive.

    Parameters
    ----------
    before
        Bytes of the archive that were left out; zeros stand for them.

    Raises
    ------
    KeyError
        The archive holds no such file.
    zipfile.BadZipFile
        It is damaged, or the file lies in what was left out.
    """
    with zipfile.ZipFile(_Tail(end, before)) as archive:
        return archive.read(entry)


class _Tail(io.RawIOBase):
    """A file of which only the end is known."""

    def __init__(self, end: bytes, before: int) -> None:
        self._end, self._before, self._at = end, before, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence, self._before + len(self._end))
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        if self._at < self._before:
            raise zipfile.BadZipFile("before the end that was fetched")
        begin = self._at - self._before
        stop = len(self._end) if size is None or size < 0 else begin + size
        found = self._end[begin:stop]
        self._at += len(found)
        return found
