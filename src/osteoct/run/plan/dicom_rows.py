"""From files to rows: every header of a tree read once, archives looked into, several at a time."""

from __future__ import annotations

import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, Final

from osteoct.errors import UnreadableInputError
from osteoct.io.archive import DAMAGED as DAMAGED_ARCHIVE
from osteoct.io.archive import check_entries
from osteoct.io.dicom.discovery import DAMAGED, NOT_DICOM, reason_to_leave_out
from osteoct.io.dicom.elements import PARSE_ERRORS
from osteoct.io.dicom.headers import ImageHeader, read_header_from
from osteoct.io.dicom.packing import pack_header
from osteoct.run.plan.places import MEMBER, Place, Tree
from osteoct.run.plan.spool import Row

UNUSABLE_ARCHIVE: Final = "an archive that is damaged or unsafe"

WITHOUT_STUDY: Final = "?"
"""Begins the group of images that name no study; no UID begins so."""

BATCH: Final = 64
"""Files that one reader takes at a time."""

_AHEAD: Final = 4
"""Batches per reader that may wait; what bounds memory."""

_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_NO_PATH = Path()


def read_rows(tree: Tree, places: Iterable[Place], readers: int) -> Iterator[list[Row]]:
    """Rows of files, in batches, in the order of the files.

    Parameters
    ----------
    readers
        Threads: worth it where every read waits for a network, and no more than one elsewhere,
        for parsing holds Python's lock.
    """
    batches = _batches(places)
    if readers <= 1:
        for batch in batches:
            yield _read_batch(tree, batch)
        return
    pool = ThreadPoolExecutor(readers)
    try:
        yield from _in_order(pool, lambda batch: _read_batch(tree, batch), batches, readers)
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(places: Iterable[Place]) -> Iterator[Sequence[Place]]:
    """Places, some at a time."""
    left = iter(places)
    while batch := tuple(islice(left, BATCH)):
        yield batch


def _in_order(
    pool: Executor,
    work: Callable[[Sequence[Place]], list[Row]],
    batches: Iterable[Sequence[Place]],
    readers: int,
) -> Iterator[list[Row]]:
    """Results in order, with few batches under way."""
    waiting: deque[Future[list[Row]]] = deque()
    for batch in batches:
        waiting.append(pool.submit(work, batch))
        if len(waiting) >= _AHEAD * readers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _read_batch(tree: Tree, places: Sequence[Place]) -> list[Row]:
    return [row for place in places for row in _rows_of(tree, place)]


def _rows_of(tree: Tree, place: Place) -> Iterator[Row]:
    """The row of a file, or the rows of an archive's members."""
    folder = place.relative.rpartition("/")[0]
    try:
        with tree.open(place.address) as file:
            is_archive = file.read(4) in _ZIP_MAGICS
            file.seek(0)
            if not is_archive:
                yield _row(file, folder=folder, place=place.address, size=place.size)
                return
            yield from _rows_within(file, place)
    except (*DAMAGED_ARCHIVE, OSError):
        yield Row("", folder=folder, place=place.address, note=DAMAGED)


def _rows_within(file: BinaryIO, place: Place) -> Iterator[Row]:
    """Rows of the members of an archive, which is not unpacked."""
    try:
        with zipfile.ZipFile(file) as archive:
            if _is_unsafe(archive):
                yield _unusable(place)
                return
            for entry in archive.infolist():
                if entry.is_dir():
                    continue
                with archive.open(entry) as member:
                    address = f"{MEMBER}{entry.filename}::{place.address}"
                    yield _row(member, folder=place.relative, place=address, size=entry.file_size)
    except DAMAGED_ARCHIVE:
        yield _unusable(place)


def _is_unsafe(archive: zipfile.ZipFile) -> bool:
    """Whether a worker would refuse to unpack it."""
    try:
        check_entries(archive.infolist(), _NO_PATH)
    except UnreadableInputError:
        return True
    return False


def _unusable(place: Place) -> Row:
    return Row(
        "", folder=place.relative, place=place.address, size=place.size, note=UNUSABLE_ARCHIVE
    )


def _row(file: IO[bytes], *, folder: str, place: str, size: int) -> Row:
    """The row of one open file."""
    try:
        image = read_header_from(file, _NO_PATH, "")
        note = reason_to_leave_out(image)
    except PARSE_ERRORS:
        image, note = None, DAMAGED
    if image is None:
        return Row("", folder=folder, place=place, size=size, note=note or NOT_DICOM)
    try:
        payload = b"" if note else pack_header(image)
    except PARSE_ERRORS:
        payload, note = b"", DAMAGED
    return Row(
        major=_study_of(image, folder, is_image=note is None),
        minor="" if note else image.identifiers.series_uid,
        folder=folder,
        place=place,
        size=size,
        note=note or "",
        payload=payload,
    )


def _study_of(image: ImageHeader, folder: str, *, is_image: bool) -> str:
    """What an image is grouped by: its study, or its series or folder where it names none."""
    ids = image.identifiers
    if ids.study_uid or not is_image:
        return ids.study_uid
    return WITHOUT_STUDY + (ids.series_uid or folder)
