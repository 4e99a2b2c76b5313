"""What an archive lists, read with suspicion: any element may be missing or nonsense."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset
from pydicom.uid import UID

from osteoct.io.dicom.elements import PARSE_ERRORS
from osteoct.network.archive import SeriesFound

_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")


def text_of(dataset: Dataset, name: str) -> str:
    """An element as text; empty where there is none that can be read."""
    try:
        value = dataset.get(name)
    except PARSE_ERRORS:
        return ""
    return "" if value is None else str(value).strip("\0 ")


def as_series(answer: Dataset, head: Dataset, *, study: str) -> SeriesFound | None:
    """A CT series of an answer, or ``None`` for anything else.

    Parameters
    ----------
    head
        What the archive said of the study, where it was asked.
    """
    uid = text_of(answer, "SeriesInstanceUID")
    if text_of(answer, "Modality") != "CT" or not UID(uid).is_valid or not UID(study).is_valid:
        return None
    part = text_of(answer, "BodyPartExamined").upper()
    texts = (
        text_of(head, "StudyDescription"),
        text_of(answer, "StudyDescription"),
        text_of(answer, "SeriesDescription"),
    )
    return SeriesFound(
        study=study,
        series=uid,
        modality="CT",
        date=text_of(head, "StudyDate") or text_of(answer, "StudyDate"),
        body_part=part if _CODE_STRING.fullmatch(part) else "",
        descriptions=tuple(text for text in texts if text),
    )
