"""DICOM SEG of what was measured: vertebra, body, cores and shells per level.

Highdicom writes the modules and describes the segments. The frames are written here, one at a time:
highdicom wants all segments as one array, 2.5 GB for a spine of 300 slices and 35 segments. Frames
without a voxel are left out; the position of each of the others tells where it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import highdicom as hd
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import DSfloat

from osteoct.errors import GeometryError
from osteoct.export.case_folder import CompartmentMap
from osteoct.export.dicom.coding import private_schemes
from osteoct.export.dicom.descriptions import describe_segments
from osteoct.export.dicom.origin import (
    CHARACTER_SET,
    FIRST_SERIES_NUMBER,
    MANUFACTURER,
    MODEL,
    SERIAL_NUMBER,
    Origin,
    settle_times,
)
from osteoct.export.dicom.planes import FramePlanes, find_planes
from osteoct.export.dicom.references import derive_from, reference_series
from osteoct.export.segments import RegionSegment
from osteoct.io.dicom.elements import quietly

SERIES_DESCRIPTION: Final = "osteoct segmentation"

_FRAMES_AT_ONCE = 8
"""Eight frames of any size are whole bytes at one bit a pixel."""


def make_segmentation(
    origin: Origin, compartments: CompartmentMap, segments: Sequence[RegionSegment]
) -> Dataset:
    """Make the SEG of a case.

    Parameters
    ----------
    compartments
        On the grid of the series, axes in any order.

    Raises
    ------
    GeometryError
        The compartments lie on another grid than the series.
    """
    planes = find_planes(origin.source)
    codes = _on_grid_of_series(compartments, origin)
    with quietly():  # values of the source's header are none of ours
        dataset = _make_head(origin, planes, segments)
    present = [frozenset(np.unique(plane).tolist()) for plane in codes]
    frames = [
        (segment, k)
        for segment in segments
        for k, labels in enumerate(present)
        if labels & segment.labels
    ]
    _set_frames(dataset, origin, planes, frames)
    dataset.SegmentsOverlap = _overlap(segments)
    dataset.PixelData = _pack(_masks(codes, frames))
    return dataset


def _on_grid_of_series(compartments: CompartmentMap, origin: Origin) -> NDArray[np.uint16]:
    """Labels (slice, row, column) in the order of the series' planes."""
    volume, grid = compartments.volume, origin.source.geometry
    step = volume.geometry.reorientation_onto(grid)
    if step is None:
        raise GeometryError(
            "the result and the series lie on different grids",
            where=str(origin.case.folder),
            found=f"{volume.geometry.shape} {volume.geometry.axis_codes}",
            wanted=f"{grid.shape} {grid.axis_codes} at the same place",
        )
    return np.ascontiguousarray(volume.apply(step).array.transpose(2, 1, 0))


def _make_head(origin: Origin, planes: FramePlanes, segments: Sequence[RegionSegment]) -> Dataset:
    """Everything but the frames, which a single pixel stands for."""
    made = origin.made
    dataset = hd.seg.Segmentation(
        source_images=[origin.head],
        pixel_array=np.ones((1, 1, 1, len(segments)), np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=describe_segments(origin, segments),
        series_instance_uid=origin.make_uid("segmentation series"),
        series_number=FIRST_SERIES_NUMBER,
        sop_instance_uid=origin.make_uid("segmentation"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=origin.version,
        device_serial_number=SERIAL_NUMBER,
        content_label="VERTEBRAE",
        content_description="Vertebrae and their parts as measured",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        plane_positions=[hd.PlanePositionSequence("PATIENT", planes.positions[0])],
        plane_orientation=hd.PlaneOrientationSequence("PATIENT", planes.orientation),
        pixel_measures=hd.PixelMeasuresSequence(
            pixel_spacing=planes.pixel_spacing,
            slice_thickness=planes.distance_mm,
            spacing_between_slices=planes.distance_mm,
        ),
        specific_character_set=CHARACTER_SET,
        series_description=SERIES_DESCRIPTION,
        content_date=made.date(),
        content_time=made.time(),
        series_date=made.date(),
        series_time=made.time(),
        coding_schemes=private_schemes(),
    )
    settle_times(dataset)
    # there, if empty (PS3.3, table 10-12): no person drew this, and highdicom leaves it out
    dataset.ContentCreatorName = ""
    organization = origin.make_uid("dimensions of the segmentation")
    for item in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization
    # of a single plane highdicom makes 1 mm, whatever it was told
    measures = dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.SpacingBetweenSlices = DSfloat(planes.distance_mm, auto_format=True)
    dataset.Rows, dataset.Columns = planes.rows, planes.columns
    reference_series(dataset, origin.source)
    return dataset


def _membership(segment: RegionSegment, codes: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Whether a label belongs to a segment, by label."""
    table = np.zeros(np.iinfo(codes.dtype).max + 1, np.bool_)
    table[list(segment.labels)] = True
    return table


def _masks(
    codes: NDArray[np.uint16], frames: Sequence[tuple[RegionSegment, int]]
) -> Iterable[NDArray[np.bool_]]:
    """The pixels (row, column) of every frame."""
    table, of = np.zeros(0, np.bool_), 0
    for segment, k in frames:
        if segment.number != of:
            table, of = _membership(segment, codes), segment.number
        yield table[codes[k]]


def _pack(masks: Iterable[NDArray[np.bool_]]) -> bytes:
    """Pixels at one bit each, the first one lowest, frames without a gap (PS3.5 8.1.1)."""
    packed, waiting = bytearray(), list[NDArray[np.bool_]]()
    for mask in masks:
        waiting.append(mask.ravel())
        if len(waiting) == _FRAMES_AT_ONCE:
            packed += np.packbits(np.concatenate(waiting), bitorder="little").tobytes()
            waiting.clear()
    if waiting:
        packed += np.packbits(np.concatenate(waiting), bitorder="little").tobytes()
    return bytes(packed) + b"\0" * (len(packed) % 2)


def _set_frames(
    dataset: Dataset,
    origin: Origin,
    planes: FramePlanes,
    frames: Sequence[tuple[RegionSegment, int]],
) -> None:
    """Describe the frames: segment, place, and the source image under each."""
    stored = sorted({k for _, k in frames})
    place_index = {k: n for n, k in enumerate(stored, start=1)}
    dataset.NumberOfFrames = len(frames)
    dataset.PerFrameFunctionalGroupsSequence = DicomSequence(
        [_frame(origin, planes, segment, k, place_index[k]) for segment, k in frames]
    )
    shared = dataset.SharedFunctionalGroupsSequence[0]
    if "SegmentIdentificationSequence" in shared:  # highdicom's way with a single segment
        del shared.SegmentIdentificationSequence


def _frame(
    origin: Origin, planes: FramePlanes, segment: RegionSegment, k: int, place: int
) -> Dataset:
    """The functional groups of one frame."""
    content, position, identity = Dataset(), Dataset(), Dataset()
    content.DimensionIndexValues = [segment.number, place]
    position.ImagePositionPatient = [DSfloat(v, auto_format=True) for v in planes.positions[k]]
    identity.ReferencedSegmentNumber = segment.number
    frame = Dataset()
    frame.DerivationImageSequence = [derive_from(origin.source, k)]
    frame.FrameContentSequence = [content]
    frame.PlanePositionSequence = [position]
    frame.SegmentIdentificationSequence = [identity]
    return frame


def _overlap(segments: Sequence[RegionSegment]) -> str:
    """Whether any voxel belongs to two segments."""
    labels = [label for segment in segments for label in segment.labels]
    return "YES" if len(set(labels)) < len(labels) else "NO"
