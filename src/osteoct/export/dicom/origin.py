"""What every DICOM object of a case shares: patient and study, UIDs, times, the making program."""

from __future__ import annotations

import uuid
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from typing import Final

from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from osteoct.errors import InputError
from osteoct.export.case_folder import FinishedCase
from osteoct.io.dicom.elements import quietly
from osteoct.io.dicom.source import SourceSeries

MANUFACTURER: Final = "osteoct"
MODEL: Final = "osteoct"
SERIAL_NUMBER: Final = "none"
"""Software has none, and DICOM wants one (type 1 in enhanced equipment)."""

CHARACTER_SET: Final = "ISO_IR 192"
"""UTF-8: the patient's name is written anew in it, whatever set the source's was in."""

FIRST_SERIES_NUMBER: Final = 9700
"""Far above what scanners number; viewers sort series by it."""

_EMPTY_IF_ABSENT: Final = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber"),
    *("StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName"),
)
"""Attributes of type 2: there, if empty. Archives and de-identified files leave them out."""

_NEEDED: Final = ("SOPInstanceUID", "SOPClassUID")
"""What a reference to an image consists of."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """The case, its series, and what follows from them for a new object of the same study."""

    case: FinishedCase
    source: SourceSeries
    head: Dataset = field(repr=False)

    @property
    def version(self) -> str:
        """Version of osteoct that measured: what a reader of the numbers asks for."""
        return self.case.result.provenance.osteoct_version

    def make_uid(self, role: str) -> UID:
        """A UID under the UUID root 2.25 that follows from series, result and role.

        Exporting a case twice gives the same object, which an archive keeps once.
        """
        name = f"osteoct {self.head.SeriesInstanceUID} {self.case.sha256} {role}"
        return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, name).int}")

    @property
    def made(self) -> datetime:
        """When the case was analysed, in the time zone that the study's times are in.

        Without identifiers there is no date: it may be that of the examination.
        """
        if self.source.is_deidentified:
            return datetime(1900, 1, 1, tzinfo=UTC)
        started = datetime.fromisoformat(self.case.result.provenance.started_utc)
        return started.astimezone(_time_zone(str(self.head.get("TimezoneOffsetFromUTC", ""))))


def find_origin(case: FinishedCase, source: SourceSeries) -> Origin:
    """Prepare what objects need of the series' header.

    Raises
    ------
    InputError
        An image has no UID of its own, so that nothing can refer to it.
    """
    with quietly():
        head = deepcopy(source.head)
        head.decode()
    head.SpecificCharacterSet = CHARACTER_SET
    missing = [k for k in _NEEDED if not all(image.get(k) for image in source.images)]
    if missing:
        raise InputError(
            "the series cannot be referred to",
            where="--source",
            found=f"images without {', '.join(missing)}",
            wanted="a CT image as DICOM defines it",
        )
    for keyword in _EMPTY_IF_ABSENT:
        if keyword not in head:
            setattr(head, keyword, "")
    return Origin(case=case, source=source, head=head)


def settle_times(dataset: Dataset) -> None:
    """Put the time of the content where highdicom puts that of the call: no export differs."""
    date, time = dataset.ContentDate, dataset.ContentTime
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = date, time
    for item in dataset.get("ContributingEquipmentSequence", ()):
        if "highdicom" in str(item.get("Manufacturer", "")).casefold():
            item.ContributionDateTime = f"{date}{time}"


def file_bytes(dataset: Dataset, *, deflate: bool = False) -> bytes:
    """A DICOM file of a data set that has its file meta information."""
    if deflate:
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def _time_zone(offset: str) -> timezone | None:
    """The zone of ``+0200``; ``None``, the machine's own, where none is told."""
    try:
        return timezone(datetime.strptime(offset, "%z").utcoffset() or timedelta())
    except ValueError:
        return None
