"""The DICOM objects of a case, as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from osteoct.errors import InputError
from osteoct.export.dicom.origin import file_bytes, find_origin
from osteoct.export.dicom.report import make_report
from osteoct.export.dicom.segmentation import make_segmentation
from osteoct.export.formats import ExportJob
from osteoct.export.segments import list_segments
from osteoct.io.dicom.source import SourceSeries

SEGMENTATION_FILE: Final = "seg.dcm"
REPORT_FILE: Final = "sr.dcm"


def make_objects(job: ExportJob) -> Mapping[str, bytes]:
    """Make segmentation and report.

    Raises
    ------
    InputError
        The case holds no vertebra, or its series cannot be referred to.
    GeometryError
        The result lies on another grid than the series.
    """
    assert job.source is not None  # noqa: S101 -- the registry says that this format needs it
    origin = find_origin(job.case, job.source)
    compartments = job.case.read_compartments()
    from_feet = _is_seen_from_feet(origin.source)
    segments = list_segments(job.case.result, compartments, from_feet=from_feet)
    if not segments:
        raise InputError(
            "there is nothing to export",
            where=str(job.case.folder),
            found="no voxel of any level",
            wanted="a case with a vertebra",
        )
    segmentation = make_segmentation(origin, compartments, segments)
    report = make_report(origin, segments, segmentation)
    made = {SEGMENTATION_FILE: segmentation, REPORT_FILE: report}
    return {name: file_bytes(dataset, deflate=job.deflate) for name, dataset in made.items()}


def _is_seen_from_feet(source: SourceSeries) -> bool:
    """Whether OHIF shows the slice next to the feet first: it sorts against the slices' normal.

    Segments are numbered in that order. Where they overlap, cornerstone's adapters (3.33 to 5.14)
    put several into one layer, and lose slices of a segment that comes after one whose slices are
    shown later (cornerstone3D issue 2846).
    """
    row_x, row_y, _, column_x, column_y, _ = source.orientation
    return row_x * column_y - row_y * column_x < 0
