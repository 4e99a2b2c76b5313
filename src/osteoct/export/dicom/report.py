"""DICOM structured report of a case: TID 1500, Comprehensive SR, unverified and preliminary."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

import highdicom as hd
from highdicom.sr import ContentItem
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from osteoct.export.dicom.coding import coded, private_schemes
from osteoct.export.dicom.groups import make_groups
from osteoct.export.dicom.image_library import make_image_library
from osteoct.export.dicom.items import text_item
from osteoct.export.dicom.origin import (
    CHARACTER_SET,
    FIRST_SERIES_NUMBER,
    MANUFACTURER,
    MODEL,
    SERIAL_NUMBER,
    Origin,
    settle_times,
)
from osteoct.export.segments import RegionSegment
from osteoct.io.dicom.elements import quietly
from osteoct.io.report_fields import COMMENT
from osteoct.io.result_codes import Concept

SERIES_DESCRIPTION: Final = "osteoct measurements"

COMPUTED_TOMOGRAPHY: Final = Concept(scheme="SCT", value="77477000", meaning="Computed tomography")
DEVICE: Final = Concept(scheme="DCM", value="121007", meaning="Device")

DISCLAIMER: Final = (
    "Made by research software and read by nobody yet. It cannot rule out low bone density and is "
    "not a diagnosis. A cut-off belongs to the study that it is cited from, and to its protocol, "
    "tube voltage and contrast phase."
)


def make_report(
    origin: Origin, segments: Sequence[RegionSegment], segmentation: Dataset
) -> Dataset:
    """Make the report of a case; its measurements refer to the segments of ``segmentation``."""
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=_observer(origin)),
        procedure_reported=coded(COMPUTED_TOMOGRAPHY),
        imaging_measurements=make_groups(origin, segments, segmentation),
    )
    _put_before_measurements(content, text_item(COMMENT, DISCLAIMER), make_image_library(origin))
    made = origin.made
    with quietly():  # values of the source's header are none of ours
        report = hd.sr.ComprehensiveSR(
            evidence=[origin.head, *origin.source.images, segmentation],
            content=content,
            series_instance_uid=origin.make_uid("report series"),
            series_number=FIRST_SERIES_NUMBER + 1,
            sop_instance_uid=origin.make_uid("report"),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL,
            software_versions=origin.version,
            device_serial_number=SERIAL_NUMBER,
            is_complete=True,
            is_final=False,
            is_verified=False,
            transfer_syntax_uid=ExplicitVRLittleEndian,
            specific_character_set=CHARACTER_SET,
            series_description=SERIES_DESCRIPTION,
            content_date=made.date(),
            content_time=made.time(),
            series_date=made.date(),
            series_time=made.time(),
            coding_schemes=private_schemes(),
        )
    settle_times(report)
    return report


def _observer(origin: Origin) -> hd.sr.ObserverContext:
    """The program, by name and version; its UID is the same wherever that version runs."""
    name = f"{MODEL} {origin.version}"
    uid = UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, name).int}")
    return hd.sr.ObserverContext(
        observer_type=coded(DEVICE),
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=uid, name=name, manufacturer_name=MANUFACTURER, model_name=MODEL
        ),
    )


def _put_before_measurements(content: hd.sr.MeasurementReport, *new: ContentItem) -> None:
    """Say before the first number what the numbers are not, and which images they are from."""
    items = content[0].ContentSequence
    place = next(n for n, item in enumerate(items) if item.ValueType == "CONTAINER")
    for item in reversed(new):
        items.insert(place, item)
