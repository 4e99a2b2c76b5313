"""Images of a series as they arrive, until all are there."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from pydicom import dcmread

from osteoct.errors import OutputError
from osteoct.io.dicom.elements import PARSE_ERRORS
from osteoct.io.output import sync_tree
from osteoct.network.listing import text_of

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Staging:
    """A folder that becomes ``target`` when every image is in it.

    Files are named by the hash of their UID: the same image never lies there twice.
    """

    def __init__(self, folder: Path, target: Path, series: str) -> None:
        self._folder, self._target, self._series = folder, target, series
        self._seen: set[str] = set()
        self.is_begun = False

    @property
    def count(self) -> int:
        """Images that are here and right."""
        return len(self._seen)

    def is_in_place(self, wanted: Collection[str]) -> bool:
        """Whether the finished series holds every image."""
        return self._target.is_dir() and all((self._target / _name(u)).is_file() for u in wanted)

    def begin(self) -> None:
        """Make the folder; images of a series that has grown since are taken along."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for file in self._target.glob("*.dcm") if self._target.is_dir() else ():
                if not (self._folder / file.name).exists():
                    shutil.copyfile(file, self._folder / file.name)
        except OSError as error:
            raise _unwritable(error) from None
        self.is_begun = True

    def lacking(self, wanted: Collection[str]) -> frozenset[str]:
        """Images that are not here, read back; a damaged file is removed and lacks."""
        for uid in set(wanted) - self._seen:
            file = self._folder / _name(uid)
            if not file.is_file():
                continue
            if self._is_right(file, uid):
                self._seen.add(uid)
            else:
                file.unlink()
        return frozenset(set(wanted) - self._seen)

    def keep(self, uid: str, data: bytes) -> None:
        """Write an image under a temporary name, then under its own."""
        final = self._folder / _name(uid)
        part = final.with_suffix(".part")
        try:
            part.write_bytes(data)
            part.replace(final)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise _unwritable(error) from None

    def put_in_place(self, wanted: Collection[str]) -> None:
        """Rename the folder to its name; what is no image of the series does not come along."""
        names = {_name(uid) for uid in wanted}
        old = self._folder.with_name(f"{self._folder.name}.old")
        try:
            for file in self._folder.iterdir():
                if file.name not in names:
                    file.unlink()
            sync_tree(self._folder)
            self._target.parent.mkdir(parents=True, exist_ok=True)
            if self._target.exists():
                self._target.rename(old)
            os.rename(self._folder, self._target)  # noqa: PTH104 -- its error names no path twice
        except OSError as error:
            if old.exists() and not self._target.exists():
                old.rename(self._target)
            raise _unwritable(error) from None
        shutil.rmtree(old, ignore_errors=True)

    def _is_right(self, file: Path, uid: str) -> bool:
        """Whether the file is the image, of this series, to its end."""
        try:
            dataset = dcmread(file)
            is_it = text_of(dataset, "SOPInstanceUID") == uid
            is_of = text_of(dataset, "SeriesInstanceUID") == self._series
            if not (is_it and is_of and "PixelData" in dataset):
                return False
            size = dataset.Rows * dataset.Columns * int(dataset.get("NumberOfFrames") or 1)
            needed = size * dataset.BitsAllocated // 8
            is_packed = dataset.file_meta.TransferSyntaxUID.is_compressed
            return is_packed or len(dataset.PixelData) >= needed
        except PARSE_ERRORS:
            return False


def _name(uid: str) -> str:
    return f"{hashlib.sha256(uid.encode()).hexdigest()[:24]}.dcm"


def _unwritable(error: OSError) -> OutputError:
    is_full = error.errno in _NO_SPACE
    return OutputError(
        "disk full or file size limit reached" if is_full else "cannot be written",
        where="--out",
        found=error.strerror or "an input/output error",
        hint="what came is kept: the same fetch goes on from there",
    )
