"""DICOM segmentations (SEG): BINARY and LABELMAP, read with pydicom alone.

The format is described in DICOM PS3.3 A.51 (Segmentation IOD), A.90 (Label Map Segmentation IOD)
and C.8.20 (segment description, frames by segment). Segment label and SNOMED codes say what a
segment is; the plane position of every frame says where it lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, SegmentationStorage

from osteoct.anatomy import LabelScheme, Part
from osteoct.errors import LabelsError, UnreadableInputError
from osteoct.geometry import Geometry
from osteoct.io.dicom.elements import PARSE_ERRORS, quietly
from osteoct.io.dicom_seg_grid import FramePlace, place_frames
from osteoct.io.label_codes import Code, name_segment
from osteoct.io.label_segments import join_segments
from osteoct.volume import LabelVolume

LABEL_MAP_STORAGE: Final = UID("1.2.840.10008.5.1.4.1.1.66.7")
"""Label Map Segmentation Storage, of 2024: not every pydicom knows it by name."""

SEGMENTATION_CLASSES: Final = frozenset({SegmentationStorage, LABEL_MAP_STORAGE})

_BACKGROUND = 0
"""Number of the background in a label map; it has a segment description of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Frames:
    """The frames of a file: their grid, and slice and segment of each."""

    dataset: Dataset
    geometry: Geometry
    slices: tuple[int, ...]
    segments: tuple[int | None, ...]


def read_dicom_seg(
    files: Sequence[Path], *, scheme: LabelScheme | None, part: Part, where: str
) -> LabelVolume:
    """Read the one segmentation among DICOM files.

    Raises
    ------
    UnreadableInputError
        No segmentation among the files, or a damaged one.
    LabelsError
        Several segmentations, a fractional one, or segments that are not of the part.
    IrregularGridError
        Frames that form no regular grid.
    """
    path = _choose(files, where=where)
    try:
        with quietly():
            dataset = pydicom.dcmread(path)
            frames = _place(dataset, where=where)
            names = _names(dataset, where=where)
            masks = _Masks(frames, where=where)
            return join_segments(
                names, masks.load, frames.geometry, scheme=scheme, part=part, where=where
            )
    except PARSE_ERRORS as error:
        raise UnreadableInputError(
            "is damaged",
            where=where,
            found=type(error).__name__,
            wanted="a whole DICOM segmentation",
        ) from None  # pydicom's words quote header values


def _choose(files: Sequence[Path], *, where: str) -> Path:
    """The segmentation among files, by SOP class."""
    found: list[Path] = []
    others: set[str] = set()
    for path in files:
        try:
            with quietly():
                head = pydicom.dcmread(path, specific_tags=["SOPClassUID", "Modality"])
        except PARSE_ERRORS:
            others.add("unreadable")
            continue
        if head.get("SOPClassUID") in SEGMENTATION_CLASSES:
            found.append(path)
        else:
            others.add(str(head.get("Modality", "unknown"))[:16])
    if not found:
        raise UnreadableInputError(
            "holds no DICOM segmentation",
            where=where,
            found=f"DICOM of modality {', '.join(sorted(others))}",
            wanted="a DICOM SEG, a NIfTI, NRRD or MetaImage label map, or a folder of masks",
        )
    if len(found) > 1:
        raise LabelsError(
            "holds several DICOM segmentations",
            where=where,
            found=len(found),
            wanted="one",
            hint="give the file instead of the folder",
        )
    return found[0]


def _names(dataset: Dataset, *, where: str) -> dict[int, str]:
    """Name of each segment, by what label and codes say together."""
    return {
        int(item.SegmentNumber): name_segment(
            str(item.get("SegmentLabel", "")),
            kind=_code(item.get("SegmentedPropertyTypeCodeSequence")),
            region=_code(item.get("AnatomicRegionSequence")),
            where=where,
        )
        for item in dataset.SegmentSequence
        if int(item.SegmentNumber) != _BACKGROUND
    }


def _code(sequence: Sequence[Dataset] | None) -> Code | None:
    if not sequence:
        return None
    item = sequence[0]
    return Code(
        scheme=str(item.get("CodingSchemeDesignator", "")), value=str(item.get("CodeValue", ""))
    )


def _place(dataset: Dataset, *, where: str) -> _Frames:
    """The grid of the frames, and the segment of each (``None`` in a label map)."""
    kind = str(dataset.get("SegmentationType", "")).upper()
    if kind not in {"BINARY", "LABELMAP"}:
        raise LabelsError(
            "holds shares, not labels",
            where=where,
            found=f"SegmentationType {kind or 'absent'}",
            wanted="BINARY or LABELMAP",
        )
    shared = dataset.SharedFunctionalGroupsSequence[0]
    groups = list(dataset.PerFrameFunctionalGroupsSequence)
    if not groups or len(groups) != int(dataset.NumberOfFrames):
        raise LabelsError(
            "describes other frames than it holds",
            where=where,
            found=f"{len(groups)} descriptions",
            wanted=f"{dataset.NumberOfFrames} frames",
        )
    geometry, slices = place_frames(
        [_frame_place(group, shared) for group in groups],
        columns=int(dataset.Columns),
        rows=int(dataset.Rows),
        where=where,
    )
    segments = tuple(_segment_of(g, shared) if kind == "BINARY" else None for g in groups)
    return _Frames(dataset=dataset, geometry=geometry, slices=slices, segments=segments)


def _frame_place(group: Dataset, shared: Dataset) -> FramePlace:
    return FramePlace(
        position=_numbers(group, shared, "PlanePositionSequence", "ImagePositionPatient"),
        orientation=_numbers(group, shared, "PlaneOrientationSequence", "ImageOrientationPatient"),
        pixel_spacing=_numbers(group, shared, "PixelMeasuresSequence", "PixelSpacing"),
    )


def _numbers(group: Dataset, shared: Dataset, macro: str, keyword: str) -> tuple[float, ...]:
    """A value of a frame's own functional group, or of the shared one; empty where absent."""
    item = (group.get(macro) or shared.get(macro) or [Dataset()])[0]
    return tuple(float(v) for v in item.get(keyword) or ())


def _segment_of(group: Dataset, shared: Dataset) -> int:
    macro = "SegmentIdentificationSequence"
    item = (group.get(macro) or shared[macro].value)[0]
    return int(item.ReferencedSegmentNumber)


class _Masks:
    """Masks of single segments; frames are decoded one at a time."""

    def __init__(self, frames: _Frames, *, where: str) -> None:
        self._frames = frames
        self._where = where
        self._labels: NDArray[Any] | None = None

    def load(self, segment: int) -> NDArray[np.bool_]:
        """The mask (column, row, slice) of a segment; empty where no frame is stored."""
        if self._frames.segments[0] is None:
            mask: NDArray[np.bool_] = self._label_map() == segment
            return mask
        own = [n for n, number in enumerate(self._frames.segments) if number == segment]
        slices = [self._frames.slices[n] for n in own]
        if len(set(slices)) < len(slices):
            raise LabelsError(
                "two frames of one segment lie at one place",
                where=self._where,
                found=f"segment {segment}",
                wanted="one frame per segment and slice",
            )
        binary = np.zeros(self._frames.geometry.shape, np.bool_, order="F")
        if own:
            pixels = iter_pixels(self._frames.dataset, indices=own, raw=True)
            for index, frame in zip(slices, pixels, strict=True):
                binary[:, :, index] = frame.T > 0
        return binary

    def _label_map(self) -> NDArray[Any]:
        """All frames of a label map, decoded once."""
        if self._labels is None:
            frames = self._frames
            if len(set(frames.slices)) < len(frames.slices):
                raise LabelsError(
                    "two frames of a label map lie at one place",
                    where=self._where,
                    wanted="one frame per slice",
                )
            self._labels = np.zeros(frames.geometry.shape, np.uint16, order="F")
            pixels = iter_pixels(frames.dataset, raw=True)
            for index, frame in zip(frames.slices, pixels, strict=True):
                self._labels[:, :, index] = frame.T
        return self._labels
