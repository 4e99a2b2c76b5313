"""Which format a file is in, told by its content first and by its name second."""

from __future__ import annotations

import stat
import zlib
from enum import StrEnum
from pathlib import Path
from typing import Final

from osteoct.errors import UnreadableInputError
from osteoct.io.byte_stream import GZIP_MAGIC


class ImageFormat(StrEnum):
    """Formats that are read."""

    NIFTI = "NIfTI"
    NRRD = "NRRD"
    METAIMAGE = "MetaImage"
    DICOM = "DICOM"
    ZIP = "zip"
    FOLDER = "folder"


IMAGE_SUFFIXES: Final = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
"""Names of files that hold one image (or, for ``.nhdr`` and ``.mhd``, its header)."""

DATA_SUFFIXES: Final = (".raw", ".raw.gz", ".zraw")
"""Names of the data files that ``.nhdr`` and ``.mhd`` headers point to."""

_DICOM_SUFFIXES = ("", ".dcm", ".dicom", ".ima")
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # the second: an archive without entries
_HEADER_BYTES = 540
_WANTED = "a DICOM folder or file, a zip of it, or .nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd"


def image_format(path: Path, *, where: str) -> ImageFormat:  # noqa: PLR0911 -- one per format
    """Return the format of a file or folder.

    Raises
    ------
    UnreadableInputError
        Missing, not readable, empty, or in none of the formats (what was wanted is named).
    """
    if _is_folder(path, where=where):
        return ImageFormat.FOLDER
    head = _first_bytes(path, where=where)
    if head.startswith(_ZIP_MAGICS):
        return ImageFormat.ZIP
    if head[128:132] == b"DICM":
        return ImageFormat.DICOM
    inner = _inflated(head, where=where) if head.startswith(GZIP_MAGIC) else head
    if inner[344:347] in (b"n+1", b"ni1") or inner[4:7] in (b"n+2", b"ni2"):
        return ImageFormat.NIFTI
    if head.startswith(b"NRRD"):
        return ImageFormat.NRRD
    name = path.name.lower()
    if name.endswith((".mha", ".mhd")) and b"=" in head:
        return ImageFormat.METAIMAGE
    if name.endswith(_DICOM_SUFFIXES[1:]) or "." not in name:
        return ImageFormat.DICOM
    claimed = next((s for s in (*IMAGE_SUFFIXES, ".zip") if name.endswith(s)), None)
    raise UnreadableInputError(
        f"is not what its name says ({claimed})" if claimed else "has an unknown format",
        where=where,
        found=f"a file of {path.stat().st_size} bytes beginning {head[:8]!r}",
        wanted=_WANTED,
    )


def is_image_name(name: str) -> bool:
    """Whether a file name is that of one whole image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def has_dicom_preamble(path: Path) -> bool:
    """Whether a file carries DICOM's preamble; a file that cannot be read does not."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _is_folder(path: Path, *, where: str) -> bool:
    """Whether ``path`` is a folder; what is neither that nor a file is refused."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise UnreadableInputError(
            "does not exist", where=where, found="nothing", wanted=_WANTED
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        found = error.strerror if isinstance(error, OSError) else "a name that cannot be"
        raise UnreadableInputError("cannot be read", where=where, found=found) from error
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise UnreadableInputError(
            "is neither a file nor a folder", where=where, found="a special file", wanted=_WANTED
        )
    return stat.S_ISDIR(mode)


def _first_bytes(path: Path, *, where: str) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UnreadableInputError("cannot be read", where=where, found=error.strerror) from error
    if not head:
        raise UnreadableInputError("is empty", where=where, found="0 bytes", wanted=_WANTED)
    return head


def _inflated(head: bytes, *, where: str) -> bytes:
    """The first bytes of gzip data."""
    try:
        return zlib.decompressobj(31).decompress(head, _HEADER_BYTES)
    except zlib.error as error:
        raise UnreadableInputError(
            "is damaged", where=where, found=str(error), wanted="intact gzip data"
        ) from error
