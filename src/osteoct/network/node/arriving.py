"""One object on its way: written to disk piece by piece, never gathered in memory."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID

from osteoct.network.node.images import is_uid
from osteoct.network.node.inbox import Inbox
from osteoct.network.node.refusals import Refusal, RefusedError

_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_LOOK_EVERY_BYTES: Final = 16 * 2**20
"""How much may come between two looks at the room that is left."""

_PREAMBLE: Final = bytes(128) + b"DICM"

ENDLESS: Final = 2
"""Times the largest object that is heard out, only to be refused; then the line is cut."""


class Arriving:
    """A file that grows in the inbox's folder for such; refused, it is heard out and not kept.

    Parameters
    ----------
    sop_class, uid
        As the sender announced them.
    syntax
        Transfer syntax that was agreed on.
    """

    def __init__(self, inbox: Inbox, *, sop_class: str, uid: str, syntax: str) -> None:
        self.path: Path = inbox.arriving / f"{uuid4().hex}.part"
        self.sop_class, self.uid = sop_class, uid
        self.refusal: Refusal | None = None
        self._inbox = inbox
        self._file: BinaryIO | None = None
        self._seen = self._looked = 0
        if not (is_uid(sop_class) and is_uid(uid)):
            self._refuse(Refusal.UIDS)
            return
        try:
            inbox.check_room()
            self._file = self.path.open("xb", buffering=2**16)
            self._file.write(_PREAMBLE)
            write_file_meta_info(DicomFileLike(self._file), _meta(sop_class, uid, syntax))
        except RefusedError as refused:
            self._refuse(refused.refusal)
        except OSError as error:
            self._refuse(_why(error))

    def write(self, data: bytes) -> None:
        """Take the next piece.

        Raises
        ------
        RefusedError
            It goes on without an end: the sender is to be cut off.
        """
        self._seen += len(data)
        largest = self._inbox.limits.largest_bytes
        if self._seen > ENDLESS * largest:
            raise RefusedError(Refusal.ENDLESS)
        if self._file is None:
            return
        if self._seen > largest:
            self._refuse(Refusal.TOO_LARGE)
            return
        try:
            if self._seen - self._looked >= _LOOK_EVERY_BYTES:
                self._looked = self._seen
                self._inbox.check_room(self._seen)
            self._file.write(data)
        except RefusedError as refused:
            self._refuse(refused.refusal)
        except OSError as error:
            self._refuse(_why(error))

    def close(self) -> None:
        """Put what came on the disk.

        Raises
        ------
        RefusedError
            It was refused on the way, or cannot be written.
        """
        if self._file is not None:
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
            except OSError as error:
                self._refuse(_why(error))
        if self.refusal is not None:
            raise RefusedError(self.refusal)

    def drop(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            with suppress(OSError):  # what is left in its buffer finds no room and is not wanted
                self._file.close()
            self._file = None
        self.path.unlink(missing_ok=True)

    def _refuse(self, refusal: Refusal) -> None:
        self.refusal = refusal
        self.drop()


def _meta(sop_class: str, uid: str, syntax: str) -> FileMetaDataset:
    """The head of the file; the data set follows as it came."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.FileMetaInformationVersion = b"\x00\x01"
    return meta


def _why(error: OSError) -> Refusal:
    return Refusal.FULL_DISK if error.errno in _NO_SPACE else Refusal.UNWRITABLE
