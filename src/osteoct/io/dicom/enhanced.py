"""The slices of an enhanced multi-frame CT: per-frame values, or else the shared ones."""

from __future__ import annotations

from osteoct.io.dicom import tags
from osteoct.io.dicom.elements import NOTHING, Elements
from osteoct.io.dicom.headers import ImageHeader, Slice


def enhanced_slices(image: ImageHeader) -> tuple[Slice, ...]:
    """One slice per frame, in frame order; the position, not the order, decides where it lies.

    A file whose per-frame groups do not match its number of frames yields slices without position,
    which no grid accepts.
    """
    shared = image.elements.within(tags.SHARED_GROUPS)
    groups = image.elements.items(tags.PER_FRAME_GROUPS)
    if len(groups) != image.layout.frames:
        groups = [NOTHING] * image.layout.frames
    return tuple(_slice(image, number, group, shared) for number, group in enumerate(groups))


def _slice(image: ImageHeader, number: int, group: Elements, shared: Elements) -> Slice:
    """The slice of one frame."""

    def macro(tag: int) -> Elements:
        items = group.items(tag) or shared.items(tag)
        return items[0] if items else NOTHING

    values = macro(tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE)
    content = macro(tags.FRAME_CONTENT_SEQUENCE)
    frame_type = macro(tags.CT_IMAGE_FRAME_TYPE_SEQUENCE).texts(tags.FRAME_TYPE)
    kernel = macro(tags.CT_RECONSTRUCTION_SEQUENCE).texts(tags.KERNEL)
    elements = image.elements
    signed = image.layout.is_signed
    return Slice(
        image=image,
        frame=number,
        position=macro(tags.PLANE_POSITION_SEQUENCE).numbers(tags.POSITION),
        orientation=macro(tags.PLANE_ORIENTATION_SEQUENCE).numbers(tags.ORIENTATION),
        pixel_spacing=macro(tags.PIXEL_MEASURES_SEQUENCE).numbers(tags.PIXEL_SPACING),
        frame_of_reference=elements.text(tags.FRAME_OF_REFERENCE_UID) or "",
        slope=values.number(tags.RESCALE_SLOPE),
        intercept=values.number(tags.RESCALE_INTERCEPT),
        rescale_type=values.text(tags.RESCALE_TYPE) or "",
        padding=elements.short(tags.PIXEL_PADDING, is_signed=signed),
        padding_limit=elements.short(tags.PIXEL_PADDING_LIMIT, is_signed=signed),
        phase_keys=(
            ("FrameAcquisitionNumber", str(content.short(tags.FRAME_ACQUISITION_NUMBER))),
            ("TemporalPositionIndex", str(content.short(tags.TEMPORAL_POSITION_INDEX))),
            ("StackID", content.text(tags.STACK_ID) or ""),
            ("FrameType", "\\".join(frame_type)),
            ("ConvolutionKernel", "\\".join(kernel)),
        ),
    )


def facts_of_frames(image: ImageHeader) -> Elements:
    """The data set level of an enhanced image that holds kernel, kVp and tube current."""
    shared = image.elements.within(tags.SHARED_GROUPS)
    groups = image.elements.items(tags.PER_FRAME_GROUPS)
    return _First((shared, *groups[:1]))


class _First(Elements):
    """Looks a sequence up in several functional groups, first come first served."""

    __slots__ = ("_groups",)

    def __init__(self, groups: tuple[Elements, ...]) -> None:
        super().__init__(NOTHING._dataset)  # noqa: SLF001 - its own class, an empty data set
        self._groups = groups

    def items(self, tag: int) -> list[Elements]:
        """The items of the first group that has the sequence."""
        return next((found for g in self._groups if (found := g.items(tag))), [])
