"""What one file's header says: the image, and each slice it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeAlias

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from osteoct.io.dicom import tags
from osteoct.io.dicom.elements import PARSE_ERRORS, Elements

Vector: TypeAlias = tuple[float, ...]

_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08", b"\x00\x02")
"""How a data set without preamble starts: group 0002 or 0008 in either byte order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """How the stored pixels lie in the file.

    ``offset`` is where the pixel data element starts; ``None`` where the data set itself is
    deflated or holds no pixels.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    transfer_syntax: str
    is_little_endian: bool
    is_implicit: bool
    offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How the data set is written, and what its file says about it."""

    transfer_syntax: str
    media_class: str
    is_implicit: bool
    is_little_endian: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifiers:
    """Raw identifiers of a file; never shown."""

    patient_id: bytes = b""
    issuer: bytes = b""
    patient_name: bytes = b""
    birth_date: bytes = b""
    study_uid: str = ""
    series_uid: str = ""

    def __repr__(self) -> str:
        return "Identifiers(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What the header of one DICOM file says.

    ``where`` is the path relative to what the user named, for messages. ``elements`` keeps the
    parsed header for the facts about the scan.
    """

    path: Path = field(repr=False)
    where: str
    encoding: Encoding
    sop_class: str
    modality: str
    image_type: tuple[str, ...]
    series_number: int | None
    instance_number: float
    layout: PixelLayout
    identifiers: Identifiers = field(repr=False)
    elements: Elements = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One plane of a CT: where it lies and how its stored values become HU.

    Patient coordinates are DICOM's own LPS here; ``phase_keys`` are the values that tell two
    acquisitions or reconstructions in one series apart, by tag name.
    """

    image: ImageHeader
    frame: int = 0
    position: Vector
    orientation: Vector
    pixel_spacing: Vector
    frame_of_reference: str = field(repr=False)
    slope: float | None
    intercept: float | None
    rescale_type: str
    padding: int | None
    padding_limit: int | None
    phase_keys: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Columns and rows."""
        return self.image.layout.columns, self.image.layout.rows


def read_header(path: Path, where: str) -> ImageHeader | None:
    """Read the header of a file; ``None`` where the file is not DICOM.

    Raises
    ------
    ValueError and the like
        One of :data:`osteoct.io.dicom.elements.PARSE_ERRORS` where the file claims to be DICOM and
        is damaged, or cannot be opened. The caller counts it.
    """
    with path.open("rb") as file:
        return read_header_from(file, path, where)


def read_header_from(file: IO[bytes], path: Path, where: str) -> ImageHeader | None:
    """Read the header of an open file, as :func:`read_header` does."""
    start = file.read(132)
    if start[128:] != b"DICM" and start[:2] not in _FIRST_GROUPS:
        return None
    has_preamble = start[128:] == b"DICM"
    file.seek(0)
    try:
        dataset = dcmread(
            file, stop_before_pixels=True, force=True, specific_tags=list(tags.HEADER_TAGS)
        )
    except PARSE_ERRORS:
        if has_preamble:
            raise
        return None
    meta = dataset.file_meta
    is_implicit, is_little_endian = dataset.original_encoding
    encoding = Encoding(
        transfer_syntax=str(meta.get("TransferSyntaxUID", "")),
        media_class=str(meta.get("MediaStorageSOPClassUID", "")),
        is_implicit=is_implicit is not False,
        is_little_endian=is_little_endian is not False,
    )
    header = make_header(dataset, encoding, path=path, where=where, offset=file.tell())
    is_image = bool(header.sop_class or (header.modality and header.layout.rows))
    return header if has_preamble or is_image else None


def make_header(
    dataset: Dataset, encoding: Encoding, *, path: Path, where: str, offset: int | None
) -> ImageHeader:
    """The header of a parsed data set."""
    elements = Elements(dataset)
    number = elements.number(tags.SERIES_NUMBER)
    instance = elements.number(tags.INSTANCE_NUMBER)
    is_deflated = encoding.transfer_syntax == DeflatedExplicitVRLittleEndian
    return ImageHeader(
        path=path,
        where=where,
        encoding=encoding,
        sop_class=elements.text(tags.SOP_CLASS_UID) or encoding.media_class,
        modality=(elements.text(tags.MODALITY) or "").upper(),
        image_type=tuple(t.upper() for t in elements.texts(tags.IMAGE_TYPE)),
        series_number=None if number is None else int(number),
        instance_number=0.0 if instance is None else instance,
        layout=_layout(elements, encoding, None if is_deflated else offset),
        identifiers=_identifiers(elements),
        elements=elements,
    )


def _layout(elements: Elements, encoding: Encoding, offset: int | None) -> PixelLayout:
    """How the pixels lie; impossible values are left for the reader to refuse."""
    bits = elements.short(tags.BITS_ALLOCATED) or 0
    stored = elements.short(tags.BITS_STORED) or bits
    high_bit = elements.short(tags.HIGH_BIT)
    return PixelLayout(
        rows=elements.short(tags.ROWS) or 0,
        columns=elements.short(tags.COLUMNS) or 0,
        frames=max(int(elements.number(tags.NUMBER_OF_FRAMES) or 1), 1),
        samples=elements.short(tags.SAMPLES_PER_PIXEL) or 1,
        photometric=(elements.text(tags.PHOTOMETRIC) or "MONOCHROME2").upper(),
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=stored - 1 if high_bit is None else high_bit,
        is_signed=elements.short(tags.PIXEL_REPRESENTATION) == 1,
        transfer_syntax=encoding.transfer_syntax,
        is_little_endian=encoding.is_little_endian,
        is_implicit=encoding.is_implicit,
        offset=offset,
    )


def _identifiers(elements: Elements) -> Identifiers:
    """The raw identifiers."""
    return Identifiers(
        patient_id=elements.raw(tags.PATIENT_ID).strip(),
        issuer=elements.raw(tags.ISSUER_OF_PATIENT_ID).strip(),
        patient_name=elements.raw(tags.PATIENT_NAME),
        birth_date=elements.raw(tags.PATIENT_BIRTH_DATE),
        study_uid=elements.text(tags.STUDY_UID) or "",
        series_uid=elements.text(tags.SERIES_UID) or "",
    )


def classic_slice(image: ImageHeader) -> Slice:
    """The one slice of a single-frame image."""
    elements = image.elements
    signed = image.layout.is_signed
    return Slice(
        image=image,
        position=elements.numbers(tags.POSITION),
        orientation=elements.numbers(tags.ORIENTATION),
        pixel_spacing=elements.numbers(tags.PIXEL_SPACING),
        frame_of_reference=elements.text(tags.FRAME_OF_REFERENCE_UID) or "",
        slope=elements.number(tags.RESCALE_SLOPE),
        intercept=elements.number(tags.RESCALE_INTERCEPT),
        rescale_type=elements.text(tags.RESCALE_TYPE) or "",
        padding=elements.short(tags.PIXEL_PADDING, is_signed=signed),
        padding_limit=elements.short(tags.PIXEL_PADDING_LIMIT, is_signed=signed),
        phase_keys=(
            ("AcquisitionNumber", elements.text(tags.ACQUISITION_NUMBER) or ""),
            ("TemporalPositionIdentifier", elements.text(tags.TEMPORAL_POSITION) or ""),
            ("NominalPercentageOfCardiacPhase", str(elements.number(tags.CARDIAC_PHASE_PERCENT))),
            ("ImageType", "\\".join(image.image_type)),
            ("ConvolutionKernel", "\\".join(elements.texts(tags.KERNEL))),
            ("ContrastBolusAgent", elements.text(tags.CONTRAST_AGENT) or ""),
            ("SliceThickness", str(elements.number(tags.SLICE_THICKNESS))),
        ),
    )
