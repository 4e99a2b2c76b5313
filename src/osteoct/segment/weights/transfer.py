"""An archive from a server into a file beside its destination, resumed where it broke off.

A note beside the part says what it is a part of. A part is only ever continued if the server
confirms that it still has the same file: never are two files glued together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from osteoct.io.output import write_text
from osteoct.records import Record
from osteoct.segment.weights.catalogue import Download
from osteoct.segment.weights.mirror import host_of
from osteoct.segment.weights.place import WeightsFolder
from osteoct.segment.weights.progress import FetchProgress, Hear, Stage
from osteoct.segment.weights.web import (
    TIMEOUT_S,
    PassingError,
    RangeRefusedError,
    open_url,
    unreachable,
)
from osteoct.segment.weights.writing import writing

_CHUNK_BYTES: Final = 2**18
_PARTIAL: Final = 206


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often and how long a failing network is waited for.

    Parameters
    ----------
    tries
        Failures in a row, without a byte between them, after which a fetch gives up.
    first_wait_s
        After the first failure; doubled after each.
    longest_wait_s
        Whatever a server asks for.
    """

    tries: int = 4
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0

    def wait_s(self, failures: int, asked_s: float | None) -> float:
        """Return how long to wait after so many failures."""
        own = self.first_wait_s * 2.0 ** (failures - 1)
        return min(self.longest_wait_s, max(own, asked_s or 0.0))


PATIENCE: Final = Patience()


class PartNote(Record):
    """What a part is a part of.

    Parameters
    ----------
    etag, last_modified
        As the server told them; without either a part cannot be continued.
    total_bytes
        Of the whole file; ``None`` where the server did not tell it.
    """

    schema_id: str = "osteoct.weights-part/1"
    url: str
    etag: str | None = None
    last_modified: str | None = None
    total_bytes: int | None = None

    @property
    def validator(self) -> str | None:
        """What the server is asked to compare; a weak ETag does not promise equal bytes."""
        is_strong = self.etag is not None and not self.etag.startswith("W/")
        return self.etag if is_strong else self.last_modified


@dataclass(frozen=True, kw_only=True)
class Part:
    """The file that grows, and its note."""

    place: WeightsFolder
    download: Download

    @property
    def file(self) -> Path:
        """The bytes so far."""
        return self.place.path / f"{self.download.folder}.zip.part"

    @property
    def note_file(self) -> Path:
        """The note beside it."""
        return self.place.path / f"{self.download.folder}.zip.part.json"

    @property
    def size_bytes(self) -> int:
        """How much is there."""
        with suppress(OSError):
            return self.file.stat().st_size
        return 0

    def read_note(self, url: str) -> PartNote | None:
        """Return the note of a part that can be continued from an address, or ``None``."""
        try:
            note = PartNote.model_validate_json(self.note_file.read_bytes())
        except (OSError, ValidationError):
            return None
        is_usable = note.url == url and note.validator is not None
        too_long = note.total_bytes is not None and self.size_bytes > note.total_bytes
        return note if is_usable and not too_long and self.size_bytes else None

    def begin(self, note: PartNote) -> None:
        """Empty the file first, then note what it will be a part of."""
        with writing(self.place):
            self.file.write_bytes(b"")
            write_text(self.note_file, note.model_dump_json(indent=2) + "\n")

    def remove(self) -> None:
        """Delete both; the file first, for a note without a file does no harm."""
        with writing(self.place):
            self.file.unlink(missing_ok=True)
            self.note_file.unlink(missing_ok=True)


def transfer(
    url: str,
    part: Part,
    *,
    check_size: Callable[[int], None],
    hear: Hear,
    patience: Patience = PATIENCE,
) -> None:
    """Bring a file whole into ``part``, however often the network fails, within patience.

    Parameters
    ----------
    check_size
        Given the size in bytes as the server tells it, before the first byte is taken; raises if
        it is not to be had.

    Raises
    ------
    SegmenterUnavailableError
        The server does not have it or cannot be reached, or the disk is full. What has arrived
        stays.
    """
    failures = 0
    while True:
        before = part.size_bytes
        try:
            _transfer_once(url, part, check_size, hear)
        except PassingError as error:
            failures = 1 if part.size_bytes > before else failures + 1
            if failures >= patience.tries:
                raise unreachable(url, f"{error} ({failures} times in a row)") from None
            _wait(part, url, error, patience.wait_s(failures, error.wait_s), hear)
        else:
            return


def _wait(part: Part, url: str, error: PassingError, wait_s: float, hear: Hear) -> None:
    note = f"{host_of(url)}: {error}; trying again in {wait_s:g} s"
    hear(FetchProgress(stage=Stage.RETRYING, name=part.download.name, note=note))
    time.sleep(wait_s)


def _transfer_once(url: str, part: Part, check_size: Callable[[int], None], hear: Hear) -> None:
    """Ask for what is missing and take it; a connection that ends early is a passing failure."""
    note = part.read_note(url)
    if note is not None and note.total_bytes == part.size_bytes:
        return
    try:
        response = open_url(url, _headers(note, part))
    except RangeRefusedError:
        part.remove()
        raise PassingError("the part that was here before fits no longer") from None
    with response:
        told = _note_of(response, url)
        if told.total_bytes is not None:
            check_size(told.total_bytes)
        if response.status == _PARTIAL:
            _check_same(response, told, note, part)
        else:
            part.begin(told)
        _take(response, part, told.total_bytes, hear)
    if told.total_bytes is not None and part.size_bytes != told.total_bytes:
        raise PassingError(f"broke off after {part.size_bytes} of {told.total_bytes} bytes")


def _headers(note: PartNote | None, part: Part) -> dict[str, str]:
    """Ask for the rest, if the file is still the same; else for all of it."""
    if note is None or note.validator is None:
        return {}
    return {"Range": f"bytes={part.size_bytes}-", "If-Range": note.validator}


def _note_of(response: HTTPResponse, url: str) -> PartNote:
    """What the server tells of the whole file."""
    length = response.headers.get("Content-Length")
    total = response.headers.get("Content-Range", "").rpartition("/")[2]
    size = total if response.status == _PARTIAL else length
    return PartNote(
        url=url,
        etag=response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        total_bytes=int(size) if size is not None and size.isdigit() else None,
    )


def _check_same(response: HTTPResponse, told: PartNote, note: PartNote | None, part: Part) -> None:
    """Begin anew where a server continues with something else than what is here."""
    begins = f"bytes {part.size_bytes}-"
    is_same = (
        note is not None
        and response.headers.get("Content-Range", "").startswith(begins)
        and told.total_bytes == note.total_bytes
        and told.etag in (None, note.etag)
        and told.last_modified in (None, note.last_modified)
    )
    if not is_same:
        part.remove()
        raise PassingError("the server has another file now than before")


def _take(response: HTTPResponse, part: Part, total_bytes: int | None, hear: Hear) -> None:
    """Append what the server sends, chunk by chunk, and tell how far it has come."""
    with writing(part.place):
        file = part.file.open("ab", buffering=0)
    with file:
        done = file.tell()
        while True:
            hear(
                FetchProgress(
                    stage=Stage.RECEIVING,
                    name=part.download.name,
                    done_bytes=done,
                    total_bytes=total_bytes,
                )
            )
            chunk = _read(response)
            if not chunk:
                return
            with writing(part.place):
                written = file.write(chunk)
                while written < len(chunk):
                    written += file.write(chunk[written:])
            done += len(chunk)


def _read(response: HTTPResponse) -> bytes:
    """The next bytes; what the network says of them is a passing failure."""
    try:
        return response.read1(_CHUNK_BYTES)
    except TimeoutError:
        raise PassingError(f"nothing more within {TIMEOUT_S:g} s") from None
    except (HTTPException, OSError) as error:
        raise PassingError(str(error) or type(error).__name__) from None
