"""Objects of a store, page by page, and ranged reads of them, through fsspec.

Credentials come from the environment alone, as the store's own tools take them; an address that may
carry some is refused, for addresses are kept in the ledger.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from osteoct.errors import UnreadableInputError
from osteoct.run.plan.places import Descend, OnError, Place, check_address
from osteoct.run.remote import connect, is_remote, reaching

if TYPE_CHECKING:
    from typing_extensions import Buffer

CANNOT_LIST: Final = "the store cannot be listed"
CANNOT_READ: Final = "an object cannot be read"

_BLOCK_BYTES: Final = 64 * 1024
"""Of a ranged read: most CT headers fit into one."""

_PAGE: Final = 1000
"""Most objects that S3 lists at once."""

_STAMPS: Final = ("ETag", "etag", "md5Hash", "crc32c", "mtime", "LastModified", "created")
"""What stores call the mark that changes with an object's content, the best one first."""


class _Ranges(io.RawIOBase):
    """An object read in ranges; what the store answers is never taken for damage of the object."""

    name = ""
    """pydicom asks every buffered file for it."""

    def __init__(self, opened: Any) -> None:  # noqa: ANN401 - fsspec is imported late
        self._opened = opened

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether parts can be skipped."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; nothing is fetched."""
        return int(self._opened.seek(offset, whence))

    def tell(self) -> int:
        """The place."""
        return int(self._opened.tell())

    def readinto(self, buffer: Buffer) -> int:
        """Fetch the next bytes."""
        view = memoryview(buffer).cast("B")
        with reaching(CANNOT_READ, UnreadableInputError):
            data = self._read(len(view))
        if data is None:
            raise _gone()
        view[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes | None:
        """The next bytes; ``None`` where the object was deleted since it was opened."""
        try:
            data: bytes = self._opened.read(size)
        except FileNotFoundError:
            return None
        return data

    def close(self) -> None:
        """Let go of it."""
        self._opened.close()
        super().close()


class RemoteTree:
    """A prefix of an object store, or any tree that fsspec opens."""

    is_remote = True

    def __init__(self, url: str) -> None:
        self._url = check_address(url)
        self._system, self._root = connect(url)

    def walk(
        self,
        *,
        descend: Descend | None = None,
        is_one: Descend | None = None,
        on_error: OnError | None = None,
    ) -> Iterator[Place]:
        """Every object, page by page; an object store has no folders."""
        del is_one, on_error  # a store that cannot be listed is a failure of the whole
        if "s3" in _protocols(self._system):
            yield from self._walk_s3()
            return
        waiting = [self._root]
        while waiting:
            folder = waiting.pop()
            with reaching(CANNOT_LIST, UnreadableInputError):
                entries = self._system.ls(folder, detail=True)
            self._system.invalidate_cache()
            for entry in entries:
                if entry["type"] == "directory":
                    if descend is None or descend(self._relative(entry["name"])):
                        waiting.append(entry["name"])
                elif entry["name"] != folder:
                    yield self._place(entry)

    def look(self, address: str) -> Place | None:
        """One object, by URL or by path from the root."""
        if is_remote(address):
            check_address(address)
            name = self._system._strip_protocol(address)  # noqa: SLF001 - fsspec has no other name for it
        else:
            name = address if address.startswith("/") else f"{self._root}/{address}"
        with reaching("cannot be looked up", UnreadableInputError):
            try:
                found = self._system.info(name.rstrip("/"))
            except (FileNotFoundError, PermissionError):
                return None
        return self._place(found)

    def open(self, address: str) -> BinaryIO:
        """Open an object; what is read is fetched in ranges."""
        name = self._system._strip_protocol(address)  # noqa: SLF001 - as above
        with reaching(CANNOT_READ, UnreadableInputError):
            opened = self._opened(name)
        if opened is None:
            raise _gone()
        return io.BufferedReader(_Ranges(opened), _BLOCK_BYTES)

    def _opened(self, name: str) -> Any:  # noqa: ANN401 - fsspec is imported late
        """An object that can be read in ranges; ``None`` where there is none."""
        try:
            return self._system.open(name, "rb", block_size=_BLOCK_BYTES)
        except FileNotFoundError:
            return None

    def _walk_s3(self) -> Iterator[Place]:
        """Every object under the prefix, a page of the store's own listing at a time."""
        bucket, _, prefix = self._root.partition("/")
        more: dict[str, str] = {}
        count = 0
        while True:
            page = self._page(bucket, f"{prefix}/" if prefix else "", more)
            for found in page.get("Contents", ()):
                if not found["Key"].endswith("/"):
                    count += 1
                    name = f"{bucket}/{found['Key']}"
                    yield self._place({**found, "name": name, "size": found["Size"]})
            if not page.get("IsTruncated"):
                break
            more = {"ContinuationToken": page["NextContinuationToken"]}
        if not count:
            raise UnreadableInputError(
                "holds no object", where=self._url, wanted="a bucket, or a prefix of its objects"
            )

    def _page(self, bucket: str, prefix: str, more: dict[str, str]) -> dict[str, Any]:
        """One page of the listing of a bucket."""
        with reaching(CANNOT_LIST, UnreadableInputError):
            page: dict[str, Any] = self._system.call_s3(
                "list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=_PAGE, **more
            )
        return page

    def _relative(self, name: str) -> str:
        return name.removeprefix(self._root).strip("/")

    def _place(self, entry: dict[str, Any]) -> Place:
        name = str(entry["name"])
        stamp = next((str(entry[s]) for s in _STAMPS if entry.get(s) is not None), "")
        return Place(
            address=self._system.unstrip_protocol(name),
            relative=self._relative(name),
            size=int(entry.get("size") or 0),
            stamp=stamp.strip('"'),
            is_folder=entry.get("type") == "directory",
        )


def _gone() -> FileNotFoundError:
    """What a deleted file of a folder raises: one file less, not a store that is away."""
    return FileNotFoundError(errno.ENOENT, "gone since it was listed")


def _protocols(system: Any) -> tuple[str, ...]:  # noqa: ANN401 - fsspec is imported late
    """The kinds of address that a file system serves."""
    protocol = system.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
