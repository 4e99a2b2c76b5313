"""The image library of a report (TID 1600): which images were measured, and what they are like.

Every image has an entry, without which the report would leave open whether it was measured. What
all share stands once, in the group (TID 1602, and TID 1604 for sections). What differs from image
to image, its position, is not repeated: three numbers would take four times the bytes of the entry
itself, and stand in the image and in the segmentation. TID 1605, for CT, has no place for the tube
voltage, nor for the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Final

from highdicom.sr import (
    CodeContentItem,
    ContainerContentItem,
    ContentItem,
    ContentSequence,
    DateContentItem,
    ImageContentItem,
    NumContentItem,
    RelationshipTypeValues,
    UIDRefContentItem,
)

from osteoct.export.dicom.coding import coded
from osteoct.export.dicom.origin import Origin
from osteoct.io.report_fields import MM, UCUM
from osteoct.io.result_codes import Concept

LIBRARY: Final = Concept(scheme="DCM", value="111028", meaning="Image Library")
GROUP: Final = Concept(scheme="DCM", value="126200", meaning="Image Library Group")
SOURCE: Final = Concept(scheme="SCT", value="260753009", meaning="Source")
"""What highdicom calls an image of the library; the template gives it no name."""

MODALITY: Final = Concept(scheme="DCM", value="121139", meaning="Modality")
CT: Final = Concept(scheme="DCM", value="CT", meaning="Computed Tomography")
STUDY_DATE: Final = Concept(scheme="DCM", value="111060", meaning="Study Date")
FRAME_OF_REFERENCE: Final = Concept(scheme="DCM", value="112227", meaning="Frame of Reference UID")
ROWS: Final = Concept(scheme="DCM", value="110910", meaning="Pixel Data Rows")
COLUMNS: Final = Concept(scheme="DCM", value="110911", meaning="Pixel Data Columns")
HORIZONTAL: Final = Concept(scheme="DCM", value="111026", meaning="Horizontal Pixel Spacing")
VERTICAL: Final = Concept(scheme="DCM", value="111066", meaning="Vertical Pixel Spacing")
BETWEEN_SLICES: Final = Concept(scheme="DCM", value="112226", meaning="Spacing between slices")
THICKNESS: Final = Concept(scheme="DCM", value="112225", meaning="Slice Thickness")
ORIENTATION: Final = tuple(
    Concept(
        scheme="DCM", value=str(110904 + n), meaning=f"Image Orientation (Patient) {line} {axis}"
    )
    for n, (line, axis) in enumerate(product(("Row", "Column"), "XYZ"))
)

PIXELS: Final = Concept(scheme=UCUM, value="{pixels}", meaning="Pixels")
DIRECTION: Final = Concept(scheme=UCUM, value="{-1:1}", meaning="{-1:1}")


def make_image_library(origin: Origin) -> ContainerContentItem:
    """The images of the series, in the order of its files."""
    group = _container(GROUP, [*_descriptors(origin), *_entries(origin)])
    return _container(LIBRARY, [group])


def _descriptors(origin: Origin) -> Iterator[ContentItem]:
    """What all images share; what the header does not tell is left out."""
    head, source = origin.head, origin.source
    context = RelationshipTypeValues.HAS_ACQ_CONTEXT
    yield CodeContentItem(name=coded(MODALITY), value=coded(CT), relationship_type=context)
    if date := str(head.StudyDate or ""):
        yield DateContentItem(name=coded(STUDY_DATE), value=date, relationship_type=context)
    yield UIDRefContentItem(
        name=coded(FRAME_OF_REFERENCE), value=head.FrameOfReferenceUID, relationship_type=context
    )
    vertical, horizontal = source.pixel_spacing
    scan = origin.case.result.acquisition
    is_of_header = "slice_thickness_mm" not in scan.stated
    numbers = [
        (ROWS, head.Rows, PIXELS),
        (COLUMNS, head.Columns, PIXELS),
        (HORIZONTAL, horizontal, MM),
        (VERTICAL, vertical, MM),
        (BETWEEN_SLICES, source.geometry.spacing_mm[2], MM),
        (THICKNESS, scan.slice_thickness_mm if is_of_header else None, MM),
        *((name, v, DIRECTION) for name, v in zip(ORIENTATION, source.orientation, strict=True)),
    ]
    for name, value, unit in numbers:
        if value is not None:
            yield NumContentItem(
                name=coded(name), value=value, unit=coded(unit), relationship_type=context
            )


def _entries(origin: Origin) -> Iterator[ContentItem]:
    """One for each image (TID 1601)."""
    for image in origin.source.images:
        yield ImageContentItem(
            name=coded(SOURCE),
            referenced_sop_class_uid=image.SOPClassUID,
            referenced_sop_instance_uid=image.SOPInstanceUID,
            relationship_type=RelationshipTypeValues.CONTAINS,
        )


def _container(name: Concept, items: Iterable[ContentItem]) -> ContainerContentItem:
    item = ContainerContentItem(name=coded(name), relationship_type=RelationshipTypeValues.CONTAINS)
    item.ContentSequence = ContentSequence(list(items))
    return item
