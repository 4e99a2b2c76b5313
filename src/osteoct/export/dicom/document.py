"""The report as DICOM: the whole PDF, and its first page as a picture.

Both belong to the patient's study and have no frame of reference: a page has no place in the
patient. Patient and study stand in the attributes alone, never on the page, so that nothing
identifying is burnt in.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import highdicom as hd
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from osteoct.export.dicom.origin import (
    CHARACTER_SET,
    FIRST_SERIES_NUMBER,
    MANUFACTURER,
    MODEL,
    SERIAL_NUMBER,
    Origin,
    file_bytes,
    find_origin,
)
from osteoct.export.dicom.references import code_item, reference_images
from osteoct.export.formats import ExportJob
from osteoct.export.pdf.content import what_is_shown
from osteoct.export.pdf.setting import render_case_pages, render_case_pdf
from osteoct.io.dicom.elements import quietly
from osteoct.io.result_codes import Concept

PDF_FILE: Final = "pdf.dcm"
PAGE_FILE: Final = "page.dcm"

PDF_DESCRIPTION: Final = "osteoct report (PDF)"
PAGE_DESCRIPTION: Final = "osteoct report, first page"
DOCUMENT_TITLE: Final = "osteoct bone report, preliminary"

IMAGING_REPORT: Final = Concept(scheme="DCM", value="126000", meaning="Imaging Measurement Report")

CONVERSION_TYPE: Final = "WSD"
"""Workstation: made by a program, neither scanned nor filmed (PS3.3 C.8.6.1)."""

PAGE_DPI: Final = 144.0
"""A4 is then 1191 × 1684 pixels: a two-megapixel screen on end shows it pixel by pixel, and the
smallest letters are 9 pixels high."""


def make_documents(job: ExportJob) -> Mapping[str, bytes]:
    """Make the encapsulated PDF and the secondary capture.

    Raises
    ------
    InputError
        The series cannot be referred to, or a picture of the result folder is damaged.
    DependencyError
        typst is not installed.
    """
    assert job.source is not None  # noqa: S101 -- the registry says that this format needs it
    origin = find_origin(job.case, job.source)
    shown = what_is_shown(job.source)
    page = render_case_pages(job.case, dots_per_inch=PAGE_DPI, shown=shown)[0]
    made = {
        PDF_FILE: make_encapsulated_pdf(origin, render_case_pdf(job.case, shown=shown)),
        PAGE_FILE: make_page(origin, page),
    }
    return {name: file_bytes(dataset, deflate=job.deflate) for name, dataset in made.items()}


def make_encapsulated_pdf(origin: Origin, pdf: bytes) -> Dataset:
    """Wrap a PDF (PS3.3 A.45.1)."""
    dataset = _make_head(
        origin,
        role="document",
        sop_class=EncapsulatedPDFStorage,
        number=FIRST_SERIES_NUMBER + 2,
        modality="DOC",
        description=PDF_DESCRIPTION,
    )
    dataset.AcquisitionDateTime = ""
    dataset.DocumentTitle = DOCUMENT_TITLE
    dataset.ConceptNameCodeSequence = [code_item(IMAGING_REPORT)]
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.SourceInstanceSequence = reference_images(origin.source)
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(pdf)
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return dataset


def make_page(origin: Origin, png: bytes) -> Dataset:
    """Make a secondary capture, RGB, of a page (PS3.3 A.8.1)."""
    with Image.open(BytesIO(png)) as image:
        pixels = np.asarray(image.convert("RGB"))
    dataset = _make_head(
        origin,
        role="page",
        sop_class=SecondaryCaptureImageStorage,
        number=FIRST_SERIES_NUMBER + 3,
        modality="OT",
        description=PAGE_DESCRIPTION,
    )
    dataset.BodyPartExamined = "SPINE"  # single: so that nobody asks for a side
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = ""
    dataset.DerivationDescription = "First page of the report of osteoct"
    dataset.SourceImageSequence = reference_images(origin.source)
    dataset.LossyImageCompression = "00"
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = "RGB"
    dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    content = pixels.tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB"
    return dataset


def _make_head(
    origin: Origin, *, role: str, sop_class: UID, number: int, modality: str, description: str
) -> Dataset:
    """Patient, study, series, equipment and SOP common modules."""
    made = origin.made
    when: dict[str, Any] = {
        "content_date": made.date(),
        "content_time": made.time(),
        "series_date": made.date(),
        "series_time": made.time(),
    }
    head = origin.head
    with quietly():  # values of the source's header are none of ours
        dataset = hd.base.SOPClass(
            study_instance_uid=head.StudyInstanceUID,
            series_instance_uid=origin.make_uid(f"{role} series"),
            series_number=number,
            sop_instance_uid=origin.make_uid(role),
            sop_class_uid=sop_class,
            instance_number=1,
            modality=modality,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL,
            device_serial_number=SERIAL_NUMBER,
            software_versions=origin.version,
            transfer_syntax_uid=ExplicitVRLittleEndian,
            specific_character_set=CHARACTER_SET,
            series_description=description,
            **when,
        )
        dataset.copy_patient_and_study_information(head)
    dataset.ConversionType = CONVERSION_TYPE
    dataset.BurnedInAnnotation = "NO"
    dataset.InstanceCreationDate = dataset.ContentDate
    dataset.InstanceCreationTime = dataset.ContentTime
    return dataset
