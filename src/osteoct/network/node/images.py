"""What a received object is: a CT image that is all there, or a reason to refuse it."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.uid import UID

from osteoct.io.dicom import tags
from osteoct.io.dicom.elements import PARSE_ERRORS, quietly
from osteoct.io.dicom.headers import Encoding, ImageHeader, make_header
from osteoct.network.archive import CT_CLASSES
from osteoct.network.node.refusals import Refusal, RefusedError

_IN_STUDY: Final = 0x00201208
_IN_SERIES: Final = 0x00201209
"""Number of Study, and of Series, Related Instances (DICOM PS3.3, C.3.4)."""

_STUDY: Final = tags.STUDY_UID
_SERIES: Final = 0x0020000E

_READ: Final = (
    *(tags.SOP_CLASS_UID, tags.SOP_INSTANCE_UID, _STUDY, _SERIES, _IN_STUDY, _IN_SERIES),
    *(tags.MODALITY, tags.ROWS, tags.COLUMNS, tags.NUMBER_OF_FRAMES, tags.SAMPLES_PER_PIXEL),
    *(tags.BITS_ALLOCATED, tags.IMAGE_TYPE),
)

_HEAD_BYTES: Final = {True: 8, False: 12}
"""Tag, VR and length of the pixel element, by whether the VR is left out (PS3.5, 7.1)."""

_LONGEST_VALUE_BYTES: Final = 4096
"""Of what is looked at nothing is longer; a modality of a gigabyte stays on the disk, unread."""

_MOST_TOLD: Final = 100_000
"""A study of more images than this is a mistake of who counted."""

_UID: Final = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
_LONGEST_UID: Final = 64
"""pydicom would say the same, and repeat in a warning what it was given."""

_quiet: Final = threading.Lock()
"""What keeps warnings in belongs to the process: one thread at a time."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """A CT image; its UIDs are shown nowhere.

    Parameters
    ----------
    in_study, in_series
        Images that it says its study and its series have.
    """

    sop_class: str
    uid: str = field(repr=False)
    study: str = field(repr=False)
    series: str = field(repr=False)
    in_study: int | None
    in_series: int | None


def read_image(file: Path) -> Image:
    """Read what decides about a received object; its pixels are not read, only measured.

    Raises
    ------
    RefusedError
        It cannot be read, is no CT image, its UIDs are none, or pixels are missing.
    """
    header = _read_header(file)
    elements = header.elements
    uids = [elements.text(tag) or "" for tag in (tags.SOP_INSTANCE_UID, _STUDY, _SERIES)]
    if header.sop_class not in CT_CLASSES or header.modality != "CT":
        raise RefusedError(Refusal.NOT_CT)
    if not all(is_uid(uid) for uid in uids):
        raise RefusedError(Refusal.UIDS)
    if not _has_pixels(header, file.stat().st_size):
        raise RefusedError(Refusal.PIXELS)
    uid, study, series = uids
    return Image(
        sop_class=header.sop_class,
        uid=uid,
        study=study,
        series=series,
        in_study=_count(elements.number(_IN_STUDY)),
        in_series=_count(elements.number(_IN_SERIES)),
    )


def is_uid(text: str) -> bool:
    """Whether a text is a UID (DICOM PS3.5, 9.1): digits and dots, at most 64 signs.

    >>> is_uid("1.2.840.10008.1.1"), is_uid("../../etc/passwd"), is_uid("1.2.03")
    (True, False, False)
    """
    return len(text) <= _LONGEST_UID and _UID.fullmatch(text) is not None


def _read_header(file: Path) -> ImageHeader:
    try:
        with _quiet, quietly(), file.open("rb") as opened:
            dataset = dcmread(
                opened,
                defer_size=_LONGEST_VALUE_BYTES,
                stop_before_pixels=True,
                specific_tags=list(_READ),
            )
            is_implicit, is_little_endian = dataset.original_encoding
            encoding = Encoding(
                transfer_syntax=str(dataset.file_meta.get("TransferSyntaxUID", "")),
                media_class="",
                is_implicit=is_implicit is not False,
                is_little_endian=is_little_endian is not False,
            )
            return make_header(dataset, encoding, path=file, where="", offset=opened.tell())
    except PARSE_ERRORS:
        raise RefusedError(Refusal.DAMAGED) from None


def _has_pixels(header: ImageHeader, size_bytes: int) -> bool:
    """Whether there are pixels; uncompressed ones, whether to the last."""
    layout = header.layout
    if not layout.rows or not layout.columns or layout.offset is None:
        return False
    left = size_bytes - layout.offset - _HEAD_BYTES[layout.is_implicit]
    if UID(layout.transfer_syntax).is_compressed:
        return left > 0
    pixels = layout.rows * layout.columns * layout.samples * layout.frames
    return left >= pixels * layout.bits_allocated // 8 > 0


def _count(number: float | None) -> int | None:
    """A number of images; ``None`` for one that cannot be."""
    return int(number) if number is not None and 0 < number <= _MOST_TOLD else None
