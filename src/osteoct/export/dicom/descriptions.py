"""What each segment is: codes, label, colour, and what made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import highdicom as hd

from osteoct.export.dicom.coding import coded
from osteoct.export.dicom.origin import Origin
from osteoct.export.segments import RegionSegment
from osteoct.io.result_codes import REGION_CONCEPTS, VERTEBRA, Concept, level_concept
from osteoct.protocols import PROTOCOLS, Region

ANATOMICAL_STRUCTURE: Final = Concept(
    scheme="SCT", value="91723000", meaning="Anatomical Structure"
)
ARTIFICIAL_INTELLIGENCE: Final = Concept(
    scheme="DCM", value="123110", meaning="Artificial Intelligence"
)
MORPHOLOGICAL: Final = Concept(scheme="DCM", value="123104", meaning="Morphological Operations")
MANUAL: Final = Concept(scheme="DCM", value="123109", meaning="Manual Processing")

COLOURS: Final[Mapping[Region, tuple[float, float, float]]] = {
    Region.VERTEBRA: (80.0, 0.0, 0.0),
    Region.BODY: (70.0, -9.0, -38.0),
    Region.TRABECULAR: (90.0, -8.0, 70.0),
    Region.CORTICAL: (60.0, 40.0, 50.0),
}
"""CIE L*a*b*: grey, sky blue, yellow and vermilion, which colour-blind readers tell apart."""


def describe_segments(
    origin: Origin, segments: Sequence[RegionSegment]
) -> list[hd.seg.SegmentDescription]:
    """Describe the segments in order."""
    return [_describe(origin, segment) for segment in segments]


def segment_tracking_id(origin: Origin, segment: RegionSegment) -> tuple[str, str]:
    """Identifier and UID by which a segment and its measurements are known as one thing."""
    return segment.name, origin.make_uid(f"region {segment.name}")


def _describe(origin: Origin, segment: RegionSegment) -> hd.seg.SegmentDescription:
    level = level_concept(segment.level)
    is_vertebra = segment.region is Region.VERTEBRA
    kind = level if is_vertebra and not level.is_private else REGION_CONCEPTS[segment.region]
    tracking_id, tracking_uid = segment_tracking_id(origin, segment)
    is_automatic = origin.case.result.provenance.segmenter is not None
    description = hd.seg.SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.name,
        segmented_property_category=coded(ANATOMICAL_STRUCTURE),
        segmented_property_type=coded(kind),
        # masks that a user brought may be a person's: the core of such a mask is half automatic
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC
        if is_automatic
        else hd.seg.SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
        algorithm_identification=_algorithm(origin, segment),
        tracking_uid=tracking_uid,
        tracking_id=tracking_id,
        anatomic_regions=[coded(VERTEBRA if level == kind else level)],
    )
    colour = hd.color.CIELabColor(*COLOURS[segment.region])
    description.RecommendedDisplayCIELabValue = list(colour.value)
    return description


def _algorithm(origin: Origin, segment: RegionSegment) -> hd.AlgorithmIdentificationSequence:
    """What drew the segment: the segmenter's network or the user, and osteoct on top of it."""
    result = origin.case.result
    made_by = result.provenance.segmenter
    masks = "masks of the user" if made_by is None else f"{made_by.name} {made_by.version}"
    parameters = {"vertebrae": masks, "masks": result.masks_used.value}
    recipe = PROTOCOLS.get(segment.protocol or "")
    if recipe is not None:
        parameters |= {
            "protocol": f"{recipe.id} version {recipe.version}",
            "depth": f"{recipe.depth_mm} mm",
        }
    family = MORPHOLOGICAL
    if recipe is None:
        family = MANUAL if made_by is None else ARTIFICIAL_INTELLIGENCE
    return hd.AlgorithmIdentificationSequence(
        name="osteoct",
        family=coded(family),
        version=origin.version,
        source="osteoct",
        parameters=parameters,
    )
