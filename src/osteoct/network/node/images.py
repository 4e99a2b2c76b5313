"""What a received object is: a CT image that is all there, or a reason to refuse it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydicom.uid import UID

from osteoct.io.dicom import tags
from osteoct.network.archive import CT_CLASSES
from osteoct.network.node.head import Head, read_head
from osteoct.network.node.refusals import Refusal, RefusedError

_IN_STUDY: Final = 0x00201208
_IN_SERIES: Final = 0x00201209
"""Number of Study, and of Series, Related Instances (DICOM PS3.3, C.3.4)."""

_STUDY: Final = tags.STUDY_UID
_SERIES: Final = 0x0020000E

_READ: Final = (
    *(tags.SOP_CLASS_UID, tags.SOP_INSTANCE_UID, _STUDY, _SERIES, _IN_STUDY, _IN_SERIES),
    *(tags.MODALITY, tags.ROWS, tags.COLUMNS, tags.NUMBER_OF_FRAMES, tags.SAMPLES_PER_PIXEL),
    tags.BITS_ALLOCATED,
)


_MOST_TOLD: Final = 100_000
"""A study of more images than this is a mistake of who counted."""

_UID: Final = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
_LONGEST_UID: Final = 64
"""pydicom would say the same, and repeat in a warning what it was given."""


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
    with file.open("rb") as opened:
        head = read_head(opened, _READ)
    sop_class = head.text(tags.SOP_CLASS_UID)
    if sop_class not in CT_CLASSES or head.text(tags.MODALITY) != "CT":
        raise RefusedError(Refusal.NOT_CT)
    uid, study, series = (head.text(t) for t in (tags.SOP_INSTANCE_UID, _STUDY, _SERIES))
    if not (is_uid(uid) and is_uid(study) and is_uid(series)):
        raise RefusedError(Refusal.UIDS)
    if not _has_pixels(head, file.stat().st_size):
        raise RefusedError(Refusal.PIXELS)
    return Image(
        sop_class=sop_class,
        uid=uid,
        study=study,
        series=series,
        in_study=_count(head.count(_IN_STUDY)),
        in_series=_count(head.count(_IN_SERIES)),
    )


def is_uid(text: str) -> bool:
    """Whether a text is a UID (DICOM PS3.5, 9.1): digits and dots, at most 64 signs.

    >>> is_uid("1.2.840.10008.1.1"), is_uid("../../etc/passwd"), is_uid("1.2.03")
    (True, False, False)
    """
    return len(text) <= _LONGEST_UID and _UID.fullmatch(text) is not None


def _has_pixels(head: Head, size_bytes: int) -> bool:
    """Whether there are pixels; uncompressed ones, whether to the last."""
    rows, columns = head.short(tags.ROWS), head.short(tags.COLUMNS)
    if not rows or not columns or head.pixels_at is None:
        return False
    left = size_bytes - head.pixels_at
    if UID(head.syntax).is_compressed:
        return left > 0
    frames = max(head.count(tags.NUMBER_OF_FRAMES) or 1, 1)
    pixels = rows * columns * (head.short(tags.SAMPLES_PER_PIXEL) or 1) * frames
    return left >= pixels * head.short(tags.BITS_ALLOCATED) // 8 > 0


def _count(number: int | None) -> int | None:
    """A number of images; ``None`` for one that cannot be."""
    return number if number is not None and 0 < number <= _MOST_TOLD else None
