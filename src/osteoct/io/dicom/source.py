"""The images behind a CT: what objects made from it must say of patient, study and planes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from osteoct.errors import UnreadableInputError
from osteoct.geometry import Geometry
from osteoct.io.dicom.elements import PARSE_ERRORS, quietly
from osteoct.io.dicom.headers import Slice
from osteoct.io.dicom.series import located_stack
from osteoct.io.dicom.tilt import straight_geometry
from osteoct.io.dicom.valid_header import drop_invalid
from osteoct.io.identity import SourceIdentity

_MADE_WHERE_LOST: Final = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
"""UIDs of what lies above the images."""

_REFERENCE_TAGS: Final = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"),
    *("PatientID", "NumberOfFrames", "Rows", "Columns", "Modality"),
)
"""What a reference to an image needs."""


@dataclass(frozen=True, kw_only=True)
class SourcePlane:
    """Where one plane of the CT lies in the files.

    Parameters
    ----------
    image
        Index in :attr:`SourceSeries.images`.
    frame
        Number of the frame, from 1; ``None`` in an image of a single frame.
    position
        LPS, mm, of the first pixel as the file has it.
    """

    image: int
    frame: int | None
    position: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceSeries:
    """The series that a CT was read from; holds identifiers and never shows them.

    Parameters
    ----------
    head
        The first image without its pixels: patient, study, series, frame of reference.
    images
        Every image, as far as a reference to it needs.
    planes
        The planes in the order of the CT's slices.
    geometry
        The CT's grid (column, row, slice; RAS+ mm).
    orientation, pixel_spacing
        Directions of rows and columns (LPS) and distance of rows and columns (mm), as the files
        have them.
    made_uids
        Names of the attributes that the files leave empty, as de-identified ones may, and that were
        made here: from the images' own UIDs, so that they are the same each time.
    left_out
        Names of the attributes whose values DICOM does not allow; ``head`` has them empty.
    is_resampled
        Whether that grid is not the one of the files: the gantry was tilted. Slice n still lies in
        the plane of source plane n.
    """

    head: Dataset = field(repr=False)
    images: tuple[Dataset, ...] = field(repr=False)
    planes: tuple[SourcePlane, ...] = field(repr=False)
    geometry: Geometry
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    is_resampled: bool
    identity: SourceIdentity
    made_uids: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    is_deidentified: bool = False


def read_source(path: Path, *, series: str | None = None) -> SourceSeries:
    """Read the headers of the series that :func:`osteoct.io.volume.read_volume` would read.

    Raises
    ------
    InputError
        As :func:`osteoct.io.dicom.series.read_dicom`, but for what only pixels tell.
    """
    with located_stack(path, series=series) as (stack, identity):
        if stack.grid is None:  # located_stack refuses such a stack; tells the type checker
            raise UnreadableInputError("the stack forms no grid", where=path.name)
        files = list(dict.fromkeys(s.image.path for s in stack.slices))
        try:
            with quietly():
                head = dcmread(files[0], stop_before_pixels=True)
                images = tuple(dcmread(f, specific_tags=list(_REFERENCE_TAGS)) for f in files)
        except PARSE_ERRORS as error:
            raise UnreadableInputError(
                "a header cannot be read", where=path.name, found=type(error).__name__
            ) from None  # pydicom's words quote header values
        left_out = drop_invalid(head)
        made = _complete(head, images)
        index = {file: n for n, file in enumerate(files)}
        return SourceSeries(
            head=head,
            images=images,
            planes=tuple(_plane(s, index[s.image.path]) for s in stack.slices),
            geometry=straight_geometry(stack.grid),
            orientation=stack.first.orientation,
            pixel_spacing=stack.first.pixel_spacing,
            is_resampled=stack.grid.tilt_deg != 0,
            identity=identity,
            made_uids=made,
            left_out=left_out,
        )


def _complete(head: Dataset, images: tuple[Dataset, ...]) -> tuple[str, ...]:
    """Fill in UIDs that a data set has lost; returns which had to be made.

    An image's own UID and class stand in the file's meta information as well.
    """
    for dataset in (head, *images):
        meta = dataset.file_meta
        for keyword in ("SOPClassUID", "SOPInstanceUID"):
            if not dataset.get(keyword):
                setattr(dataset, keyword, meta.get(f"MediaStorage{keyword}", ""))
    lost = tuple(keyword for keyword in _MADE_WHERE_LOST if not head.get(keyword))
    own = " ".join(sorted(str(image.SOPInstanceUID) for image in images))
    for keyword in lost:
        uid = UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'osteoct {keyword} {own}').int}")
        for dataset in (head, *images):
            setattr(dataset, keyword, uid)
    return lost


def _plane(one: Slice, image: int) -> SourcePlane:
    is_single = one.image.layout.frames == 1
    return SourcePlane(
        image=image, frame=None if is_single else one.frame + 1, position=one.position
    )
