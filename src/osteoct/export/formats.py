"""The formats that a finished case can be exported to, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from osteoct.errors import ConfigError
from osteoct.export.case_folder import FinishedCase
from osteoct.export.documents_extra import check_documents_extra
from osteoct.export.extra import check_dicom_extra
from osteoct.io.dicom.source import SourceSeries


@dataclass(frozen=True, kw_only=True, eq=False)
class ExportJob:
    """What a format is made from.

    Parameters
    ----------
    source
        The series that the case was measured on; there for formats that need it, and without
        identifiers where that was asked for.
    deflate
        Whether DICOM data sets are packed (Deflated Explicit VR Little Endian).
    """

    case: FinishedCase
    source: SourceSeries | None = None
    deflate: bool = False


@dataclass(frozen=True, kw_only=True)
class ExportFormat:
    """One format.

    Parameters
    ----------
    name
        What ``--to`` calls it.
    title
        What it gives, in a few words.
    needs_source
        Whether it needs the DICOM series that the case was measured on.
    make
        Makes the files: content by name. Names hold no identifier and are no other format's.
        Imports what it needs when it is called.
    """

    name: str
    title: str
    needs_source: bool
    make: Callable[[ExportJob], Mapping[str, bytes]]


def _make_dicom(job: ExportJob) -> Mapping[str, bytes]:
    check_dicom_extra("export --to dicom")
    from osteoct.export.dicom.objects import make_objects  # noqa: PLC0415 -- highdicom: 0.5 s

    return make_objects(job)


def _make_dicom_pdf(job: ExportJob) -> Mapping[str, bytes]:
    check_dicom_extra("export --to dicom-pdf")
    check_documents_extra("export --to dicom-pdf", "typst")
    from osteoct.export.dicom.document import make_documents  # noqa: PLC0415 -- highdicom: 0.5 s

    return make_documents(job)


def _make_pdf(job: ExportJob) -> Mapping[str, bytes]:
    from osteoct.export.pdf.content import what_is_shown  # noqa: PLC0415 -- likewise
    from osteoct.export.pdf.setting import render_case_pdf  # noqa: PLC0415 -- matplotlib: 0.5 s

    return {"report.pdf": render_case_pdf(job.case, shown=what_is_shown(job.source))}


def _make_excel(job: ExportJob) -> Mapping[str, bytes]:
    from osteoct.export.excel import render_case_workbook  # noqa: PLC0415 -- optional package

    result = job.case.result
    if job.source is not None and job.source.is_deidentified:  # a user's name may name the patient
        result = result.model_copy(update={"case_id": str(job.source.head.PatientID)})
    return {"case.xlsx": render_case_workbook(result)}


def _make_fhir(job: ExportJob) -> Mapping[str, bytes]:
    from osteoct.export.fhir.bundle import render_bundle  # noqa: PLC0415 -- one format of several

    return {"fhir.json": render_bundle(job.case, job.source)}


FORMATS: Final[Mapping[str, ExportFormat]] = {
    f.name: f
    for f in (
        ExportFormat(
            name="dicom",
            title="segmentation and structured report for a PACS",
            needs_source=True,
            make=_make_dicom,
        ),
        # a format of its own: "dicom" is for programs and needs no typst, and not every archive
        # wants a document beside its images
        ExportFormat(
            name="dicom-pdf",
            title="the report for viewers that show nothing else: as PDF and as a picture",
            needs_source=True,
            make=_make_dicom_pdf,
        ),
        ExportFormat(
            name="pdf",
            title="report on one or two sheets of A4",
            needs_source=False,
            make=_make_pdf,
        ),
        ExportFormat(
            name="excel",
            title="workbook of levels, heights, findings and opinions, with a dictionary",
            needs_source=False,
            make=_make_excel,
        ),
        ExportFormat(
            name="fhir",
            title="FHIR R4 bundle: DiagnosticReport and Observations",
            needs_source=False,
            make=_make_fhir,
        ),
    )
}


def export_format(name: str) -> ExportFormat:
    """Return a format by name; an unknown name is an error that lists the known ones."""
    if name not in FORMATS:
        raise ConfigError(
            "unknown format",
            where="--to",
            found=repr(name),
            wanted="one of " + ", ".join(FORMATS),
        )
    return FORMATS[name]
