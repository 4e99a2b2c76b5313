"""Objects of a store, page by page, and ranged reads of them, through fsspec.

Credentials come from the environment alone, as the store's own tools take them; an address that may
carry some is refused, for addresses are kept in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from osteoct.errors import ConfigError, DependencyError, UnreadableInputError
from osteoct.run.plan.places import Descend, OnError, Place, check_address
from osteoct.run.remote import is_remote

_BLOCK_BYTES: Final = 64 * 1024
"""Of a ranged read: most CT headers fit into one."""

_PAGE: Final = 1000
"""Most objects that S3 lists at once."""

_STAMPS: Final = ("ETag", "etag", "md5Hash", "crc32c", "mtime", "LastModified", "created")
"""What stores call the mark that changes with an object's content, the best one first."""


class RemoteTree:
    """A prefix of an object store, or any tree that fsspec opens."""

    is_remote = True

    def __init__(self, url: str) -> None:
        self._url = check_address(url)
        self._system, root = _open_system(url)
        self._root = str(root).rstrip("/")

    def walk(
        self,
        *,
        descend: Descend | None = None,
        is_one: Descend | None = None,
        on_error: OnError | None = None,
    ) -> Iterator[Place]:
        """Every object, page by page; an object store has no folders."""
        del is_one
        if "s3" in _protocols(self._system):
            yield from self._walk_s3()
            return
        waiting = [self._root]
        while waiting:
            folder = waiting.pop()
            try:
                entries = self._system.ls(folder, detail=True)
            except FileNotFoundError:
                if on_error is None:
                    raise UnreadableInputError("does not exist", where=self._url) from None
                on_error(self._relative(folder))
                continue
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
        try:
            found = self._system.info(name)
        except (FileNotFoundError, PermissionError):
            return None
        return None if found["type"] == "directory" else self._place(found)

    def open(self, address: str) -> BinaryIO:
        """Open an object; what is read is fetched in ranges."""
        name = self._system._strip_protocol(address)  # noqa: SLF001 - as above
        opened: BinaryIO = self._system.open(name, "rb", block_size=_BLOCK_BYTES)
        return opened

    def _walk_s3(self) -> Iterator[Place]:
        """Every object under the prefix, a page of the store's own listing at a time."""
        bucket, _, prefix = self._root.partition("/")
        more: dict[str, str] = {}
        while True:
            page = self._system.call_s3(
                "list_objects_v2",
                Bucket=bucket,
                Prefix=f"{prefix}/" if prefix else "",
                MaxKeys=_PAGE,
                **more,
            )
            for found in page.get("Contents", ()):
                if not found["Key"].endswith("/"):
                    name = f"{bucket}/{found['Key']}"
                    yield self._place({**found, "name": name, "size": found["Size"]})
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

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
        )


def _open_system(url: str) -> tuple[Any, str]:
    """The file system of a URL and the name of its root there."""
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 -- object stores alone need it

        system, root = url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        raise DependencyError(
            "object stores need a package",
            found=str(error.name or error),
            hint="pip install 'osteoct[s3]'",
        ) from error
    except ValueError as error:
        raise ConfigError(
            "unknown kind of address", where="SOURCE", wanted="such as s3://bucket/prefix"
        ) from error
    return system, str(root)


def _protocols(system: Any) -> tuple[str, ...]:  # noqa: ANN401 - fsspec is imported late
    """The kinds of address that a file system serves."""
    protocol = system.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
