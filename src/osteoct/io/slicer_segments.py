"""Segments of a 3D Slicer segmentation (``.seg.nrrd``), from the fields of its NRRD header.

The format is described in Slicer's developer guide, *Segmentations > Segmentation labelmap file
format*: each segment has ``SegmentN_Name``, ``SegmentN_LabelValue``, ``SegmentN_Layer`` and, in
``SegmentN_Tags``, a terminology entry (context~category~type~modifier~context~region~modifier, each
code as ``scheme^value^meaning``). Segments that do not overlap share a layer; a file of several
layers has them as its first axis. Older files have one layer per segment and no label values.
``Segmentation_ReferenceImageExtentOffset`` tells where a cropped file lies in its source image in
voxels; origin and directions tell the same in mm, and those are used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from osteoct.errors import LabelsError
from osteoct.io.label_codes import Code, name_segment

_KEY = re.compile(r"Segment(?P<number>\d+)_(?P<field>Name|LabelValue|Layer|Tags)")
_TERMINOLOGY = re.compile(r"(?:TerminologyEntry|Segmentation\.TerminologyEntry):(?P<entry>[^|]*)")
_PLACEHOLDER = re.compile(r"Segment[_ ]?\d+")
"""Names that Slicer gives by itself: they say nothing."""

_TYPE, _REGION = 2, 5
"""Places of the type and of the anatomic region in a terminology entry."""


@dataclass(frozen=True, kw_only=True)
class SlicerSegment:
    """One segment: voxels of ``layer`` that equal ``value``."""

    name: str
    value: int
    layer: int


def find_segments(
    metadata: Mapping[str, str], *, layers: int, where: str
) -> tuple[SlicerSegment, ...]:
    """Return the segments that the header of a file of so many layers describes.

    An ordinary NRRD file has none.

    Raises
    ------
    LabelsError
        A layer or label value that is no number or not there, two segments on one label of one
        layer, or a name that its code contradicts.
    """
    fields: dict[int, dict[str, str]] = {}
    for key, value in metadata.items():
        if match := _KEY.fullmatch(key):
            fields.setdefault(int(match["number"]), {})[match["field"]] = value
    segments = tuple(
        SlicerSegment(
            name=_name(segment, where=where),
            value=_whole(segment.get("LabelValue", "1"), where=where),
            layer=_whole(segment.get("Layer", str(position)), where=where) if layers > 1 else 0,
        )
        for position, (_, segment) in enumerate(sorted(fields.items()))
    )
    places = [(segment.layer, segment.value) for segment in segments]
    if segments and max(layer for layer, _ in places) >= layers:
        raise LabelsError(
            "a segment lies in a layer that the file does not have",
            where=where,
            found=f"layer {max(layer for layer, _ in places)}",
            wanted=f"below {layers}",
        )
    if len(set(places)) < len(places):
        raise LabelsError(
            "two segments share one label of one layer",
            where=where,
            found=f"{len(places)} segments on {len(set(places))} labels",
            wanted="a label for every segment",
        )
    return segments


def names_by_value(segments: tuple[SlicerSegment, ...]) -> Mapping[int, str] | None:
    """Names by label value of a file of one layer; ``None`` where no segment has a name."""
    return {s.value: s.name for s in segments if s.name} or None


def _name(fields: Mapping[str, str], *, where: str) -> str:
    """What name and terminology say together; empty where neither says anything."""
    name = fields.get("Name", "").strip()
    entry = _TERMINOLOGY.search(fields.get("Tags", ""))
    codes = entry["entry"].split("~") if entry else []
    named = name_segment(name, kind=_code(codes, _TYPE), region=_code(codes, _REGION), where=where)
    return "" if _PLACEHOLDER.fullmatch(named) else named


def _code(codes: list[str], place: int) -> Code | None:
    parts = codes[place].split("^") if place < len(codes) else []
    return Code(scheme=parts[0], value=parts[1]) if len(parts) > 1 and parts[1] else None


def _whole(text: str, *, where: str) -> int:
    if not text.strip().isdecimal():
        raise LabelsError(
            "a segment has no usable label", where=where, found=repr(text[:40]), wanted="a number"
        )
    return int(text)
